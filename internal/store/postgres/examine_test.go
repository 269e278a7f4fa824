package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/store/postgres"
)

// TestDurableWhateverTheDefault: a reply means durable also where the server's
// default is not, and a stronger default stays.
func TestDurableWhateverTheDefault(t *testing.T) {
	server.Must(t, "postgres", "CREATE DATABASE lax")
	for setting, want := range map[string]string{"off": "on", "local": "on", "remote_write": "on", "on": "on", "remote_apply": "remote_apply"} {
		server.Must(t, "postgres", "ALTER DATABASE lax SET synchronous_commit = "+setting)
		var got string
		if err := sessions(t, server.URL("lax")).QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("default %s: %s, want %s", setting, got, want)
		}
	}
}

func TestExamine(t *testing.T) {
	r, err := postgres.Examine(t.Context(), place(t))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Version, "PostgreSQL ") || !strings.Contains(r.Place, server.Port) {
		t.Errorf("report %+v", r)
	}
	want := []string{"the server runs with fsync = off: a crash of its machine loses what was acknowledged"}
	if diff := cmp.Diff(want, r.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestPrivileges: a role that may make no tables can use one that is there, and is
// told what it lacks otherwise.
func TestPrivileges(t *testing.T) {
	noLeaks(t)
	server.Must(t, "postgres", "CREATE ROLE guest LOGIN PASSWORD 'secret'")
	server.Must(t, "postgres", "CREATE DATABASE house")
	server.Must(t, "house", "REVOKE CREATE ON SCHEMA public FROM public")
	guest := strings.Replace(server.URL("house"), "postgres@", "guest:secret@", 1)
	refused := func(want string) {
		t.Helper()
		if _, err := postgres.Examine(t.Context(), guest); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Examine: %v, want %s", err, want)
		}
	}
	refused("may not make the table mayfly_store: grant it CREATE")
	if s, err := postgres.Open(context.Background(), postgres.Config{URL: guest}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Open: %v", err)
		if err == nil {
			s.Close()
		}
	}
	open(t, server.URL("house")).Close()
	refused("may not read and write the table mayfly_store: grant it SELECT")
	server.Must(t, "house", "GRANT SELECT, INSERT, UPDATE, DELETE ON mayfly_store TO guest")
	if _, err := postgres.Examine(t.Context(), guest); err != nil {
		t.Error(err)
	}
	s := open(t, guest)
	defer s.Close()
	set(t, s, "k", "v")
}

func TestWrongPasswordIsNotRepeated(t *testing.T) {
	server.Must(t, "postgres", "CREATE ROLE known LOGIN PASSWORD 'right'")
	url := strings.Replace(server.URL("postgres"), "postgres@", "known:mistaken@", 1)
	for name, try := range map[string]func() error{
		"examine": func() error { _, err := postgres.Examine(t.Context(), url); return err },
		"open":    func() error { _, err := postgres.Open(t.Context(), postgres.Config{URL: url}); return err },
	} {
		if err := try(); err == nil || strings.Contains(err.Error(), "mistaken") || !strings.Contains(err.Error(), "authentication") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
