package function

import (
	"bytes"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Page says which part of a listing is wanted.
type Page struct {
	// Marker continues where the last page ended; empty starts.
	Marker string
	// Max is how many to give at most; 0 is 50, which is also the most.
	Max int
}

// maxPage is the most that a page has, as AWS documents it for Lambda.
const maxPage = 50

func (p Page) limit() int {
	if p.Max <= 0 || p.Max > maxPage {
		return maxPage
	}
	return p.Max
}

// scan reads a page of the records below a prefix that keep lets pass, in the
// order of their keys; scanDown in the opposite one. A marker is made of the
// listing's name and the last key given.
func scan[T any](r store.Reader, prefix []byte, listing string, p Page, keep func(T) bool) ([]T, string, error) {
	return scanPage(r, store.Prefix(prefix), listing, p, keep)
}

func scanDown[T any](r store.Reader, prefix []byte, listing string, p Page, keep func(T) bool) ([]T, string, error) {
	within := store.Prefix(prefix)
	within.Reverse = true
	return scanPage(r, within, listing, p, keep)
}

func scanPage[T any](r store.Reader, within store.Range, listing string, p Page, keep func(T) bool) ([]T, string, error) {
	after, err := page.After(listing, p.Marker)
	if err != nil || after != "" && !bytes.HasPrefix([]byte(after), within.Start) {
		return nil, "", invalid("Invalid pagination token: %s", clip(p.Marker))
	}
	switch {
	case after != "" && within.Reverse:
		within.End = []byte(after)
	case after != "":
		within.Start = append([]byte(after), 0) // the first key that can follow
	}
	var list []T
	var last string
	for pair, err := range r.Scan(within) {
		if err != nil {
			return nil, "", fmt.Errorf("list %s: %w", listing, err)
		}
		var v T
		if err := record.Unmarshal(pair.Value, &v); err != nil {
			return nil, "", err
		}
		if !keep(v) {
			continue
		}
		if len(list) == p.limit() {
			return list, page.Token(listing, last), nil
		}
		list, last = append(list, v), string(pair.Key)
	}
	return list, "", nil
}
