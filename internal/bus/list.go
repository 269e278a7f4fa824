package bus

import (
	"context"
	"iter"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// withDefault puts the default bus into a walk over buses that lacks it; other walks it
// leaves alone.
func withDefault[T any](s *Service, r store.Reader, walk iter.Seq2[*T, error]) iter.Seq2[*T, error] {
	var v any = new(T)
	if _, ok := v.(*Bus); !ok {
		return walk
	}
	return func(yield func(*T, error) bool) {
		given := false
		give := func() bool {
			given = true
			b, err := s.loadBus(r, defaultBus)
			v, _ := any(b).(*T)
			return yield(v, err)
		}
		for v, err := range walk {
			if err == nil && !given {
				b, _ := any(v).(*Bus)
				switch {
				case b.Name == defaultBus:
					given = true
				case b.Name > defaultBus && !give():
					return
				}
			}
			if !yield(v, err) {
				return
			}
		}
		if !given {
			give()
		}
	}
}

// walk is the records that a listing is about.
type walk[T any] struct {
	operation string // and its filters: what its tokens are good for
	within    store.Range
	key       func(name string) []byte
	keep      func(*T) (name string, ok bool)
}

// list gives records by name, after what a token says, and the token for more.
func (w walk[T]) list(ctx context.Context, s *Service, q Listing) (found []*T, token string, err error) {
	listing := w.operation + " " + q.Prefix
	after, err := page.After(listing, q.Token)
	if err != nil {
		return nil, "", errToken
	}
	if after != "" {
		w.within.Start = w.key(after)
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		found, token = nil, ""
		last := after
		for v, err := range withDefault(s, r, scan[T](r, w.within)) {
			if err != nil {
				return err
			}
			name, ok := w.keep(v)
			if !ok || name <= after || !strings.HasPrefix(name, q.Prefix) {
				continue
			}
			if len(found) == q.Limit {
				token = page.Token(listing, last)
				return nil
			}
			found, last = append(found, v), name
		}
		return nil
	})
	return found, token, err
}
