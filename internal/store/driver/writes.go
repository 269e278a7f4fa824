package driver

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Writes are a transaction's changes, gathered until it commits. Deleted spans
// come first, keys were written after them. The zero value is empty. It is not
// safe for concurrent use.
type Writes struct {
	keys  map[string]Write
	spans []Span
	err   error
}

// Write is what was done to one key.
type Write struct {
	Value   []byte
	Deleted bool
}

// Empty says that nothing was written.
func (w *Writes) Empty() bool { return len(w.keys) == 0 && len(w.spans) == 0 }

// Err is the first write that was refused: such a transaction never commits.
func (w *Writes) Err() error { return w.err }

// Grows says whether anything is set, which a full disk refuses.
func (w *Writes) Grows() bool {
	for _, v := range w.keys {
		if !v.Deleted {
			return true
		}
	}
	return false
}

// Keys are the keys written after the spans, in order.
func (w *Writes) Keys() []string { return slices.Sorted(maps.Keys(w.keys)) }

// Spans are the deleted ones, as they were deleted.
func (w *Writes) Spans() []Span { return w.spans }

// All walks what was done to keys after the spans were deleted, in no order.
func (w *Writes) All() iter.Seq2[string, Write] { return maps.All(w.keys) }

func (w *Writes) refuse(what string, n int) error {
	err := fmt.Errorf("%w: %s of %d bytes", store.ErrTooLarge, what, n)
	if w.err == nil {
		w.err = err
	}
	return err
}

func (w *Writes) put(key string, v Write) {
	if w.keys == nil {
		w.keys = make(map[string]Write)
	}
	w.keys[key] = v
}

// Set is store.Tx's. It copies what it is given.
func (w *Writes) Set(key, value []byte) error {
	switch {
	case len(key) > store.MaxKey:
		return w.refuse("key", len(key))
	case len(value) > store.MaxValue:
		return w.refuse("value", len(value))
	}
	w.put(string(key), Write{Value: append([]byte{}, value...)}) // never nil: the key is there
	return nil
}

// Delete is store.Tx's.
func (w *Writes) Delete(key []byte) error {
	if len(key) > store.MaxKey {
		return w.refuse("key", len(key))
	}
	w.put(string(key), Write{Deleted: true})
	return nil
}

// DeleteRange is store.Tx's. A nil end has no bound.
func (w *Writes) DeleteRange(start, end []byte) error {
	if len(start) > store.MaxKey || len(end) > store.MaxKey {
		return w.refuse("key", max(len(start), len(end)))
	}
	w.deleteSpan(SpanOf(start, end))
	return nil
}

func (w *Writes) deleteSpan(s Span) {
	if s.Start >= s.End {
		return
	}
	maps.DeleteFunc(w.keys, func(k string, _ Write) bool { return s.Has(k) })
	w.spans = append(w.spans, s)
}

// Append adds the writes of a transaction that comes after this one.
func (w *Writes) Append(later *Writes) {
	for _, s := range later.spans {
		w.deleteSpan(s)
	}
	for k, v := range later.keys {
		w.put(k, v)
	}
}

// Find gives what the transaction did to key, if anything.
func (w *Writes) Find(key string) (Write, bool) {
	if v, ok := w.keys[key]; ok {
		return v, true
	}
	for _, s := range w.spans {
		if s.Has(key) {
			return Write{Deleted: true}, true
		}
	}
	return Write{}, false
}

// Get gives the value of a key that the transaction has written, or
// store.ErrNotFound if it has deleted it; ok is false if it has done neither.
func (w *Writes) Get(key []byte) (value []byte, ok bool, err error) {
	v, ok := w.Find(string(key))
	if ok && v.Deleted {
		return nil, true, store.ErrNotFound
	}
	return bytes.Clone(v.Value), ok, nil
}

// Within gives the keys written in r, in walking order.
func (w *Writes) Within(r store.Range) []string {
	var keys []string
	for k := range w.keys {
		if k >= string(r.Start) && (r.End == nil || k < string(r.End)) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if r.Reverse {
		slices.Reverse(keys)
	}
	return keys
}

// Over walks a range of a snapshot with the writes over it: base is the
// snapshot's pairs of r, in its order and without its limit. It gives the keys
// that had been written when the walk began.
func (w *Writes) Over(base iter.Seq2[store.Pair, error], r store.Range) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		n, own, clean := 0, w.Within(r), w.Empty()
		give := func(p store.Pair) bool {
			n++
			return yield(p, nil) && (r.Limit == 0 || n < r.Limit)
		}
		// mine gives the own keys that come before one of the snapshot's; they are
		// never equal to one that is given, since own keys hide the snapshot's.
		mine := func(before []byte, all bool) bool {
			for len(own) > 0 && (all || (own[0] < string(before)) != r.Reverse) {
				key := own[0]
				own = own[1:]
				if v, ok := w.Find(key); ok && !v.Deleted && !give(store.Pair{Key: []byte(key), Value: v.Value}) {
					return false
				}
			}
			return true
		}
		for p, err := range base {
			if err != nil {
				yield(store.Pair{}, err)
				return
			}
			if !clean {
				if _, hidden := w.Find(string(p.Key)); hidden {
					continue
				}
				if !mine(p.Key, false) {
					return
				}
			}
			if !give(p) {
				return
			}
		}
		mine(nil, true)
	}
}
