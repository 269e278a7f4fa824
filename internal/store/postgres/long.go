package postgres

import (
	"fmt"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// An entry of PostgreSQL's indexes has at most 2704 bytes, less than a key may
// have. Long keys that begin with the same maxRow bytes share a row, which sorts
// where they do:
//
//	key, up to maxRow bytes          its value
//	maxRow bytes and 0x00            list of: the rest of a key, its value
//
// Rows of the second kind are told by their length. They are rewritten whole, so
// many long keys that differ only at their end are slow, and maxBucket bounds them.
const (
	maxRow    = 2560
	maxBucket = 32 << 20
)

// entry is a long key in its row.
type entry struct {
	Rest  []byte
	Value []byte
}

func isLong(key []byte) bool { return len(key) > maxRow }

// bucketOf is the row of a long key.
func bucketOf(key []byte) []byte {
	return append(append(make([]byte, 0, maxRow+1), key[:maxRow]...), 0)
}

// rowsOf are the rows that hold the keys of a range, and of others at its ends if
// those are long.
func rowsOf(g store.Range) bounds {
	b := bounds{g.Start, g.End}
	if isLong(b.start) {
		b.start = bucketOf(b.start)
	}
	if isLong(b.end) {
		b.end = bucketOf(b.end)
		b.end[maxRow] = 1 // the row itself included
	}
	return b
}

func decodeBucket(value []byte) ([]entry, error) {
	var list []entry
	if err := record.Unmarshal(value, &list); err != nil {
		return nil, fmt.Errorf("read row of long keys: %w", err)
	}
	return list, nil
}

// expand gives the pairs of a row that lie in g, and says whether to go on.
func expand(r row, g store.Range, yield func(store.Pair, error) bool) bool {
	if !isLong(r.key) {
		return yield(store.Pair{Key: r.key, Value: present(r.value)}, nil)
	}
	list, err := decodeBucket(r.value)
	if err != nil {
		yield(store.Pair{}, err)
		return false
	}
	if g.Reverse {
		slices.Reverse(list)
	}
	for _, e := range list {
		key := append(slices.Clone(r.key[:maxRow]), e.Rest...)
		if string(key) < string(g.Start) || g.End != nil && string(key) >= string(g.End) {
			continue
		}
		if !yield(store.Pair{Key: key, Value: present(e.Value)}, nil) {
			return false
		}
	}
	return true
}

// bucket reads the row of a long key.
func (r *reader) bucket(key []byte) ([]entry, error) {
	rows, err := r.session.read(query{getRow, []any{bucketOf(key)}})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return decodeBucket(rows[0].value)
}

func (r *reader) getLong(key []byte) ([]byte, error) {
	list, err := r.bucket(key)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if string(e.Rest) == string(key[maxRow:]) {
			return present(e.Value), nil
		}
	}
	return nil, store.ErrNotFound
}

// long says whether the transaction changes rows of long keys, which it has to
// read first.
func (t *tx) long() bool { return len(longKeys(t.writes)) > 0 }

// longKeys are a long key of each row that writes change in part, in order.
func longKeys(w *driver.Writes) []string {
	rows := map[string]string{}
	add := func(key string) {
		if key != driver.Beyond && len(key) > maxRow {
			rows[key[:maxRow]] = key
		}
	}
	for k := range w.All() {
		add(k)
	}
	for _, s := range w.Spans() {
		add(s.Start)
		add(s.End)
	}
	var keys []string
	for _, k := range rows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// rewrite gives the rows of long keys as they are after the transaction; one
// without a value is to be deleted.
func (t *tx) rewrite() ([]row, error) {
	var rows []row
	for _, k := range longKeys(t.writes) {
		list, err := t.bucket([]byte(k))
		if err != nil {
			return nil, err
		}
		value, err := encodeBucket(t.writes, k[:maxRow], list)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{bucketOf([]byte(k)), value})
	}
	return rows, nil
}

// encodeBucket puts writes over the list of a row; the result is nil if nothing
// is left.
func encodeBucket(w *driver.Writes, head string, list []entry) ([]byte, error) {
	list = slices.DeleteFunc(list, func(e entry) bool {
		_, written := w.Find(head + string(e.Rest))
		return written
	})
	size := 0
	for k, v := range w.All() {
		if len(k) > maxRow && k[:maxRow] == head && !v.Deleted {
			list = append(list, entry{[]byte(k[maxRow:]), v.Value})
		}
	}
	for _, e := range list {
		size += len(e.Rest) + len(e.Value)
	}
	switch {
	case len(list) == 0:
		return nil, nil
	case size > maxBucket:
		return nil, fmt.Errorf("%w: keys that share their first %d bytes hold %d bytes", store.ErrTooLarge, maxRow, size)
	}
	slices.SortFunc(list, func(a, b entry) int { return slices.Compare(a.Rest, b.Rest) })
	return record.Marshal(&list)
}
