package worker_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// order keeps what happened, one after another.
type order struct {
	mu   sync.Mutex
	list []string
}

func (o *order) note(what string) {
	o.mu.Lock()
	o.list = append(o.list, what)
	o.mu.Unlock()
}

func (o *order) get() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.list)
}

// noting is a driver that notes which sandboxes begin to boot, by program, and
// which functions have been initialised.
func noting(o *order, boot, init time.Duration) *workertest.Driver {
	return &workertest.Driver{
		BootDelay: boot,
		Program: workertest.ServeAfter(func(g *workertest.Guest) error {
			g.Sleep(init)
			o.note(g.Init.FunctionName + " is ready")
			return nil
		}, workertest.Echo),
		Starting: func(s sandbox.Spec) { o.note(s.Args[0] + " boots") },
	}
}

// The pool boots nothing beside a start that a call waits for, though there are
// places for it.
func TestPoolWaitsForCalls(t *testing.T) {
	var o order
	n := start(t, noting(&o, 50*time.Millisecond, 50*time.Millisecond), pooled(worker.PoolConfig{}), func(c *worker.Config) { c.Starts = 4 })
	big := version("big") // of no shelf
	big.TmpMiB = 1024
	other := version("other")
	other.Runtime = "agent"
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.call(t, big, "1")
	}()
	eventually(t, "the call's sandbox boots", func() bool { return len(o.get()) == 1 })
	if err := n.Prime(other); err != nil { // due a millisecond later
		t.Fatal(err)
	}
	<-done
	eventually(t, "the pool has what was primed", func() bool { return n.PoolStatus()["agent agent"] == 1 })
	if got, want := o.get(), []string{"fake boots", "big is ready", "/var/mayfly/agent boots"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The pool leaves half of the places to calls that come while it boots.
func TestPoolTakesHalfOfThePlaces(t *testing.T) {
	var o order
	d := noting(&o, 30*time.Millisecond, 0)
	n := start(t, d, pooled(worker.PoolConfig{}), func(c *worker.Config) { c.Starts = 3 })
	other := version("other")
	other.Runtime = "agent"
	for _, v := range []*worker.Version{version("hello"), other} {
		if err := n.Prime(v); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both kinds are ready", func() bool { return n.PoolStatus()["fake"] == 1 && n.PoolStatus()["agent agent"] == 1 })
	if got := d.MostStarting(); got != 1 {
		t.Errorf("%d booted for the pool at once, want 1 of 3 places", got)
	}
}

// A call goes before what configuration wants.
func TestCallsGoBeforeProvisionedStarts(t *testing.T) {
	var o order
	d := noting(&o, 0, 0)
	first, open := make(chan struct{}), make(chan struct{})
	var once sync.Once
	d.Starting = func(s sandbox.Spec) {
		o.note(fmt.Sprint(s.Limits.MemoryBytes >> 20))
		once.Do(func() {
			close(first)
			<-open
		})
	}
	n := start(t, d, func(c *worker.Config) { c.Starts = 1 })
	if err := n.Provision(version("provisioned"), 3); err != nil {
		t.Fatal(err)
	}
	<-first
	called := version("called")
	called.MemoryMiB = 256
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.call(t, called, "1")
	}()
	eventually(t, "all have their code", func() bool { return n.code.Held.Load() == 4 })
	time.Sleep(50 * time.Millisecond) // for the step from there to the gate
	close(open)
	<-done
	eventually(t, "all are ready", func() bool { return n.Provisioned("provisioned-1").Available == 3 })
	boots := slices.DeleteFunc(o.get(), func(s string) bool { return strings.HasSuffix(s, "is ready") })
	if want := []string{"128", "256", "128", "128"}; !slices.Equal(boots, want) {
		t.Errorf("booted in the order %q, want %q: the call has 256 MiB", boots, want)
	}
}
