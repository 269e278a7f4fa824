package invoke_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// fullStore is a store whose disk may be full.
type fullStore struct {
	store.Store
	full atomic.Bool
}

func (s *fullStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.full.Load() {
		return store.ErrFull
	}
	return s.Store.Update(ctx, fn)
}

// lines is a log that counts.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func startOnDisk(t *testing.T, full bool, h workertest.Handler) (*eventCloud, *fullStore, *lines) {
	t.Helper()
	disk, log := &fullStore{}, &lines{}
	disk.full.Store(full)
	c := startAsync(t, workertest.Serve(h), func(cfg *invoke.Config) {
		disk.Store, cfg.Store, cfg.Log = cfg.Store, disk, slog.New(slog.NewTextHandler(log, nil))
	})
	return c, disk, log
}

// Events that are due on a full disk wait for space without keeping the node busy.
func TestFullDiskIsTriedOnceASecond(t *testing.T) {
	var runs atomic.Int64
	c, disk, log := startOnDisk(t, false, func(*workertest.Guest, workertest.Call) ([]byte, error) {
		if runs.Add(1) == 1 {
			return nil, workertest.Error{Type: "Error", Message: "later"}
		}
		return []byte(`1`), nil
	})
	c.event(t, `1`)
	eventually(t, "the first attempt is settled", func() bool {
		return runs.Load() == 1 && count(t, c.store, "invoke", "claimed") == 0
	})
	disk.full.Store(true)
	c.clock.Advance(time.Minute)
	const claims = "asynchronous events could not be claimed"
	eventually(t, "the full disk is met", func() bool { return log.count(claims) > 0 })
	time.Sleep(300 * time.Millisecond) // the next attempt is a second later
	if n := log.count(claims); n > 1 {
		t.Errorf("%d attempts within 300 ms", n)
	}
	disk.full.Store(false)
	eventually(t, "the event is done", func() bool { return count(t, c.store, "invoke", "event") == 0 })
}

// A node that starts on a full disk works on events as soon as there is space.
func TestStartOnAFullDisk(t *testing.T) {
	c, disk, log := startOnDisk(t, true, workertest.Echo)
	eventually(t, "the full disk is met", func() bool { return log.count("asynchronous events wait for space") > 0 })
	disk.full.Store(false)
	c.event(t, `1`)
	eventually(t, "the event is done", func() bool { return count(t, c.store, "invoke", "event") == 0 })
}
