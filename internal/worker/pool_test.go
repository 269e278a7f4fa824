package worker_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

func pooled(c worker.PoolConfig) func(*worker.Config) {
	if c.Delay == 0 {
		c.Delay = time.Millisecond
	}
	return func(cfg *worker.Config) { cfg.Pool, cfg.IdleTimeout = c, 50*time.Millisecond }
}

func TestPoolServesColdCalls(t *testing.T) {
	n := start(t, echo(), pooled(worker.PoolConfig{}))
	if err := n.Prime(version("hello")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a member is ready and frozen", func() bool {
		return n.PoolStatus()["fake"] == 1 && n.driver.Alive()[0].Frozen()
	})
	member := n.driver.Alive()[0]
	out, kind := n.call(t, version("hello"), "1")
	if out.Status != "success" || kind != worker.Pooled {
		t.Errorf("%s %s", out.Payload, kind)
	}
	if got := member.Attached("/var/task"); got != "/code/c0de" {
		t.Errorf("attached %q", got)
	}
	limits := member.Limits()
	if got := limits[1].MemoryBytes; got != 128<<20 {
		t.Errorf("memory limit %d, want 128 MiB", got)
	}
	eventually(t, "calls get their share of CPU", func() bool {
		l := member.Limits()
		return l[len(l)-1].CPUs == 0.5
	})
	eventually(t, "the pool is refilled", func() bool { return n.PoolStatus()["fake"] >= 1 })
}

func TestPoolGrowsWithDemandAndEmptiesWhenIdle(t *testing.T) {
	n := start(t, echo(), pooled(worker.PoolConfig{Max: 3, IdleAfter: 100 * time.Millisecond}))
	for _, name := range []string{"a", "b", "c", "d"} {
		n.call(t, version(name), "1")
	}
	eventually(t, "more than one is kept", func() bool { return n.PoolStatus()["fake"] > 1 })
	eventually(t, "the node is empty again", func() bool { return len(n.driver.Alive()) == 0 && len(n.PoolStatus()) == 0 })
}

func TestSpecialSandboxesAreMadeToMeasure(t *testing.T) {
	n := start(t, echo(), pooled(worker.PoolConfig{}))
	v := version("big")
	v.TmpMiB = 1024
	if _, kind := n.call(t, v, "1"); kind != worker.Cold || n.driver.Specs()[0].TmpBytes != 1<<30 {
		t.Errorf("%s with /tmp of %d", kind, n.driver.Specs()[0].TmpBytes)
	}
	if got := len(n.PoolStatus()); got != 0 {
		t.Errorf("%d kinds in the pool", got)
	}
}

func TestAgentIsThePrograms(t *testing.T) {
	n := start(t, echo(), pooled(worker.PoolConfig{Max: -1}))
	custom, wrapped := version("custom"), version("wrapped")
	custom.Runtime = "agent"
	wrapped.Environment["START"] = "1"
	n.call(t, custom, "1")
	n.call(t, wrapped, "1")
	for _, s := range n.driver.Specs() {
		if s.Args[0] != "/var/mayfly/agent" || s.Mounts[0] != (sandbox.Mount{Host: "/agent", Inside: "/var/mayfly/agent"}) {
			t.Errorf("started %q with %v", s.Args, s.Mounts)
		}
	}
}

// Where sandboxes have no network, whatever runs in them is started by the agent,
// which leads the node's ports to it.
func TestSandboxesWithoutANetworkGetPorts(t *testing.T) {
	n := start(t, echo(), func(cfg *worker.Config) {
		cfg.Ports = worker.Ports{Dir: "/data/ports", Open: []uint16{4566, 5432}}
	})
	custom := version("custom")
	custom.Runtime = "agent"
	n.call(t, version("hello"), "1")
	n.call(t, custom, "1")
	for i, program := range []string{"fake", "/var/mayfly/agent"} {
		s := n.driver.Specs()[i]
		want := []string{"/var/mayfly/agent", "ports", "/var/mayfly/ports", "4566,5432", program}
		mounts := []sandbox.Mount{{Host: "/agent", Inside: "/var/mayfly/agent"}, {Host: "/data/ports", Inside: "/var/mayfly/ports"}}
		if !slices.Equal(s.Args, want) || !slices.Equal(s.Mounts, mounts) {
			t.Errorf("started %q with %v", s.Args, s.Mounts)
		}
	}
}

// A runtime that does not boot is tried ever more slowly by the pool, and its
// calls get the error.
func TestBrokenRuntimeDoesNotSpin(t *testing.T) {
	var starts atomic.Int64
	d := echo()
	d.StartErr = func(sandbox.Spec) error { starts.Add(1); return errors.New("broken") }
	n := start(t, d, pooled(worker.PoolConfig{}))
	if err := n.Prime(version("hello")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a first try", func() bool { return starts.Load() == 1 })
	time.Sleep(200 * time.Millisecond) // the first wait is a second
	if got := starts.Load(); got > 2 {
		t.Errorf("%d starts in 200 ms", got)
	}
	if _, err := n.Acquire(t.Context(), version("hello")); err == nil {
		t.Error("a call of a broken runtime was placed")
	}
}

func TestDeadMemberIsReplaced(t *testing.T) {
	n := start(t, echo(), pooled(worker.PoolConfig{}))
	if err := n.Prime(version("hello")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a member is ready", func() bool { return n.PoolStatus()["fake"] == 1 })
	n.driver.Alive()[0].Kill()
	eventually(t, "it is gone", func() bool { return len(n.driver.Alive()) == 0 })
	if out, _ := n.call(t, version("hello"), "1"); out.Status != "success" {
		t.Errorf("call: %s", out.Payload)
	}
}
