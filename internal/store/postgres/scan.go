package postgres

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// table is the store's, in the first schema of the search path.
const table = "mayfly_store"

// A walk reads batches: few rows first, since many walks look at the first ones
// alone, then more, each bounded in rows and in bytes.
const (
	firstBatch = 16
	batchGrows = 16
	maxBatch   = 4096
	batchBytes = 4 << 20 // and one value more; of a small batch, a value a row
)

const getRow = `SELECT key, value FROM ` + table + ` WHERE key = $1`

// scans are the queries of walks: forwards and backwards, without and with an
// upper bound.
var (
	smallScan = scanQueries(`SELECT key, value FROM ` + table + ` WHERE %[1]s ORDER BY key%[2]s LIMIT $1`)
	largeScan = scanQueries(`SELECT key, value FROM (` +
		`SELECT key, value, sum(octet_length(value)) OVER (ORDER BY key%[2]s ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - octet_length(value) AS before` +
		` FROM ` + table + ` WHERE %[1]s ORDER BY key%[2]s LIMIT $1) batch` +
		fmt.Sprintf(` WHERE before < %d`, batchBytes) + ` ORDER BY key%[2]s`)
)

// scanQueries are a query [forwards, backwards][without, with an upper bound].
func scanQueries(form string) (q [2][2]string) {
	for i, direction := range []string{"", " DESC"} {
		for j, bounds := range []string{"key >= $2", "key >= $2 AND key < $3"} {
			q[i][j] = fmt.Sprintf(form, bounds, direction)
		}
	}
	return q
}

// bounds are the rows start <= key < end; a nil end is none.
type bounds struct{ start, end []byte }

func (b bounds) query(limit int, reverse bool) query {
	form, args := &smallScan, []any{limit, present(b.start)}
	if limit > firstBatch {
		form = &largeScan
	}
	direction, bounded := 0, 0
	if reverse {
		direction = 1
	}
	if b.end != nil {
		bounded, args = 1, append(args, b.end)
	}
	return query{form[direction][bounded], args}
}

// pairs walks the snapshot's part of a range, whatever its limit. want is how
// many of it will be asked for, 0 if that is not known.
func (r *reader) pairs(g store.Range, want int) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		b := rowsOf(g)
		n := firstBatch
		if want > 0 {
			n = min(want, maxBatch)
		}
		for {
			rows, err := r.session.read(b.query(n, g.Reverse))
			if err != nil {
				yield(store.Pair{}, err)
				return
			}
			bytesRead := 0
			for _, row := range rows {
				bytesRead += len(row.value)
				if !expand(row, g, yield) {
					return
				}
			}
			if len(rows) < n && (n <= firstBatch || bytesRead < batchBytes) {
				return
			}
			b = b.beyond(rows[len(rows)-1].key, g.Reverse)
			n = min(n*batchGrows, maxBatch)
		}
	}
}

// beyond is the part of b that comes after a row.
func (b bounds) beyond(key []byte, reverse bool) bounds {
	if reverse {
		b.end = key
	} else {
		b.start = append(bytes.Clone(key), 0)
	}
	return b
}
