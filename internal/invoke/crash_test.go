package invoke_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// The machine loses its power in the middle of a thousand events: what was not
// synced is gone. Every event that was accepted is done by the next node, and
// metered once for each attempt that was settled.
func TestPowerCutLosesNoEvent(t *testing.T) {
	const events = 1000
	fs := vfs.NewCrashableMem()
	before := openStore(t, fs)
	c := start(t, workertest.Serve(workertest.Echo), func(cfg *invoke.Config) { cfg.Store = before })
	stop := c.run(t)

	var mu sync.Mutex
	accepted := map[string]bool{}
	var snapshot *vfs.MemFS
	var promised []string
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range events / 8 {
				rid := id.UUID()
				if err := c.InvokeAsync(t.Context(), invoke.Request{ID: rid, Function: "hello", Payload: []byte("1")}); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				accepted[rid] = true
				if len(accepted) == events/2 { // the power goes
					for a := range accepted {
						promised = append(promised, a)
					}
					snapshot = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	stop()
	if err := before.Close(); err != nil {
		t.Error(err)
	}

	after := openStore(t, snapshot)
	defer after.Close()
	metered, waiting := count(t, after, "meter"), count(t, after, "invoke", "event")
	t.Logf("at the power cut: %d accepted, %d done, %d waiting", len(promised), metered, waiting)
	next := start(t, workertest.Serve(workertest.Echo), func(cfg *invoke.Config) { cfg.Store = after })
	stop = next.run(t)
	defer stop()
	eventually(t, "every event is done", func() bool { return count(t, after, "invoke", "event") == 0 })
	err := after.View(t.Context(), func(r store.Reader) error {
		for _, rid := range promised {
			if _, err := r.Get(store.Key("meter", rid, 1)); err != nil {
				t.Errorf("event %s was accepted and not metered: %v", rid, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, twice := range append(c.meter.twice(), next.meter.twice()...) {
		t.Errorf("event %s was metered twice for one attempt", twice)
	}
}

// A node that stops leaves what it had claimed to another once its lease is over.
func TestAnotherNodeTakesOver(t *testing.T) {
	fs := vfs.NewMem()
	s := openStore(t, fs)
	defer s.Close()
	now := clock.NewManual(time.Now())
	hang := func(g *workertest.Guest, _ workertest.Call) ([]byte, error) {
		<-g.Killed
		return nil, nil
	}
	first := start(t, workertest.Serve(hang), func(cfg *invoke.Config) { cfg.Store, cfg.Clock, cfg.Node = s, now, "a" })
	stopFirst := first.run(t)
	eventually(t, "the first node works", func() bool { return count(t, s, "invoke", "node") == 1 })
	first.functions.change(func(t *invoke.Target) { t.Version.Timeout = time.Minute })
	first.event(t, "1")
	eventually(t, "the event is claimed", func() bool { return first.placement.Running(function) == 1 })
	// The first node is cut off: its call goes on, its lease is not renewed.
	now.Advance(2 * time.Minute)
	second := start(t, workertest.Serve(workertest.Echo), func(cfg *invoke.Config) { cfg.Store, cfg.Clock, cfg.Node = s, now, "b" })
	defer second.run(t)()
	eventually(t, "the second node has done it", func() bool { return count(t, s, "invoke", "event") == 0 })
	// What the first node says about it now counts for nothing.
	first.driver.Alive()[0].Kill()
	stopFirst()
	if n := count(t, s, "meter"); n != 1 {
		t.Errorf("metered %d times, want once", n)
	}
}

// What runs when the node stops is cut short after a while, and runs again
// without having been metered, whether the node's rooms close in order or not.
func TestStoppingNodeLeavesItsEventsForTheNextStart(t *testing.T) {
	for _, abrupt := range []bool{false, true} {
		s := openStore(t, vfs.NewMem())
		defer s.Close()
		running := make(chan struct{})
		c := start(t, workertest.Serve(func(g *workertest.Guest, _ workertest.Call) ([]byte, error) {
			close(running)
			<-g.Killed
			g.Conn.Close()
			return nil, nil
		}), func(cfg *invoke.Config) { cfg.Store, cfg.Drain = s, time.Millisecond })
		c.functions.change(func(t *invoke.Target) { t.Version.Timeout = time.Minute })
		stop := c.run(t)
		eventually(t, "the node works", func() bool { return count(t, s, "invoke", "node") == 1 })
		c.event(t, "1")
		<-running
		if abrupt {
			if err := c.worker.Close(); err != nil {
				t.Error(err)
			}
		}
		stop()
		if n := count(t, s, "meter"); n != 0 {
			t.Errorf("abrupt %v: metered %d times what was cut short", abrupt, n)
		}
		next := start(t, workertest.Serve(workertest.Echo), func(cfg *invoke.Config) { cfg.Store = s })
		stop = next.run(t)
		eventually(t, "it is done", func() bool { return count(t, s, "invoke", "event") == 0 })
		stop()
	}
}
