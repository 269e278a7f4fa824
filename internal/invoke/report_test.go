package invoke_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// numbers hides what differs from run to run.
var numbers = regexp.MustCompile(`\d+\.\d\d ms|\d+ ms|[0-9a-f]{8}-[0-9a-f-]{27}|Queue: N\t|Download: N\t|\d{4}-\d\d-\d\dT[0-9:.]+Z|Ms":[0-9.e-]+`)

func hide(s string) string {
	s = numbers.ReplaceAllStringFunc(s, func(m string) string {
		switch {
		case strings.HasPrefix(m, `Ms"`):
			return `Ms":N`
		case strings.HasSuffix(m, "ms"):
			return "N"
		case strings.HasSuffix(m, "Z"):
			return "TIME"
		}
		return "ID"
	})
	// Phases under 10 µs are left out: which ones those are differs.
	return regexp.MustCompile(`(Queue|Download|Runtime Init): N\t`).ReplaceAllString(s, "")
}

// lines waits for n log lines.
func (c *cloud) lines(t *testing.T, n int) []string {
	t.Helper()
	eventually(t, "the log", func() bool { return len(c.logs.Lines()) >= n })
	var lines []string
	for _, l := range c.logs.Lines() {
		lines = append(lines, hide(l))
	}
	return lines
}

const initStart = "INIT_START Runtime Version: fake\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:fake"

func TestTextLog(t *testing.T) {
	c := start(t, workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		g.Print("hello")
		if string(c.Payload) == "2" {
			return nil, workertest.Error{Type: "Oops", Message: "no"}
		}
		return c.Payload, nil
	}))
	c.driver.Usage = sandbox.Usage{MemoryBytes: 30 << 20, MemoryPeak: 40<<20 + 1}
	c.call(t, "1")
	want := []string{
		initStart,
		"START RequestId: ID Version: $LATEST",
		"hello",
		"END RequestId: ID",
		"REPORT RequestId: ID\tDuration: N\tBilled Duration: N\tMemory Size: 128 MB\tMax Memory Used: 41 MB\tInit Duration: N\tStart: cold\tSandbox: N\tUser Init: N\t",
	}
	if diff := cmp.Diff(want, c.lines(t, 5)); diff != "" {
		t.Errorf("cold call (-want +got):\n%s", diff)
	}
	c.call(t, "2")
	want = append(want, want[1], want[2], want[3],
		"REPORT RequestId: ID\tDuration: N\tBilled Duration: N\tMemory Size: 128 MB\tMax Memory Used: 41 MB\tStatus: error\tError Type: Oops\tStart: warm\t")
	if diff := cmp.Diff(want, c.lines(t, 9)); diff != "" {
		t.Errorf("warm call (-want +got):\n%s", diff)
	}
}

func TestTimeoutAndCrashLog(t *testing.T) {
	for _, tt := range []struct {
		program      workertest.Program
		line, report string
	}{
		{func(g *workertest.Guest) sandbox.Exit {
			return workertest.Serve(func(g *workertest.Guest, _ workertest.Call) ([]byte, error) { <-g.Killed; return nil, nil })(g)
		}, "TIME ID Task timed out after 0.05 seconds", "Status: timeout\tStart: cold"},
		{workertest.Serve(func(g *workertest.Guest, _ workertest.Call) ([]byte, error) {
			g.OutOfMemory()
			g.Conn.Close()
			return nil, nil
		}),
			"RequestId: ID Error: Runtime exited with error: signal: killed\nRuntime.OutOfMemory", "Status: error\tError Type: Runtime.OutOfMemory\tStart: cold"},
	} {
		c := start(t, tt.program)
		c.functions.change(func(t *invoke.Target) { t.Version.Timeout = 50e6 })
		c.call(t, "1")
		lines := c.lines(t, 5)
		if lines[2] != tt.line || lines[3] != "END RequestId: ID" || !strings.Contains(lines[4], tt.report) {
			t.Errorf("log %q, want %q and %q", lines, tt.line, tt.report)
		}
	}
}

func TestJSONLog(t *testing.T) {
	for _, tt := range []struct {
		level string
		want  []string
	}{
		{"", []string{"platform.initStart", "platform.start", "hello", "platform.report"}},
		{"DEBUG", []string{"platform.initStart", "platform.start", "hello", "platform.runtimeDone", "platform.report"}},
		{"WARN", []string{"hello"}},
	} {
		c := start(t, workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
			g.Print(`{"type":"hello"}`)
			return c.Payload, nil
		}))
		c.functions.change(func(t *invoke.Target) { t.Version.LogFormat, t.Version.SystemLogLevel = "JSON", tt.level })
		c.call(t, "1")
		var got []string
		for _, l := range c.lines(t, len(tt.want)) {
			var r struct{ Type string }
			if err := json.Unmarshal([]byte(strings.ReplaceAll(l, `":N`, `":1`)), &r); err != nil {
				t.Errorf("line %s: %v", l, err)
			}
			got = append(got, r.Type)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("level %q (-want +got):\n%s", tt.level, diff)
		}
	}
}

func TestTracedCallHasItsIDInTheLog(t *testing.T) {
	var header string
	c := start(t, workertest.Serve(func(_ *workertest.Guest, c workertest.Call) ([]byte, error) {
		header = c.Meta.TraceID
		return c.Payload, nil
	}))
	const in = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	resp, err := c.Invoke(t.Context(), invoke.Request{ID: id.UUID(), Function: "hello", TraceHeader: in, Tail: true})
	if err != nil {
		t.Fatal(err)
	}
	if header != in {
		t.Errorf("the function got %q", header)
	}
	tail := string(resp.LogTail)
	if want := "\nXRAY TraceId: 1-5759e988-bd862e3fe1be46a994272793\tSegmentId: 53995c3f42cd8ad8\tSampled: true\t\n"; !strings.HasSuffix(tail, want) {
		t.Errorf("tail %q, want it to end in %q", tail, want)
	}
	if !strings.HasPrefix(tail, "START RequestId: "+resp.Report.RequestID) {
		t.Errorf("tail begins %.60q", tail)
	}
}
