package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/mayfly-cloud/mayfly/internal/retry"
)

// Config says which database a store is in.
type Config struct {
	// URL is a PostgreSQL connection string, as a URL or as words. What it leaves
	// out is taken from the variables and files that PostgreSQL's own programs
	// read (PGHOST, PGPASSWORD, PGSERVICE, ~/.pgpass and so on). Beyond theirs it
	// may set pool_max_conns, the most connections for transactions.
	URL string
	// Log takes what the operator should know. Nil drops it.
	Log *slog.Logger
	// Look is how often the store looks for commits of other processes that it
	// was not told of. 0 is 15 s.
	Look time.Duration
}

const (
	// connections is how many transactions have one at once, unless the URL says:
	// enough for commits to share syncs, few enough for several nodes on a server
	// that takes a hundred.
	connections    = 16
	connectTimeout = 5 * time.Second
	defaultLook    = 15 * time.Second
	// idleLimit ends transactions of a node that is no longer there, whose locks
	// others would wait for.
	idleLimit = time.Minute
)

// ParseURL reads a connection string. Its errors keep the password to themselves.
func ParseURL(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = connections
	}
	c := cfg.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.ValidateConnect == nil { // of several hosts, the one that takes writes
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "mayfly"
	}
	cfg.AfterConnect = prepareSession
	return cfg, nil
}

// Place names the database for people: user, host and name, and no password.
func Place(cfg *pgx.ConnConfig) string {
	return fmt.Sprintf("%s at %s:%d as %s", cfg.Database, cfg.Host, cfg.Port, cfg.User)
}

// PlaceOf is Place for an address; empty if there is none, or none can be read.
func PlaceOf(url string) string {
	if url == "" {
		return ""
	}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return ""
	}
	return Place(cfg)
}

// durable is the setting that a reply means something under. A stronger one of
// the server's stays.
const durable = `SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`

// prepareSession makes a connection one of ours. Only durability is a must; the
// rest is PostgreSQL's alone, and what else speaks its protocol may refuse it.
func prepareSession(ctx context.Context, c *pgx.Conn) error {
	if _, err := c.Exec(ctx, durable); err != nil {
		return fmt.Errorf("set synchronous_commit: %w", err)
	}
	for _, set := range []string{
		// A scan of the whole table counts as having read all of it, so that every
		// other transaction is in conflict with it: small tables are no exception.
		"SET enable_seqscan = off", "SET enable_bitmapscan = off", "SET enable_sort = off",
		"SET plan_cache_mode = force_generic_plan", "SET jit = off",
		fmt.Sprintf("SET idle_in_transaction_session_timeout = %d", idleLimit.Milliseconds()),
	} {
		if _, err := c.Exec(ctx, set); err != nil {
			if _, answered := asServer(err); !answered {
				return fmt.Errorf("prepare session: %w", err)
			}
		}
	}
	return nil
}

// schemaTries bounds attempts to make the table, which nodes that start together
// disturb each other at.
var schemaTries = retry.Policy{Attempts: 5, Base: 50 * time.Millisecond, Max: time.Second}

// makeTable sees to it that the table is there. It asks first: a role that may
// not make tables can use one that another has made.
func makeTable(ctx context.Context, pool *pgxpool.Pool) error {
	return retry.Do(ctx, schemaTries, func(ctx context.Context) error {
		_, err := pool.Exec(ctx, `SELECT 1 FROM `+table+` WHERE key = ''`)
		if !has(err, codeNoTable) {
			return stopUnlessLost(ctx, err)
		}
		_, err = pool.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+table+` (key bytea NOT NULL PRIMARY KEY, value bytea NOT NULL)`)
		if has(err, codeTableExists, codeUnique, codeSerialization) { // made by another, just now
			return err
		}
		return stopUnlessLost(ctx, err)
	})
}

func stopUnlessLost(ctx context.Context, err error) error {
	if err == nil || isLost(kind(ctx, err)) {
		return err
	}
	return retry.Stop(err)
}

func asServer(err error) (*pgconn.PgError, bool) { return errors.AsType[*pgconn.PgError](err) }
