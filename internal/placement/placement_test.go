package placement_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/placement"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, limit, reserved int) *placement.Placement {
	t.Helper()
	w, err := worker.New(worker.Config{
		Driver: &workertest.Driver{Program: workertest.Serve(workertest.Echo)}, Runtimes: workertest.Runtimes{}, Code: &workertest.Code{},
		Credentials: workertest.Credentials{}, Logs: &workertest.Logs{}, Pool: worker.PoolConfig{Max: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return placement.New(placement.Config{Node: w, AccountLimit: limit, Reserved: func(string) int { return reserved }})
}

func version(name, account string) *worker.Version {
	return &worker.Version{
		Key: account + name, FunctionARN: "arn:aws:lambda:us-east-1:" + account + ":function:" + name, Name: name, Number: "$LATEST",
		Account: account, Region: "us-east-1", Runtime: "fake", MemoryMiB: 128, Timeout: time.Second, LogGroup: "g",
	}
}

// refused is the reason of a refusal; "" for none.
func refused(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != "TooManyRequestsException" || f.Status != 429 || f.Message != "Rate Exceeded." {
		t.Fatalf("refused with %v", err)
	}
	return f.Fields["Reason"]
}

func TestLimits(t *testing.T) {
	const none = -1
	p := start(t, 5, 2) // three shared by functions without a reservation
	type call struct {
		name, account string
		reserved      int
		want          string
	}
	var held []func()
	for _, c := range []call{
		{"a", "1", none, ""}, {"a", "1", none, ""}, {"b", "1", none, ""}, {"b", "1", none, placement.ReasonAccount},
		{"b", "2", none, ""},
		{"r", "1", 2, ""}, {"r", "1", 2, ""}, {"r", "1", 2, placement.ReasonReserved},
		{"off", "1", 0, placement.ReasonReserved},
	} {
		v := version(c.name, c.account)
		e, err := p.Acquire(t.Context(), v, c.reserved)
		if got := refused(t, err); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
		if err == nil {
			held = append(held, func() { p.Release(e, v, c.reserved) })
		}
	}
	for _, release := range held {
		release()
	}
	e, err := p.Acquire(t.Context(), version("b", "1"), none)
	if err != nil {
		t.Fatalf("after all were given back: %v", err)
	}
	p.Release(e, version("b", "1"), none)
	if n := p.Running(version("b", "1").FunctionARN); n != 0 {
		t.Errorf("%d running at the end", n)
	}
}

func TestFailedStartGivesItsPlaceBack(t *testing.T) {
	p := start(t, 1, 0)
	bad := version("bad", "1")
	bad.Runtime = "none"
	for range 3 {
		if _, err := p.Acquire(t.Context(), bad, -1); err == nil || fault.Is(err, "TooManyRequestsException") {
			t.Errorf("Acquire: %v", err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Acquire(ended, version("good", "1"), -1); !errors.Is(err, context.Canceled) {
		t.Errorf("Acquire after the caller left: %v", err)
	}
	if n := p.Running(bad.FunctionARN); n != 0 {
		t.Errorf("%d running", n)
	}
}

func TestLimitHoldsUnderContention(t *testing.T) {
	const limit = 3
	p := start(t, limit, 0)
	v := version("hello", "1")
	var wg sync.WaitGroup
	var mu sync.Mutex
	running, most, refusals := 0, 0, 0
	for range 32 {
		wg.Go(func() {
			e, err := p.Acquire(t.Context(), v, -1)
			mu.Lock()
			if err != nil {
				refusals++
				mu.Unlock()
				return
			}
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			running--
			mu.Unlock()
			p.Release(e, v, -1)
		})
	}
	wg.Wait()
	if most > limit || refusals == 0 {
		t.Errorf("%d ran at once, %d refused", most, refusals)
	}
}
