package database

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server. Its role postgres comes without a password, every
// other with one.
type Server struct {
	Address, Port string // 127.0.0.1:PORT, PORT

	bin string // where Debian keeps the programs
	dir string
	who *syscall.SysProcAttr
	cmd *exec.Cmd
	log string // file that the server writes to
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil || t.Failed() {
			t.Logf("PostgreSQL ended with %v:\n%s", err, s.said())
		}
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Open starts a server, as the user postgres where this is root: PostgreSQL does
// not run as root.
func Open() (*Server, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("PostgreSQL is not installed: %v; run test/setup.sh first", err)
	}
	s := &Server{bin: found[len(found)-1]}
	if s.dir, err = os.MkdirTemp("", "mayfly-postgres-"); err != nil {
		return nil, err
	}
	s.log = s.dir + ".log"
	err = errors.Join(s.choose(), s.own())
	if err == nil {
		err = run(s.as("initdb", "-D", s.dir, "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions"))
	}
	if err == nil {
		rules := "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
		err = os.WriteFile(filepath.Join(s.dir, "pg_hba.conf"), []byte(rules), 0o600)
	}
	if err == nil {
		err = s.Serve()
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// choose takes a free port.
func (s *Server) choose() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Address = l.Addr().String()
	_, s.Port, err = net.SplitHostPort(s.Address)
	return errors.Join(err, l.Close())
}

// own gives the folder to who will run the server.
func (s *Server) own() error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	s.who = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(s.dir, uid, gid)
}

// Command is one of PostgreSQL's programs.
func (s *Server) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = "/"
	return cmd
}

// as is a program run by who owns the server.
func (s *Server) as(name string, args ...string) *exec.Cmd {
	cmd := s.Command(name, args...)
	cmd.SysProcAttr = s.who
	return cmd
}

// Serve starts the server, again after Stop.
func (s *Server) Serve() error {
	s.cmd = s.as("postgres", "-D", s.dir, "-k", s.dir, "-h", "127.0.0.1", "-p", s.Port, "-F")
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := errors.Join(s.cmd.Start(), log.Close()); err != nil {
		return err
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if s.Command("pg_isready", "-q", "-h", "127.0.0.1", "-p", s.Port, "-U", "postgres", "-d", "postgres").Run() == nil {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("PostgreSQL does not answer:\n%s", s.said()), s.Stop())
}

// Stop ends its clients' sessions, then the server.
func (s *Server) Stop() error {
	s.cmd.Process.Signal(syscall.SIGINT)
	return s.cmd.Wait()
}

// Close stops the server and removes its folder.
func (s *Server) Close() error {
	return errors.Join(s.Stop(), s.remove())
}

func (s *Server) remove() error { return errors.Join(os.RemoveAll(s.dir), os.RemoveAll(s.log)) }

// said is what the server has printed.
func (s *Server) said() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Client is psql on a database, without a statement yet.
func (s *Server) Client(name string, args ...string) *exec.Cmd {
	return s.Command("psql", append([]string{"-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", s.Port, "-U", "postgres", "-d", name}, args...)...)
}

// Query runs a statement on a database and gives what it printed.
func (s *Server) Query(name, statement string) (string, error) {
	var out bytes.Buffer
	cmd := s.Client(name, "-v", "ON_ERROR_STOP=1", "-c", statement)
	cmd.Stdout = &out
	err := run(cmd)
	return strings.TrimSpace(out.String()), err
}

// Must is Query for a statement that has to succeed.
func (s *Server) Must(t testing.TB, name, statement string) string {
	t.Helper()
	out, err := s.Query(name, statement)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// URL is the address of a database, for the role postgres.
func (s *Server) URL(name string) string {
	return "postgres://postgres@" + s.Address + "/" + name + "?sslmode=disable"
}

func run(cmd *exec.Cmd) error {
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, &errs)
	}
	return nil
}
