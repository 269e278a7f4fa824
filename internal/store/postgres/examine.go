package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Report is what Examine has found.
type Report struct {
	// Place and Version are the database's.
	Place, Version string
	// Warnings are what works less well than it should.
	Warnings []string
}

// oldest is the version of PostgreSQL from which on everything here is known to
// work, as server_version_num has it.
const oldest = 130000

// Examine looks whether a store could be opened in a database. It changes nothing
// there. The error says why not.
func Examine(ctx context.Context, url string) (Report, error) {
	cfg, err := ParseURL(url)
	if err != nil {
		return Report{}, err
	}
	r := Report{Place: Place(cfg.ConnConfig)}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return r, fmt.Errorf("connect to %s: %w", r.Place, err)
	}
	defer hangUp(conn)
	e := examination{ctx, conn, &r}
	if r.Version, err = e.ask("SELECT version()"); err != nil {
		return r, err
	}
	r.Version, _, _ = strings.Cut(r.Version, " (")
	r.Version, _, _ = strings.Cut(r.Version, ", ")
	if err := e.privileges(); err != nil {
		return r, err
	}
	if err := e.durability(); err != nil {
		return r, err
	}
	return r, e.capacity(cfg)
}

// examination asks a database questions.
type examination struct {
	ctx  context.Context
	conn *pgx.Conn
	*Report
}

func (e *examination) ask(question string) (answer string, err error) {
	err = e.conn.QueryRow(e.ctx, question).Scan(&answer)
	if err != nil {
		return "", fmt.Errorf("ask %q: %w", question, err)
	}
	return answer, nil
}

// setting is a setting of the server, empty where it does not know it.
func (e *examination) setting(name string) string {
	v, err := e.ask("SELECT coalesce(current_setting('" + name + "', true), '')")
	if err != nil {
		return ""
	}
	return v
}

func (e *examination) warn(format string, args ...any) {
	e.Warnings = append(e.Warnings, fmt.Sprintf(format, args...))
}

func (e *examination) privileges() error {
	there, err := e.ask("SELECT (to_regclass('" + table + "') IS NOT NULL)::text")
	if err != nil {
		return err
	}
	question := "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)::text"
	if there == "true" {
		var all []string
		for _, p := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
			all = append(all, "has_table_privilege('"+table+"', '"+p+"')")
		}
		question = "SELECT (" + strings.Join(all, " AND ") + ")::text"
	}
	allowed, err := e.ask(question)
	switch {
	case err != nil:
		return err
	case allowed == "true":
		return nil
	case there == "true":
		return errors.New("the role may not read and write the table " + table + ": grant it SELECT, INSERT, UPDATE and DELETE")
	}
	return errors.New("the role may not make the table " + table + ": grant it CREATE on a schema of its search path")
}

func (e *examination) durability() error {
	if err := prepareSession(e.ctx, e.conn); err != nil {
		return err
	}
	if v := e.setting("synchronous_commit"); v != "on" && v != "remote_apply" {
		return fmt.Errorf("synchronous_commit is %q: a reply would not mean that anything is kept", v)
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		if e.setting(name) == "off" {
			e.warn("the server runs with %s = off: a crash of its machine loses what was acknowledged", name)
		}
	}
	if _, err := e.conn.Exec(e.ctx, "LISTEN mayfly_examine"); err != nil {
		if _, answered := asServer(err); !answered {
			return err
		}
		e.warn("it has no notifications: what other nodes commit is noticed only within %s", deafLook)
	}
	return nil
}

func (e *examination) capacity(cfg *pgxpool.Config) error {
	if n, err := strconv.Atoi(e.setting("server_version_num")); err == nil && n < oldest {
		e.warn("it is older than PostgreSQL %d", oldest/10000)
	}
	if n, err := strconv.Atoi(e.setting("max_connections")); err == nil && n < int(cfg.MaxConns)+sessionsBeside {
		e.warn("it takes %d connections, a node may use %d; set pool_max_conns in the store's URL", n, int(cfg.MaxConns)+sessionsBeside)
	}
	return nil
}

// sessionsBeside are a node's connections beside those of transactions: one
// tells, one listens.
const sessionsBeside = 2
