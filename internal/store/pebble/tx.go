package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// reader reads a snapshot with a transaction's own writes over it.
type reader struct {
	snap   *engine.Snapshot
	seen   *footprint     // what was read; nil if nobody will ask
	writes *driver.Writes // empty in a View
}

// tx is a reader that writes.
type tx struct{ reader }

var _ store.Tx = (*tx)(nil)

// Set implements store.Tx.
func (t *tx) Set(key, value []byte) error { return t.writes.Set(key, value) }

// Delete implements store.Tx.
func (t *tx) Delete(key []byte) error { return t.writes.Delete(key) }

// DeleteRange implements store.Tx. A nil end has no bound.
func (t *tx) DeleteRange(start, end []byte) error { return t.writes.DeleteRange(start, end) }

// Get implements store.Reader.
func (r *reader) Get(key []byte) ([]byte, error) {
	if v, ok, err := r.writes.Get(key); ok {
		return v, err
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
		last, whole := []byte(nil), false
		defer func() { r.remember(g, last, whole) }()
		n := 0
		for pair, err := range r.writes.Over(r.pairs(g), g) {
			if err != nil {
				yield(store.Pair{}, fmt.Errorf("scan: %w", err))
				return
			}
			n++
			last = append(last[:0], pair.Key...)
			if !yield(pair, nil) {
				return
			}
		}
		whole = g.Limit == 0 || n < g.Limit
	}
}

// pairs walks the snapshot's part of a range, whatever its limit.
func (r *reader) pairs(g store.Range) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		it, err := r.snap.NewIter(&engine.IterOptions{LowerBound: g.Start, UpperBound: g.End})
		if err != nil {
			yield(store.Pair{}, err)
			return
		}
		defer it.Close() // its error is given below
		first, step := it.First, it.Next
		if g.Reverse {
			first, step = it.Last, it.Prev
		}
		for ok := first(); ok; ok = step() {
			v, err := it.ValueAndErr()
			if !yield(store.Pair{Key: it.Key(), Value: v}, err) || err != nil {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(store.Pair{}, err)
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
	s := driver.SpanOf(g.Start, g.End)
	switch {
	case whole:
	case g.Reverse:
		s.Start = string(last)
	default:
		s.End = string(last) + "\x00"
	}
	r.seen.addSpan(s)
}
