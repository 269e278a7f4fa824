package secret

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Query says which secrets are listed, and in what order.
type Query struct {
	Filters []Filter
	Deleted bool   // those that wait to be deleted too
	By      string // "created-date" (the usual), "last-accessed-date", "last-changed-date", "name"
	Rising  bool   // the first first; else the last
	Limit   int
	Token   string
}

// List gives secrets, and the token for more.
func (s *Service) List(ctx context.Context, listing string, q Query) (list []*Secret, token string, err error) {
	q.By = cmp.Or(q.By, "created-date")
	if err := checkFilters(q.Filters); err != nil {
		return nil, "", err
	}
	listing += " " + q.By + " " + strconv.FormatBool(q.Rising)
	after, err := page.After(listing, q.Token)
	if err != nil {
		return nil, "", errToken
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		for sec, err := range scan[Secret](r, below("secret")) {
			if err != nil {
				return err
			}
			if !s.gone(sec) && (q.Deleted || sec.Deleted.IsZero()) && matchAll(q.Filters, sec) {
				list = append(list, sec)
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(list, q.compare)
	if after != "" {
		last, ok := place(after)
		if !ok {
			return nil, "", errToken
		}
		at, there := slices.BinarySearchFunc(list, last, q.compare)
		if there {
			at++
		}
		list = list[at:]
	}
	if len(list) > q.Limit {
		list = list[:q.Limit]
		token = page.Token(listing, q.mark(list[q.Limit-1]))
	}
	return list, token, nil
}

// compare orders secrets; those of one time by their names.
func (q *Query) compare(a, b *Secret) int {
	c := cmp.Or(q.time(a).Compare(q.time(b)), cmp.Compare(a.Name, b.Name))
	if !q.Rising {
		return -c
	}
	return c
}

func (q *Query) time(sec *Secret) time.Time {
	switch q.By {
	case "last-accessed-date":
		return sec.Accessed
	case "last-changed-date":
		return sec.Changed
	case "name":
		return time.Time{}
	}
	return sec.Created
}

// mark is the place of a secret in the order, and place a secret at that place: the
// listing goes on there, whatever became of the secret itself.
func (q *Query) mark(sec *Secret) string {
	return strconv.FormatInt(q.time(sec).UnixMicro(), 10) + " " + sec.Name
}

func place(mark string) (*Secret, bool) {
	micros, name, ok := strings.Cut(mark, " ")
	n, err := strconv.ParseInt(micros, 10, 64)
	at := time.UnixMicro(n).UTC()
	return &Secret{Name: name, Created: at, Accessed: at, Changed: at}, ok && err == nil
}
