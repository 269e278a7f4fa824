package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// reader reads a snapshot with a transaction's own writes over it.
type reader struct {
	snap   *engine.Snapshot
	seen   *footprint // what was read; nil if nobody will ask
	writes *writes    // empty in a View
}

// tx is a reader that writes.
type tx struct{ reader }

var _ store.Tx = (*tx)(nil)

// Set implements store.Tx.
func (t *tx) Set(key, value []byte) error { return t.writes.set(key, value) }

// Delete implements store.Tx.
func (t *tx) Delete(key []byte) error { return t.writes.remove(key) }

// DeleteRange implements store.Tx. A nil end has no bound.
func (t *tx) DeleteRange(start, end []byte) error { return t.writes.removeRange(start, end) }

// Get implements store.Reader.
func (r *reader) Get(key []byte) ([]byte, error) {
	if w, ok := r.writes.find(string(key)); ok {
		if w.deleted {
			return nil, store.ErrNotFound
		}
		return bytes.Clone(w.value), nil
	}
	if r.seen != nil {
		r.seen.addKey(string(key))
	}
	v, closer, err := r.snap.Get(key)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	v = append([]byte{}, v...) // never nil: the key is there
	return v, closer.Close()
}

// Scan implements store.Reader. It sees what the transaction had written when
// the walk began.
func (r *reader) Scan(g store.Range) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		if g.End != nil && bytes.Compare(g.Start, g.End) >= 0 {
			return
		}
		it, err := r.snap.NewIter(&engine.IterOptions{LowerBound: g.Start, UpperBound: g.End})
		if err != nil {
			yield(store.Pair{}, fmt.Errorf("scan: %w", err))
			return
		}
		w := walk{it: it, own: r.writes.within(g), writes: r.writes, reverse: g.Reverse}
		last, whole := []byte(nil), false
		defer func() {
			r.remember(g, last, whole)
			it.Close() // its error was given below
		}()
		w.first()
		for n := 0; g.Limit == 0 || n < g.Limit; n++ {
			pair, ok, err := w.next()
			if err != nil {
				yield(store.Pair{}, fmt.Errorf("scan: %w", err))
				return
			}
			if !ok {
				whole = true
				return
			}
			last = append(last[:0], pair.Key...)
			if !yield(pair, nil) {
				return
			}
		}
	}
}

// remember adds the part of g that a walk has looked at: all of it, or up to
// the last key it gave. Taking the first of a queue thus does not collide with
// others adding behind it.
func (r *reader) remember(g store.Range, last []byte, whole bool) {
	if r.seen == nil || !whole && last == nil {
		return
	}
	s := span{string(g.Start), beyond}
	if g.End != nil {
		s.end = string(g.End)
	}
	switch {
	case whole:
	case g.Reverse:
		s.start = string(last)
	default:
		s.end = string(last) + "\x00"
	}
	r.seen.addSpan(s)
}

// walk merges a snapshot's pairs with a transaction's own.
type walk struct {
	it      *engine.Iterator
	own     []string // keys written, in walking order
	writes  *writes
	reverse bool
	ahead   bool // it stands on a pair that was already given
}

func (w *walk) first() {
	if w.reverse {
		w.it.Last()
	} else {
		w.it.First()
	}
}

func (w *walk) step() {
	if w.reverse {
		w.it.Prev()
	} else {
		w.it.Next()
	}
}

// next gives the next pair; ok is false at the end.
func (w *walk) next() (p store.Pair, ok bool, err error) {
	if w.ahead {
		w.step()
		w.ahead = false
	}
	for w.it.Valid() && w.writes.hides(w.it.Key()) {
		w.step()
	}
	if err := w.it.Error(); err != nil {
		return p, false, err
	}
	for len(w.own) > 0 && w.ownFirst() {
		key := w.own[0]
		w.own = w.own[1:]
		if v, ok := w.writes.find(key); ok && !v.deleted {
			return store.Pair{Key: []byte(key), Value: v.value}, true, nil
		}
	}
	if !w.it.Valid() {
		return p, false, nil
	}
	v, err := w.it.ValueAndErr()
	if err != nil {
		return p, false, err
	}
	w.ahead = true
	return store.Pair{Key: w.it.Key(), Value: v}, true, nil
}

// ownFirst says whether the next own key comes before the snapshot's. They are
// never equal: own keys hide the snapshot's.
func (w *walk) ownFirst() bool {
	return !w.it.Valid() || (w.own[0] < string(w.it.Key())) != w.reverse
}
