package invoke_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// traces keeps the trace headers that a function was given.
type traces struct {
	mu  sync.Mutex
	got []string
}

func (tr *traces) handle(_ *workertest.Guest, c workertest.Call) ([]byte, error) {
	tr.mu.Lock()
	tr.got = append(tr.got, c.Meta.TraceID)
	tr.mu.Unlock()
	return c.Payload, nil
}

func (tr *traces) take() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	got := tr.got
	tr.got = nil
	return got
}

func TestTracingModeDecidesWhatTheCallerLeftOpen(t *testing.T) {
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"
	for _, tt := range []struct {
		name     string
		active   bool
		in, want string
	}{
		{"active, sampled", true, root + ";Sampled=1", root + ";Sampled=1"},
		{"active, not sampled", true, root + ";Sampled=0", root + ";Sampled=0"},
		{"active, open", true, root, root + ";Sampled=1"}, // the first of its second
		{"pass through, sampled", false, root + ";Sampled=1", root + ";Sampled=1"},
		{"pass through, not sampled", false, root + ";Sampled=0", root + ";Sampled=0"},
		{"pass through, open", false, root, root + ";Sampled=0"},
		{"no trace", true, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := &traces{}
			c := startAsync(t, workertest.Serve(tr.handle))
			c.functions.change(func(target *invoke.Target) { target.Traced = tt.active })
			req := invoke.Request{ID: id.UUID(), Function: "hello", TraceHeader: tt.in}
			if _, err := c.Invoke(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			if got := tr.take(); len(got) != 1 || got[0] != tt.want {
				t.Errorf("a call got %q, want %q", got, tt.want)
			}
			c.clock.Advance(time.Second)
			req.ID = id.UUID()
			if err := c.InvokeAsync(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the event is done", func() bool { return count(t, c.store, "invoke", "event") == 0 })
			if got := tr.take(); len(got) != 1 || got[0] != tt.want {
				t.Errorf("an event got %q, want %q", got, tt.want)
			}
		})
	}
}

// An active function samples the first call of each second and one in twenty of
// the others.
func TestActiveTracingSamples(t *testing.T) {
	tr, now := &traces{}, clock.NewManual(time.Unix(1_700_000_000, 0))
	c := start(t, workertest.Serve(tr.handle), func(cfg *invoke.Config) { cfg.Clock = now })
	c.functions.change(func(target *invoke.Target) { target.Traced = true })
	const seconds, each = 4, 500
	for range seconds {
		for range each {
			if _, err := c.Invoke(t.Context(), invoke.Request{ID: id.UUID(), Function: "hello", TraceHeader: "Root=1-2-3;Parent=4"}); err != nil {
				t.Fatal(err)
			}
		}
		now.Advance(time.Second)
	}
	sampled := 0
	for i, h := range tr.take() {
		yes := strings.HasSuffix(h, ";Sampled=1")
		if i%each == 0 && !yes {
			t.Errorf("call %d, the first of its second, was not sampled", i)
		}
		if yes {
			sampled++
		}
	}
	if sampled < 40 || sampled > 180 { // 104 on average, with a deviation of 10
		t.Errorf("%d of %d calls were sampled, want about one in twenty", sampled, seconds*each)
	}
}
