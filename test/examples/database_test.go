package examples_test

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	server "github.com/mayfly-cloud/mayfly/test/database"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// database is a PostgreSQL server of the test's own, with a database and a role
// called shop for functions, which have to know the password.
type database struct {
	*server.Server
	t *testing.T
}

// startDatabase starts a server that ends with the test.
func startDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{server.Start(t), t}
	d.Must(t, "postgres", "CREATE ROLE shop LOGIN PASSWORD 'secret'")
	d.Must(t, "postgres", "CREATE DATABASE shop OWNER shop")
	return d
}

// connections are the server's processes behind the functions' connections, in
// order; waiting counts those that wait for a lock.
func (d *database) connections() (pids []int, waiting int) {
	d.t.Helper()
	for line := range strings.Lines(d.Must(d.t, "shop", "SELECT pid, wait_event_type = 'Lock' FROM pg_stat_activity WHERE usename = 'shop'")) {
		pid, state, _ := strings.Cut(strings.TrimSpace(line), "|")
		n, err := strconv.Atoi(pid)
		if err != nil {
			d.t.Fatal(err)
		}
		pids = append(pids, n)
		if state == "t" {
			waiting++
		}
	}
	slices.Sort(pids)
	return pids, waiting
}

// lock keeps all others from writing to a table until release is called.
func (d *database) lock(table string) (release func()) {
	d.t.Helper()
	session := d.Client("shop", "-v", "ON_ERROR_STOP=1")
	in, err := session.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		d.t.Fatal(err)
	}
	io.WriteString(in, "BEGIN; LOCK TABLE "+table+" IN EXCLUSIVE MODE;\n")
	release = func() {
		in.Close()
		session.Wait() // ending a session ends its lock, however it ends
	}
	d.t.Cleanup(release)
	node.Eventually(d.t, 20*time.Second, "the table is locked", func() bool {
		return d.Must(d.t, "shop", "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = '"+table+"'::regclass AND granted") == "1"
	})
	return release
}
