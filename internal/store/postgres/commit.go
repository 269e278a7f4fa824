package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// A commit is as many statements as it has kinds of changes, however many keys it
// changes, and they go to the server in one round trip with the COMMIT.
const (
	setRows      = `INSERT INTO ` + table + ` (key, value) SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
	deleteRows   = `DELETE FROM ` + table + ` WHERE key = ANY($1::bytea[])`
	deleteBelow  = `DELETE FROM ` + table + ` WHERE key >= $1 AND key < $2`
	deleteBeyond = `DELETE FROM ` + table + ` WHERE key >= $1`
)

// Bounds of one statement.
const (
	statementRows  = 4096
	statementBytes = 8 << 20
)

// commit writes what the transaction has gathered, and commits.
func (t *tx) commit() error {
	long, err := t.rewrite()
	if err != nil {
		return err
	}
	var b pgx.Batch
	if !t.session.begun() {
		b.Queue(t.session.begin)
	}
	queueWrites(&b, t.writes, long)
	return t.session.commit(&b)
}

// queueWrites queues the statements of writes, and of rows of long keys. Rows come
// in the order of their keys, so that transactions wait for each other's, and not
// in circles.
func queueWrites(b *pgx.Batch, w *driver.Writes, long []row) {
	for _, s := range w.Spans() {
		queueSpan(b, s)
	}
	sets, deletes := statement{sql: setRows, values: true}, statement{sql: deleteRows}
	put := func(r row) {
		if r.value == nil {
			deletes.add(b, r)
		} else {
			sets.add(b, r)
		}
	}
	for _, k := range w.Keys() {
		if v, _ := w.Find(k); len(k) <= maxRow {
			put(row{[]byte(k), v.Value}) // a deleted one's is nil, a set one's never
		}
	}
	for _, r := range long {
		put(r)
	}
	sets.flush(b)
	deletes.flush(b)
}

// queueSpan deletes the rows of a span; those of long keys that its ends cut are
// rewritten on their own.
func queueSpan(b *pgx.Batch, s driver.Span) {
	start := []byte(s.Start)
	if isLong(start) {
		start = bucketOf(start)
		start[maxRow] = 1
	}
	if s.End == driver.Beyond {
		b.Queue(deleteBeyond, start)
		return
	}
	end := []byte(s.End)
	if isLong(end) {
		end = bucketOf(end)
	}
	b.Queue(deleteBelow, start, end)
}

// statement gathers rows for one statement at a time.
type statement struct {
	sql      string
	values   bool
	rows     [][]byte
	contents [][]byte
	bytes    int
}

func (s *statement) add(b *pgx.Batch, r row) {
	s.rows, s.contents = append(s.rows, r.key), append(s.contents, r.value)
	if s.bytes += len(r.key) + len(r.value); len(s.rows) >= statementRows || s.bytes >= statementBytes {
		s.flush(b)
	}
}

func (s *statement) flush(b *pgx.Batch) {
	switch {
	case len(s.rows) == 0:
		return
	case s.values:
		b.Queue(s.sql, s.rows, s.contents)
	default:
		b.Queue(s.sql, s.rows)
	}
	s.rows, s.contents, s.bytes = nil, nil, 0
}
