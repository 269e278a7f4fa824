package invoke_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/placement"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const function = "arn:aws:lambda:us-east-1:123456789012:function:hello"

// functions knows one function, which a test may change.
type functions struct {
	mu     sync.Mutex
	target invoke.Target
	err    error
}

func (f *functions) Resolve(context.Context, string, string) (invoke.Target, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.target, f.err
}

func (f *functions) change(set func(*invoke.Target)) {
	f.mu.Lock()
	set(&f.target)
	f.mu.Unlock()
}

// meter keeps what is metered.
type meter struct {
	mu      sync.Mutex
	list    []invoke.Usage
	doubles []string
}

func (m *meter) Record(u invoke.Usage) {
	m.mu.Lock()
	m.list = append(m.list, u)
	m.mu.Unlock()
}

func (m *meter) RecordTx(tx store.Tx, u invoke.Usage) error {
	key := store.Key("meter", u.RequestID, u.Attempt)
	if _, err := tx.Get(key); err == nil {
		m.mu.Lock()
		m.doubles = append(m.doubles, u.RequestID)
		m.mu.Unlock()
	}
	return tx.Set(key, []byte("1"))
}

// twice lists the events that were metered again for an attempt.
func (m *meter) twice() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.doubles
}

// cloud is an Invoker over the fake driver.
type cloud struct {
	*invoke.Invoker
	functions *functions
	meter     *meter
	logs      *workertest.Logs
	driver    *workertest.Driver
	worker    *worker.Worker
	placement *placement.Placement
}

func start(t testing.TB, program workertest.Program, set ...func(*invoke.Config)) *cloud {
	t.Helper()
	c := &cloud{meter: &meter{}, logs: &workertest.Logs{}, driver: &workertest.Driver{Program: program}}
	w, err := worker.New(worker.Config{
		Driver: c.driver, Runtimes: workertest.Runtimes{}, Code: &workertest.Code{},
		Credentials: workertest.Credentials{}, Logs: c.logs, Pool: worker.PoolConfig{Max: -1},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.worker = w
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	c.functions = &functions{target: invoke.Target{
		Version: worker.Version{
			Key: "hello-1", FunctionARN: function, Name: "hello", Number: "$LATEST", Account: "123456789012", Region: "us-east-1",
			Runtime: "fake", Handler: "index.handler", Architecture: "x86_64", Code: "c0de", MemoryMiB: 128, TmpMiB: 512,
			Timeout: 3 * time.Second, LogGroup: "/aws/lambda/hello", LogFormat: "Text",
		},
		InvokedARN: function, Reserved: -1,
		Async: invoke.AsyncConfig{MaxAge: 6 * time.Hour, MaxRetries: 2},
	}}
	c.placement = placement.New(placement.Config{Node: w})
	cfg := invoke.Config{Functions: c.functions, Placement: c.placement, Meter: c.meter, Log: slog.New(slog.DiscardHandler)}
	for _, f := range set {
		f(&cfg)
	}
	if c.Invoker, err = invoke.New(cfg); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) call(t testing.TB, payload string) *invoke.Response {
	t.Helper()
	resp, err := c.Invoke(t.Context(), invoke.Request{ID: id.UUID(), Function: "hello", Payload: []byte(payload)})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestCallIsAnsweredAndMetered(t *testing.T) {
	c := start(t, workertest.Serve(workertest.Echo))
	resp := c.call(t, `{"n":1}`)
	if string(resp.Payload) != `{"n":1}` || resp.FunctionError != "" || resp.Version != "$LATEST" {
		t.Errorf("response %+v", resp)
	}
	if r := resp.Report; r.Start != invoke.Cold || r.Sandbox == 0 || r.UserInit == 0 || r.BilledDuration%time.Millisecond != 0 {
		t.Errorf("report %+v", r)
	}
	if len(c.meter.list) != 1 || c.meter.list[0].Billed != resp.Report.BilledDuration {
		t.Errorf("metered %+v", c.meter.list)
	}
	if r := c.call(t, `{"n":2}`).Report; r.Start != invoke.Warm || r.UserInit != 0 {
		t.Errorf("second report %+v", r)
	}
}

func TestBadPayloadsAreRefused(t *testing.T) {
	c := start(t, workertest.Serve(workertest.Echo))
	for _, tt := range []struct{ name, payload, code string }{
		{"not JSON", "{", "InvalidRequestContentException"},
		{"too large", string(make([]byte, invoke.MaxPayload+1)), "RequestTooLargeException"},
	} {
		_, err := c.Invoke(t.Context(), invoke.Request{Function: "hello", Payload: []byte(tt.payload)})
		if !fault.Is(err, tt.code) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
	}
	if n := c.driver.Started(); n != 0 {
		t.Errorf("%d sandboxes started for nothing", n)
	}
}
