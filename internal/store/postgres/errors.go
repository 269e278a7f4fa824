package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Error codes, from https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeUnknown       = "40003" // of databases on many machines: whether it committed is not known
	codeDiskFull      = "53100"
	codeTooManyConns  = "53300"
	codeNoTable       = "42P01"
	codeTableExists   = "42P07"
	codeUnique        = "23505"
)

// conflict says that the database would not put a transaction into a serial
// order with others. It has changed nothing.
type conflict struct{ error }

func (c conflict) Unwrap() error { return c.error }

// lost says that the connection ended, or none was to be had, before anything
// could have been committed on it.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

// kind sorts an error of a statement that commits nothing.
func kind(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	e, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case !answered:
		return lost{err}
	case e.Code == codeSerialization, e.Code == codeDeadlock:
		return conflict{err}
	case e.Code == codeDiskFull:
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case goesAway(e.Code):
		return lost{err}
	}
	return err
}

// goesAway says that a server sent its last word, or had no place.
func goesAway(code string) bool {
	// 08: connection exceptions. 57P01 to 57P05: shut down, crashed, starting, or
	// dropped, or the session was idle for too long; 25P03: in a transaction.
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == "25P03" || code == codeTooManyConns
}

// kindOfCommit sorts an error of the statements that end with a COMMIT. Unless
// the server has refused, or nothing was sent, what became of it is not known.
func kindOfCommit(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	e, answered := errors.AsType[*pgconn.PgError](err)
	if answered && !goesAway(e.Code) && e.Code != codeUnknown || pgconn.SafeToRetry(err) {
		return kind(ctx, err)
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return fmt.Errorf("commit, so whether this was written is not known: %w", err)
}

// has says whether an error is the server's, with one of these codes.
func has(err error, codes ...string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

func isConflict(err error) bool { _, ok := errors.AsType[conflict](err); return ok }

func isLost(err error) bool { _, ok := errors.AsType[lost](err); return ok }
