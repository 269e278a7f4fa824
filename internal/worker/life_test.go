package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

func echo() *workertest.Driver {
	return &workertest.Driver{Program: workertest.Serve(workertest.Echo), Usage: sandbox.Usage{MemoryBytes: 20 << 20, MemoryPeak: 30 << 20}}
}

func TestIdleEnvironmentIsFrozenAndThaws(t *testing.T) {
	n := start(t, echo(), func(c *worker.Config) { c.FreezeAfter = 10 * time.Millisecond })
	v := version("hello")
	for range 3 {
		n.call(t, v, "1")
		eventually(t, "freeze", func() bool { return n.driver.Alive()[0].Frozen() })
	}
	if out, kind := n.call(t, v, "2"); string(out.Payload) != "2" || kind != worker.Warm || n.driver.Started() != 1 {
		t.Errorf("%s %s after a freeze, %d started", out.Payload, kind, n.driver.Started())
	}
}

func TestBackToBackCallsAreNotFrozen(t *testing.T) {
	n := start(t, echo(), func(c *worker.Config) { c.FreezeAfter = time.Second })
	for range 100 {
		n.call(t, version("hello"), "1")
	}
	if got := n.driver.Freezes(); got != 0 {
		t.Errorf("%d freezes", got)
	}
}

func TestIdleEnvironmentIsReaped(t *testing.T) {
	n := start(t, echo(), func(c *worker.Config) { c.IdleTimeout = 50 * time.Millisecond })
	n.call(t, version("hello"), "1")
	eventually(t, "the node is empty", func() bool { return len(n.driver.Alive()) == 0 && n.code.Held.Load() == 0 })
	if _, kind := n.call(t, version("hello"), "1"); kind != worker.Cold {
		t.Errorf("next call was %s", kind)
	}
}

func TestNewKeyRetiresTheOld(t *testing.T) {
	release := make(chan struct{})
	var once sync.Once
	n := start(t, &workertest.Driver{Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		if string(c.Payload) == "wait" {
			<-release
		}
		return []byte(g.Init.Env["MINE"]), nil
	})})
	defer once.Do(func() { close(release) })
	v1 := version("hello")
	n.call(t, v1, "1")
	done := make(chan worker.Outcome)
	go func() {
		out, _ := n.call(t, v1, "wait")
		done <- out
	}()
	eventually(t, "the old version is busy", func() bool { return n.Stats().Busy == 1 })
	v2 := version("hello")
	v2.Key, v2.Environment = "hello-2", map[string]string{"MINE": "2"}
	if out, kind := n.call(t, v2, "1"); string(out.Payload) != "2" || kind != worker.Cold {
		t.Errorf("new version: %s %s", out.Payload, kind)
	}
	once.Do(func() { close(release) })
	if out := <-done; string(out.Payload) != "1" {
		t.Errorf("the old version's call: %s %s", out.Status, out.Payload)
	}
	eventually(t, "only the new version is left", func() bool { return len(n.driver.Alive()) == 1 })
}

func TestRetireEndsAFunctionsEnvironments(t *testing.T) {
	n := start(t, echo())
	n.call(t, version("one"), "1")
	n.call(t, version("two"), "1")
	n.Retire(version("one").FunctionARN)
	eventually(t, "one of two is left", func() bool { return len(n.driver.Alive()) == 1 })
}

func TestEnvironmentThatDiesIdleIsNotUsed(t *testing.T) {
	n := start(t, echo())
	n.call(t, version("hello"), "1")
	n.driver.Alive()[0].Kill()
	eventually(t, "it is removed", func() bool { return len(n.driver.Alive()) == 0 })
	if out, kind := n.call(t, version("hello"), "1"); out.Status != "success" || kind != worker.Cold {
		t.Errorf("next call: %s %s", out.Status, kind)
	}
}

func TestCredentialsEndWithTheirEnvironment(t *testing.T) {
	n := start(t, echo(), func(c *worker.Config) {
		c.Credentials = workertest.Credentials{Expires: time.Now().Add(time.Minute)} // within a minute and the timeout
	})
	n.call(t, version("hello"), "1")
	if _, kind := n.call(t, version("hello"), "1"); kind != worker.Cold {
		t.Errorf("an environment with old credentials was used again: %s", kind)
	}
}

func TestCredentialsAreRevokedWithTheirEnvironment(t *testing.T) {
	revoked := make(chan worker.Keys, 1)
	n := start(t, echo(), func(c *worker.Config) {
		c.Credentials = workertest.Credentials{Revoked: func(k worker.Keys) { revoked <- k }}
	})
	n.call(t, version("hello"), "1")
	n.driver.Alive()[0].Kill()
	select {
	case k := <-revoked:
		if k.AccessKeyID != "ASIATEST" {
			t.Errorf("revoked %s", k.AccessKeyID)
		}
	case <-time.After(10 * time.Second):
		t.Error("the keys outlive their environment")
	}
}

