package postgres

import (
	"iter"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// reader reads a transaction's snapshot with its own writes over it.
type reader struct {
	session session
	writes  *driver.Writes // empty in a View
}

// tx is a reader that writes: into memory, until it commits.
type tx struct{ reader }

var _ store.Tx = (*tx)(nil)

// Set implements store.Tx.
func (t *tx) Set(key, value []byte) error { return t.writes.Set(key, value) }

// Delete implements store.Tx.
func (t *tx) Delete(key []byte) error { return t.writes.Delete(key) }

// DeleteRange implements store.Tx. A nil end has no bound.
func (t *tx) DeleteRange(start, end []byte) error { return t.writes.DeleteRange(start, end) }

// first is the key that the transaction is known by to others like it.
func (t *tx) first() string {
	if keys := t.writes.Keys(); len(keys) > 0 {
		return keys[0]
	}
	return ""
}

// Get implements store.Reader.
func (r *reader) Get(key []byte) ([]byte, error) {
	if v, ok, err := r.writes.Get(key); ok {
		return v, err
	}
	if len(key) > store.MaxKey {
		return nil, store.ErrNotFound
	}
	if isLong(key) {
		return r.getLong(key)
	}
	rows, err := r.session.read(query{getRow, []any{present(key)}})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, store.ErrNotFound
	}
	return present(rows[0].value), nil
}

// present is b as a value that is there: nil is NULL to the database.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Scan implements store.Reader. It sees what the transaction had written when
// the walk began.
func (r *reader) Scan(g store.Range) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		if g.End != nil && string(g.Start) >= string(g.End) {
			return
		}
		want := 0
		if g.Limit > 0 {
			want = g.Limit + len(r.writes.Within(g))
		}
		for p, err := range r.writes.Over(r.pairs(g, want), g) {
			if !yield(p, err) {
				return
			}
		}
	}
}
