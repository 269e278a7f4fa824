package iam

import (
	"cmp"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/page"
)

// window is the part of a listing that a caller asks for.
type window struct {
	marker string
	max    int32
	set    bool // max was given
}

// limit is how many items there may be, as every listing of IAM's API has it.
func (w window) limit() (int, error) {
	switch {
	case !w.set:
		return 100, nil
	case w.max < 1:
		return 0, constraint(w.max, "maxItems", "Member must have value greater than or equal to 1")
	case w.max > 1000:
		return 0, constraint(w.max, "maxItems", "Member must have value less than or equal to 1000")
	}
	return int(w.max), nil
}

// after is the key to continue a listing after.
func (w window) after(listing string) (string, error) {
	after, err := page.After(listing, w.marker)
	if err != nil {
		return "", errMarker
	}
	return after, nil
}

var errMarker = validation("Invalid Marker")

// paged gives a window of items in the order of their keys, and the marker for more.
func paged[T any](listing string, items []T, key func(T) string, w window) ([]T, string, error) {
	limit, err := w.limit()
	if err != nil {
		return nil, "", err
	}
	after, err := w.after(listing)
	if err != nil {
		return nil, "", err
	}
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	if after != "" {
		at, found := slices.BinarySearchFunc(items, after, func(t T, k string) int { return cmp.Compare(key(t), k) })
		if found {
			at++
		}
		items = items[at:]
	}
	if len(items) <= limit {
		return items, "", nil
	}
	return items[:limit], page.Token(listing, key(items[limit-1])), nil
}

func itself(s string) string { return s }
