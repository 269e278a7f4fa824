package examples_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// database is a PostgreSQL server of the test's own, with a database and a role
// called shop for functions. The test itself comes as the role postgres.
type database struct {
	t       *testing.T
	bin     string // where Debian keeps the programs
	address string // 127.0.0.1:PORT
	port    string
}

// startDatabase starts a server, as the user postgres where the test is root's:
// PostgreSQL does not run as root. It ends with the test.
func startDatabase(t *testing.T) *database {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		t.Fatalf("PostgreSQL is not installed: %v; run test/setup.sh first", err)
	}
	d := &database{t: t, bin: found[len(found)-1]}
	d.address = freeAddress(t)
	_, d.port, _ = net.SplitHostPort(d.address)
	dir, err := os.MkdirTemp("", "mayfly-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	who := d.owner(dir)
	d.run(d.command(who, "initdb", "-D", dir, "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions"))
	// Functions have to know the password; the test need not.
	d.write(filepath.Join(dir, "pg_hba.conf"), "host shop shop 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n")
	d.serve(d.command(who, "postgres", "-D", dir, "-k", dir, "-h", "127.0.0.1", "-p", d.port, "-F"))
	d.query("postgres", "CREATE ROLE shop LOGIN PASSWORD 'secret'")
	d.query("postgres", "CREATE DATABASE shop OWNER shop")
	return d
}

// owner gives the folder to who will run the server.
func (d *database) owner(dir string) *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		d.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		d.t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func (d *database) command(who *syscall.SysProcAttr, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(d.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = "/", who
	return cmd
}

func (d *database) run(cmd *exec.Cmd) string {
	d.t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		d.t.Fatalf("%s: %v\n%s", cmd, err, &errs)
	}
	return strings.TrimSpace(out.String())
}

func (d *database) serve(cmd *exec.Cmd) {
	d.t.Helper()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGINT) // ends its clients' sessions, then itself
		if err := cmd.Wait(); err != nil || d.t.Failed() {
			d.t.Logf("PostgreSQL ended with %v:\n%s", err, &log)
		}
	})
	node.Eventually(d.t, 30*time.Second, "PostgreSQL answers", func() bool {
		return d.command(nil, "pg_isready", "-q", "-h", "127.0.0.1", "-p", d.port, "-U", "postgres", "-d", "postgres").Run() == nil
	})
}

// client is psql on a database, without a statement yet.
func (d *database) client(name string, args ...string) *exec.Cmd {
	return d.command(nil, "psql", append([]string{"-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", d.port, "-U", "postgres", "-d", name}, args...)...)
}

func (d *database) query(name, statement string) string {
	d.t.Helper()
	return d.run(d.client(name, "-c", statement))
}

// connections are the server's processes behind the functions' connections, in
// order; waiting counts those that wait for a lock.
func (d *database) connections() (pids []int, waiting int) {
	d.t.Helper()
	for line := range strings.Lines(d.query("shop", "SELECT pid, wait_event_type = 'Lock' FROM pg_stat_activity WHERE usename = 'shop'")) {
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
	session := d.client("shop", "-v", "ON_ERROR_STOP=1")
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
		return d.query("shop", "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = '"+table+"'::regclass AND granted") == "1"
	})
	return release
}

func (d *database) write(path, content string) {
	d.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
