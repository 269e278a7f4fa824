package pebble

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// writes are a transaction's changes, gathered until it commits. Deleted ranges
// come first, keys were written after them. The zero value is empty.
type writes struct {
	keys  map[string]write
	spans []span
	err   error // the first refused write: such a transaction never commits
}

type write struct {
	value   []byte
	deleted bool
}

func (w *writes) empty() bool { return len(w.keys) == 0 && len(w.spans) == 0 }

// grows says whether anything is set, which a full disk refuses.
func (w *writes) grows() bool {
	for _, v := range w.keys {
		if !v.deleted {
			return true
		}
	}
	return false
}

func (w *writes) refuse(what string, n int) error {
	err := fmt.Errorf("%w: %s of %d bytes", store.ErrTooLarge, what, n)
	if w.err == nil {
		w.err = err
	}
	return err
}

func (w *writes) put(key []byte, v write) error {
	if len(key) > store.MaxKey {
		return w.refuse("key", len(key))
	}
	if w.keys == nil {
		w.keys = make(map[string]write)
	}
	w.keys[string(key)] = v
	return nil
}

func (w *writes) set(key, value []byte) error {
	if len(value) > store.MaxValue {
		return w.refuse("value", len(value))
	}
	return w.put(key, write{value: bytes.Clone(value)})
}

func (w *writes) remove(key []byte) error { return w.put(key, write{deleted: true}) }

func (w *writes) removeRange(start, end []byte) error {
	if len(start) > store.MaxKey || len(end) > store.MaxKey {
		return w.refuse("key", max(len(start), len(end)))
	}
	s := span{string(start), beyond}
	if end != nil {
		s.end = string(end)
	}
	if s.start >= s.end {
		return nil
	}
	maps.DeleteFunc(w.keys, func(k string, _ write) bool { return s.has(k) })
	w.spans = append(w.spans, s)
	return nil
}

// find gives what the transaction did to key, if anything.
func (w *writes) find(key string) (write, bool) {
	if v, ok := w.keys[key]; ok {
		return v, true
	}
	for _, s := range w.spans {
		if s.has(key) {
			return write{deleted: true}, true
		}
	}
	return write{}, false
}

// hides says whether the snapshot's value of key no longer counts.
func (w *writes) hides(key []byte) bool {
	if w.empty() {
		return false
	}
	_, ok := w.find(string(key))
	return ok
}

// within gives the keys written in g, in walking order.
func (w *writes) within(g store.Range) []string {
	var keys []string
	for k := range w.keys {
		if k >= string(g.Start) && (g.End == nil || k < string(g.End)) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if g.Reverse {
		slices.Reverse(keys)
	}
	return keys
}

// commit describes the changes to others.
func (w *writes) commit() *commit {
	return &commit{keys: slices.Collect(maps.Keys(w.keys)), spans: w.spans, synced: make(chan struct{})}
}

// batch makes the engine's record of the changes.
func (w *writes) batch(db *engine.DB) (*engine.Batch, error) {
	b := db.NewBatch()
	for _, s := range w.spans {
		if err := b.DeleteRange([]byte(s.start), []byte(s.end), nil); err != nil {
			return nil, fmt.Errorf("delete range: %w", err)
		}
	}
	for k, v := range w.keys {
		var err error
		if v.deleted {
			err = b.Delete([]byte(k), nil)
		} else {
			err = b.Set([]byte(k), v.value, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("write key: %w", err)
		}
	}
	return b, nil
}
