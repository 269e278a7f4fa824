package invoke_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// destinations keeps what is delivered, or refuses it.
type destinations struct {
	mu   sync.Mutex
	got  []delivered
	err  error
	seen int
}

type delivered struct {
	target, body string
	attributes   map[string]string
}

func (d *destinations) Deliver(_ context.Context, _ invoke.Sender, arn string, body []byte, attributes map[string]string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen++
	if d.err == nil {
		d.got = append(d.got, delivered{arn, string(body), attributes})
	}
	return d.err
}

func (d *destinations) all() []delivered {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]delivered(nil), d.got...)
}

// eventCloud is a cloud with a store and a clock, its Run running.
type eventCloud struct {
	*cloud
	store store.Store
	clock *clock.Manual
	dest  *destinations
	stop  func()
}

func openStore(t testing.TB, fs vfs.FS) store.Store {
	t.Helper()
	s, err := pebble.Open(context.Background(), pebble.Config{Dir: "data", FS: fs, Reserve: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func startAsync(t *testing.T, program workertest.Program, set ...func(*invoke.Config)) *eventCloud {
	t.Helper()
	c := &eventCloud{store: openStore(t, vfs.NewMem()), clock: clock.NewManual(time.Now()), dest: &destinations{}}
	t.Cleanup(func() { c.store.Close() })
	c.cloud = start(t, program, append([]func(*invoke.Config){func(cfg *invoke.Config) {
		cfg.Store, cfg.Clock, cfg.Destinations, cfg.Look = c.store, c.clock, c.dest, 2*time.Millisecond
	}}, set...)...)
	c.stop = c.run(t)
	t.Cleanup(func() { c.stop() })
	return c
}

// run starts Run; what it returns stops it.
func (c *cloud) run(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func (c *cloud) event(t testing.TB, payload string) string {
	t.Helper()
	rid := id.UUID()
	if err := c.InvokeAsync(t.Context(), invoke.Request{ID: rid, Function: "hello", Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
	return rid
}

// count counts the keys under a prefix.
func count(t testing.TB, s store.Store, parts ...any) int {
	t.Helper()
	n := 0
	err := s.View(context.Background(), func(r store.Reader) error {
		for _, err := range r.Scan(store.Prefix(store.Key(parts...))) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func TestEventRunsOnce(t *testing.T) {
	c := startAsync(t, workertest.Serve(workertest.Echo))
	c.event(t, `{"n":1}`)
	eventually(t, "the event is done", func() bool { return count(t, c.store, "invoke", "event") == 0 })
	if n := count(t, c.store, "meter"); n != 1 {
		t.Errorf("metered %d times, want once", n)
	}
	for _, what := range []string{"payload", "due", "claimed", "outbox"} {
		if n := count(t, c.store, "invoke", what); n != 0 {
			t.Errorf("%d keys of %s left", n, what)
		}
	}
}

func TestFailedEventIsRetriedAfterOneAndTwoMinutes(t *testing.T) {
	var mu sync.Mutex
	var runs []time.Time
	var c *eventCloud
	ready := make(chan struct{})
	c = startAsync(t, workertest.Serve(func(*workertest.Guest, workertest.Call) ([]byte, error) {
		<-ready
		mu.Lock()
		defer mu.Unlock()
		runs = append(runs, c.clock.Now())
		return nil, workertest.Error{Type: "Boom", Message: "no luck"}
	}))
	close(ready)
	c.functions.change(func(t *invoke.Target) {
		t.Async.OnFailure, t.Async.DeadLetter = "arn:aws:sqs:::failed", "arn:aws:sqs:::dead"
	})
	began := c.clock.Now()
	rid := c.event(t, `{"a":"<b>"}`)
	ran := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(runs) == n && count(t, c.store, "invoke", "claimed") == 0
		}
	}
	eventually(t, "first attempt", ran(1))
	c.clock.Advance(59 * time.Second)
	time.Sleep(20 * time.Millisecond) // ten looks at the clock
	if !ran(1)() {
		t.Fatal("the retry came before a minute was over")
	}
	c.clock.Advance(time.Second)
	eventually(t, "second attempt", ran(2))
	c.clock.Advance(2 * time.Minute)
	eventually(t, "third attempt", ran(3))
	eventually(t, "deliveries", func() bool { return len(c.dest.all()) == 2 })
	if n := count(t, c.store, "meter"); n != 3 {
		t.Errorf("metered %d attempts, want 3", n)
	}
	if got := runs[2].Sub(began); got != 3*time.Minute {
		t.Errorf("last attempt after %s, want 3m", got)
	}
	dead, failed := c.dest.all()[0], c.dest.all()[1]
	if dead.target != "arn:aws:sqs:::dead" { // there is no order between them
		dead, failed = failed, dead
	}
	want := delivered{"arn:aws:sqs:::dead", `{"a":"<b>"}`, map[string]string{"RequestID": rid, "ErrorCode": "200", "ErrorMessage": "no luck"}}
	if diff := cmp.Diff(want, dead, cmp.AllowUnexported(delivered{})); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
	wantRecord := fmt.Sprintf(`{"version":"1.0","timestamp":%q,"requestContext":{"requestId":%q,"functionArn":"%s:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},`+
		`"requestPayload":{"a":"<b>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},`+
		`"responsePayload":{"errorMessage":"no luck","errorType":"Boom"}}`, c.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), rid, function)
	if diff := cmp.Diff(wantRecord, failed.body); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestSuccessGoesToItsDestination(t *testing.T) {
	c := startAsync(t, workertest.Serve(workertest.Echo))
	c.functions.change(func(t *invoke.Target) { t.Async.OnSuccess = "arn:aws:sqs:::ok" })
	c.event(t, `[1]`)
	eventually(t, "delivery", func() bool { return len(c.dest.all()) == 1 })
	var got struct {
		RequestContext  struct{ Condition string }
		ResponsePayload json.RawMessage
	}
	if err := json.Unmarshal([]byte(c.dest.all()[0].body), &got); err != nil || got.RequestContext.Condition != "Success" || string(got.ResponsePayload) != "[1]" {
		t.Errorf("record %+v, %v", got, err)
	}
}

func TestUndeliverableRecordIsKept(t *testing.T) {
	c := startAsync(t, workertest.Serve(workertest.Echo))
	c.dest.err = errors.New("no such queue")
	c.functions.change(func(t *invoke.Target) { t.Async.OnSuccess = "arn:aws:sqs:::gone" })
	c.event(t, `1`)
	eventually(t, "the record is kept", func() bool {
		c.clock.Advance(time.Minute)
		return count(t, c.store, "invoke", "lost") == 1
	})
	if n := count(t, c.store, "invoke", "outbox"); n != 0 || c.dest.seen != 12 {
		t.Errorf("%d left in the outbox after %d attempts, want 0 after 12", n, c.dest.seen)
	}
}

func TestThrottledEventWaitsAndRuns(t *testing.T) {
	gate := make(chan struct{})
	c := startAsync(t, workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		select {
		case <-gate:
		case <-g.Killed:
		}
		return c.Payload, nil
	}))
	c.functions.change(func(t *invoke.Target) { t.Reserved = 1 })
	c.event(t, `1`)
	c.event(t, `2`)
	eventually(t, "one runs, one waits", func() bool {
		return c.placement.Running(function) == 1 && count(t, c.store, "invoke", "due") == 1
	})
	close(gate)
	eventually(t, "both are done", func() bool {
		c.clock.Advance(time.Second)
		return count(t, c.store, "invoke", "event") == 0
	})
	if n := count(t, c.store, "meter"); n != 2 {
		t.Errorf("metered %d, want 2: what was throttled did not run", n)
	}
}

func TestEventThatCannotRunGrowsTooOld(t *testing.T) {
	c := startAsync(t, workertest.Serve(workertest.Echo))
	c.functions.change(func(t *invoke.Target) {
		t.Version.Runtime, t.Async.OnFailure, t.Async.MaxAge = "none", "arn:aws:sqs:::failed", time.Hour
	})
	c.event(t, `1`)
	eventually(t, "the event is given up", func() bool {
		c.clock.Advance(time.Minute)
		return len(c.dest.all()) == 1
	})
	var got struct{ RequestContext struct{ Condition string } }
	if err := json.Unmarshal([]byte(c.dest.all()[0].body), &got); err != nil || got.RequestContext.Condition != "EventAgeExceeded" {
		t.Errorf("record %+v, %v", got, err)
	}
}

func TestAsyncRefusals(t *testing.T) {
	c := startAsync(t, workertest.Serve(workertest.Echo))
	big, _ := json.Marshal(string(make([]byte, invoke.MaxEventPayload)))
	for _, tt := range []struct {
		name, payload, code string
	}{{"not JSON", "nope", "InvalidRequestContentException"}, {"too large", string(big), "RequestTooLargeException"}} {
		err := c.InvokeAsync(t.Context(), invoke.Request{Function: "hello", Payload: []byte(tt.payload)})
		if !fault.Is(err, tt.code) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
	}
	c.functions.mu.Lock()
	c.functions.err = fault.New(404, "ResourceNotFoundException", "gone")
	c.functions.mu.Unlock()
	if err := c.InvokeAsync(t.Context(), invoke.Request{Function: "hello"}); !fault.Is(err, "ResourceNotFoundException") {
		t.Errorf("unknown function: %v", err)
	}
	if n := count(t, c.store, "invoke"); n > 1 { // the node's lease
		t.Errorf("%d keys left", n)
	}
}

func TestLargestEventIsKept(t *testing.T) {
	c := startAsync(t, workertest.Serve(workertest.Echo))
	c.functions.change(func(t *invoke.Target) { t.Async.OnSuccess = "arn:aws:sqs:::ok" })
	c.event(t, `"`+strings.Repeat("<", invoke.MaxEventPayload-2)+`"`)
	eventually(t, "delivery", func() bool { return len(c.dest.all()) == 1 })
}