// At the node's memory limit, what idles longest makes room.
func TestMemoryOfTheNodeGoesToWhoNeedsIt(t *testing.T) {
	n := start(t, echo(), func(c *worker.Config) { c.MemoryMiB = 100 }) // two environments of 45 MiB
	for _, name := range []string{"a", "b", "a", "c", "a"} {
		if out, _ := n.call(t, version(name), "1"); out.Status != "success" {
			t.Fatalf("%s: %s", name, out.Payload)
		}
	}
	eventually(t, "two are left", func() bool { return len(n.driver.Alive()) == 2 })
	if got := n.driver.Started(); got != 3 {
		t.Errorf("%d started: b should have made room for c, and a stayed", got)
	}
}

func TestBurst(t *testing.T) {
	const calls = 100
	n := start(t, &workertest.Driver{BootDelay: 10 * time.Millisecond, Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		g.Sleep(20 * time.Millisecond)
		return c.Payload, nil
	})}, func(c *worker.Config) { c.Starts = 4 })
	v := version("hello")
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			if out, _ := n.call(t, v, fmt.Sprint(i)); string(out.Payload) != fmt.Sprint(i) {
				t.Errorf("call %d: %s %s", i, out.Status, out.Payload)
			}
		})
	}
	wg.Wait()
	if got := n.driver.MostStarting(); got > 4 {
		t.Errorf("%d started at once, want at most 4", got)
	}
	if got := n.driver.Started(); got >= calls {
		t.Errorf("%d started for %d calls: freed environments took none of them", got, calls)
	}
	t.Logf("%d environments for %d calls", n.driver.Started(), calls)
}

func TestStartErrorsReachTheirCall(t *testing.T) {
	broken := errors.New("no more sandboxes")
	n := start(t, &workertest.Driver{Program: workertest.Serve(workertest.Echo), StartErr: func(sandbox.Spec) error { return broken }})
	if _, err := n.Acquire(t.Context(), version("hello")); !errors.Is(err, broken) {
		t.Errorf("Acquire: %v", err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(workertest.Echo), BootDelay: 50 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := n.Acquire(ctx, version("hello")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Acquire: %v", err)
	}
	// What was started for it serves the next.
	if _, kind := n.call(t, version("hello"), "1"); n.driver.Started() != 1 {
		t.Errorf("%d started, the last call was %s", n.driver.Started(), kind)
	}
}

// With extensions, the next call and the freeze wait until they are done; the
// caller does not.
func TestExtensionsFinishAfterTheAnswer(t *testing.T) {
	idle, said := make(chan struct{}, 1), make(chan string, 1)
	n := start(t, &workertest.Driver{Program: func(g *workertest.Guest) sandbox.Exit {
		if g.Hello() != nil || g.NextInit() != nil || g.Send(frame.Ready, []byte(`{"idle":true}`)) != nil {
			return sandbox.Exit{}
		}
		for {
			kind, body, err := g.Read()
			if err != nil {
				return sandbox.Exit{}
			}
			if kind == frame.Shutdown {
				said <- string(body)
				return sandbox.Exit{}
			}
			rid, _, _ := frame.CutID(body)
			_ = g.Send(frame.Result, []byte(rid), []byte("1"))
			<-idle
			_ = g.Send(frame.Idle)
		}
	}})
	v := version("extended")
	n.call(t, v, "1")
	if s := n.Stats(); s.Busy != 1 || s.Idle != 0 {
		t.Errorf("while extensions work: %+v", s)
	}
	idle <- struct{}{}
	eventually(t, "idle", func() bool { return n.Stats().Idle == 1 })
	idle <- struct{}{}
	if _, kind := n.call(t, v, "1"); kind != worker.Warm {
		t.Errorf("second call: %s", kind)
	}
	eventually(t, "idle again", func() bool { return n.Stats().Idle == 1 })
	n.Retire(v.FunctionARN)
	if got := <-said; got != `{"reason":"spindown","timeoutMs":2000}` {
		t.Errorf("shutdown %s", got)
	}
}

func TestProvisionedConcurrency(t *testing.T) {
	n := start(t, echo(), func(c *worker.Config) { c.IdleTimeout = 20 * time.Millisecond })
	v := version("hello")
	ready := func(want int) func() bool {
		return func() bool { s := n.Provisioned(v.Key); return s.Allocated == want && s.Available == want }
	}
	if err := n.Provision(v, 3); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three are ready", ready(3))
	if _, kind := n.call(t, v, "1"); kind != worker.Provisioned {
		t.Errorf("a call got a %s environment", kind)
	}
	time.Sleep(60 * time.Millisecond) // three idle timeouts
	if !ready(3)() {
		t.Errorf("after a while: %+v", n.Provisioned(v.Key))
	}
	n.driver.Alive()[0].Kill()
	eventually(t, "the dead one is replaced", func() bool { return n.driver.Started() == 4 && ready(3)() })
	if err := n.Provision(v, 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "one is left", func() bool { return ready(1)() && len(n.driver.Alive()) == 1 })
	if err := n.Provision(v, 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "none is left", func() bool { return len(n.driver.Alive()) == 0 })
}
