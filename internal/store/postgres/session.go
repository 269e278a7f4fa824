package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	beginUpdate = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
	beginView   = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
)

// session is one transaction of the database. It begins with its first
// statement, in the same round trip, and has a connection from then on.
type session struct {
	pool   *pgxpool.Pool
	ctx    context.Context
	begin  string
	conn   *pgxpool.Conn // nil until it begins, and once it has ended
	err    error         // the first failure: nothing more comes of it
	replay *replay       // of a View, which can go on in another transaction
}

// row is a pair as the table has it.
type row struct{ key, value []byte }

// query is a read and its arguments.
type query struct {
	sql  string
	args []any
}

func (x *session) begun() bool { return x.conn != nil }

// read runs a query.
func (x *session) read(q query) ([]row, error) {
	if x.err != nil {
		return nil, x.err
	}
	rows, err := x.attempt(q)
	if err != nil && x.replay != nil {
		rows, err = x.replay.resume(x, q, err)
	}
	if err != nil {
		x.err = err
		return nil, err
	}
	if x.replay != nil {
		x.replay.note(q, rows)
	}
	return rows, nil
}

// attempt runs a query, after beginning if need be.
func (x *session) attempt(q query) ([]row, error) {
	if x.begun() {
		rows, _ := x.conn.Query(x.ctx, q.sql, q.args...) // its error is rows.Err's
		list, err := collect(rows)
		return list, x.failed("read", err)
	}
	if err := x.connect(); err != nil {
		return nil, err
	}
	var b pgx.Batch
	var list []row
	b.Queue(x.begin)
	b.Queue(q.sql, q.args...).Query(func(rows pgx.Rows) (err error) {
		list, err = collect(rows)
		return err
	})
	return list, x.failed("read", x.conn.SendBatch(x.ctx, &b).Close())
}

func (x *session) connect() error {
	conn, err := x.pool.Acquire(x.ctx)
	if err != nil {
		return kind(x.ctx, fmt.Errorf("connect to the database: %w", err))
	}
	x.conn = conn
	return nil
}

func (x *session) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return kind(x.ctx, fmt.Errorf("%s: %w", what, err))
}

func collect(rows pgx.Rows) ([]row, error) {
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.key, &r.value); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// errUndone says that the server rolled back what was to be committed.
var errUndone = errors.New("the database rolled the transaction back")

// commit runs the last statements and commits.
func (x *session) commit(b *pgx.Batch) error {
	if x.conn == nil {
		if err := x.connect(); err != nil {
			return err
		}
	}
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return errUndone
		}
		return nil
	})
	err := x.conn.SendBatch(x.ctx, b).Close()
	x.drop()
	if errors.Is(err, errUndone) {
		return conflict{err}
	}
	return kindOfCommit(x.ctx, err)
}

// end ends a transaction that has written nothing: what it read was right if
// this returns nil.
func (x *session) end() error {
	switch {
	case x.err != nil:
		return x.err
	case x.conn == nil:
		return nil
	}
	_, err := x.conn.Exec(x.ctx, "COMMIT")
	x.drop()
	return x.failed("end of reading", err)
}

// drop gives the connection back, rolled back if it is in a transaction still.
func (x *session) drop() {
	if x.conn == nil {
		return
	}
	if c := x.conn.Conn(); !c.IsClosed() && c.PgConn().TxStatus() != 'I' && x.ctx.Err() == nil {
		x.conn.Exec(x.ctx, "ROLLBACK") // if it fails, Release closes the connection
	}
	x.conn.Release()
	x.conn = nil
}
