package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/postgres"
)

func signalled(c <-chan struct{}, limit time.Duration) bool {
	select {
	case <-c:
		return true
	case <-time.After(limit):
		return false
	}
}

func set(t testing.TB, s store.Store, key, value string) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Set([]byte(key), []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

// TestOtherNodesHear: what one node commits, watchers of another learn, soon and by
// its name.
func TestOtherNodesHear(t *testing.T) {
	noLeaks(t)
	url := place(t)
	cfg := postgres.Config{URL: url, Look: time.Hour}
	var nodes [2]*postgres.Store
	for i := range nodes {
		s, err := postgres.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		nodes[i] = s
	}
	mine, stop := nodes[1].Watch([]byte("q/1/"))
	defer stop()
	other, stopOther := nodes[1].Watch([]byte("q/2/"))
	defer stopOther()
	steps := map[string]func(store.Tx) error{
		"a key":       func(tx store.Tx) error { return tx.Set([]byte("q/1/a"), nil) },
		"after reads": func(tx store.Tx) error { tx.Get([]byte("x")); return tx.Set([]byte("q/1/a"), nil) },
		"a deletion":  func(tx store.Tx) error { return tx.Delete([]byte("q/1/a")) },
		"a range":     func(tx store.Tx) error { return tx.DeleteRange([]byte("q/1/a"), []byte("q/1/b")) },
	}
	for name, do := range steps {
		if err := nodes[0].Update(t.Context(), do); err != nil {
			t.Fatal(err)
		}
		if !signalled(mine, 10*time.Second) {
			t.Errorf("%s: no signal", name)
		}
	}
	if signalled(other, 0) {
		t.Error("a signal for what was not changed")
	}
	set(t, nodes[0], "q/2/a", "x")
	if !signalled(other, 10*time.Second) {
		t.Error("no signal for the other")
	}
	if signalled(mine, 0) {
		t.Error("a signal for what the other watches")
	}
}

// TestLooks: a commit that nobody told of is noticed.
func TestLooks(t *testing.T) {
	noLeaks(t)
	url := place(t)
	s := open(t, url)
	defer s.Close()
	changed, stop := s.Watch([]byte("k"))
	defer stop()
	for signalled(changed, 0) {
	}
	schema := url[strings.LastIndex(url, "=")+1:]
	server.Must(t, "postgres", "INSERT INTO "+schema+".mayfly_store VALUES ('k', 'v')")
	if !signalled(changed, 10*time.Second) {
		t.Error("the commit was never noticed")
	}
}

// end ends sessions of the stores in a schema, as an administrator would.
func end(t testing.TB, where string) {
	t.Helper()
	server.Must(t, "postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'mayfly' AND "+where)
}

// TestLostConnections ends sessions at random under a load of increments: what was
// acknowledged counted once, and what failed says that it may have counted.
func TestLostConnections(t *testing.T) {
	noLeaks(t)
	s := open(t, place(t))
	defer s.Close()
	const workers, each = 6, 60
	ctx, done := context.WithCancel(t.Context())
	var wg, ender sync.WaitGroup
	ender.Go(func() {
		for ctx.Err() == nil {
			end(t, "random() < 0.4")
			time.Sleep(30 * time.Millisecond)
		}
	})
	var mu sync.Mutex
	acked, unknown := 0, 0
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				err := s.Update(ctx, func(tx store.Tx) error {
					v, err := tx.Get([]byte("n"))
					if err != nil && !errors.Is(err, store.ErrNotFound) {
						return err
					}
					n, _ := strconv.Atoi(string(v))
					if err := tx.Set(fmt.Appendf(nil, "done/%d/%d", w, i), nil); err != nil {
						return err
					}
					return tx.Set([]byte("n"), strconv.AppendInt(nil, int64(n+1), 10))
				})
				mu.Lock()
				switch {
				case err == nil:
					acked++
				case strings.Contains(err.Error(), "whether this was written is not known"):
					unknown++
				default:
					t.Errorf("update: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	done()
	ender.Wait()
	rows, n := 0, 0
	err := s.View(t.Context(), func(r store.Reader) error {
		for p, err := range r.Scan(store.Prefix([]byte("done/"))) {
			if err != nil {
				return err
			}
			_ = p
			rows++
		}
		v, err := r.Get([]byte("n"))
		n, _ = strconv.Atoi(string(v))
		return err
	})
	if err != nil || n != rows || n < acked || n > acked+unknown {
		t.Errorf("counted %d, with %d rows; %d were acknowledged, %d not known; %v", n, rows, acked, unknown, err)
	}
	t.Logf("%d acknowledged, %d not known", acked, unknown)
}

// TestViewOutlivesItsConnection: a View goes on in another transaction if what it
// has read is still so, and says so if not.
func TestViewOutlivesItsConnection(t *testing.T) {
	noLeaks(t)
	url := place(t)
	s := open(t, url)
	defer s.Close()
	set(t, s, "a", "1")
	set(t, s, "b", "1")
	for _, change := range []bool{false, true} {
		err := s.View(t.Context(), func(r store.Reader) error {
			if _, err := r.Get([]byte("a")); err != nil {
				return err
			}
			end(t, "state = 'idle in transaction'")
			set(t, s, "b", "2")
			if change {
				set(t, s, "a", "2")
			}
			v, err := r.Get([]byte("b"))
			if err == nil && string(v) != "2" {
				t.Errorf("b = %s, not of the snapshot that was begun anew", v)
			}
			return err
		})
		if change != errors.Is(err, store.ErrConflict) || !change && err != nil {
			t.Errorf("with a change %v: %v", change, err)
		}
	}
}

// TestRestart: transactions wait for a server that restarts, and watchers are told
// that they may have missed something.
func TestRestart(t *testing.T) {
	noLeaks(t)
	s := open(t, place(t))
	defer s.Close()
	set(t, s, "k", "before")
	changed, stop := s.Watch([]byte("other"))
	defer stop()
	for signalled(changed, 0) {
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	go func() {
		done <- s.Update(t.Context(), func(tx store.Tx) error {
			v, err := tx.Get([]byte("k"))
			if err != nil {
				return err
			}
			return tx.Set([]byte("read"), v)
		})
	}()
	go func() {
		done <- s.Update(t.Context(), func(tx store.Tx) error { return tx.Set([]byte("blind"), []byte("x")) })
	}()
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("an Update over a restart: %v", err)
		}
	}
	if !signalled(changed, 10*time.Second) {
		t.Error("the watcher was not woken")
	}
}

// TestContextEndsAWait: who waits for another's lock leaves when its context ends.
func TestContextEndsAWait(t *testing.T) {
	noLeaks(t)
	url := place(t)
	s := open(t, url)
	defer s.Close()
	set(t, s, "k", "v")
	pool := sessions(t, url)
	lock, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback(context.Background())
	if _, err := lock.Exec(t.Context(), "SELECT FROM mayfly_store FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	for name, fn := range map[string]func(store.Tx) error{
		"blind":       func(tx store.Tx) error { return tx.Set([]byte("k"), []byte("2")) },
		"after reads": func(tx store.Tx) error { tx.Get([]byte("k")); return tx.Set([]byte("k"), []byte("2")) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		err := s.Update(ctx, fn)
		if cancel(); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(began))
		}
	}
}

// sessions is a pool of connections as a store makes them.
func sessions(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	cfg, err := postgres.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
