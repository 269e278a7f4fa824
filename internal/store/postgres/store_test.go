package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/postgres"
	"github.com/mayfly-cloud/mayfly/internal/store/storetest"
	"github.com/mayfly-cloud/mayfly/test/database"
)

// server is the database of all tests here; each has a schema of its own.
var server *database.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = database.Open(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// noLeaks checks at the end of a test that Close has ended every goroutine.
func noLeaks(t *testing.T) {
	here := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, here) })
}

var schemas atomic.Int64

// place makes an empty schema and gives its address.
func place(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", schemas.Add(1))
	server.Must(t, "postgres", "CREATE SCHEMA "+name)
	return server.URL("postgres") + "&search_path=" + url.QueryEscape(name)
}

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), postgres.Config{URL: url, Look: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	noLeaks(t)
	storetest.Run(t, func(t *testing.T) func() store.Store {
		url := place(t)
		return func() store.Store {
			s, err := postgres.Open(context.Background(), postgres.Config{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
}

// nodes is a store whose transactions go to several nodes in turn.
type nodes struct {
	store.Store // the first, for all that is one node's
	all         []store.Store
	next        atomic.Uint64
}

func (n *nodes) turn() store.Store { return n.all[n.next.Add(1)%uint64(len(n.all))] }

func (n *nodes) View(ctx context.Context, fn func(store.Reader) error) error {
	return n.turn().View(ctx, fn)
}

func (n *nodes) Update(ctx context.Context, fn func(store.Tx) error) error {
	return n.turn().Update(ctx, fn)
}

func (n *nodes) Close() error {
	var errs []error
	for _, s := range n.all {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// TestConformanceOfNodes: transactions of several nodes are as serial as one's.
func TestConformanceOfNodes(t *testing.T) {
	noLeaks(t)
	storetest.RunShared(t, func(t *testing.T) func() store.Store {
		url := place(t)
		return func() store.Store {
			n := &nodes{}
			for range 3 {
				n.all = append(n.all, open(t, url))
			}
			n.Store = n.all[0]
			return n
		}
	})
}
