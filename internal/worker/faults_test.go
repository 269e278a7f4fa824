package worker_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// raw is a program that comes up well and then does as it likes with a call.
func raw(f func(g *workertest.Guest, c workertest.Call) sandbox.Exit) workertest.Program {
	return func(g *workertest.Guest) sandbox.Exit {
		if g.Hello() != nil || g.NextInit() != nil || g.Send(frame.Ready) != nil {
			return sandbox.Exit{}
		}
		c, err := g.NextCall()
		if err != nil {
			return sandbox.Exit{}
		}
		return f(g, c)
	}
}

// send has a program send frames for a call and wait.
func send(frames ...func(c workertest.Call) []byte) workertest.Program {
	return raw(func(g *workertest.Guest, c workertest.Call) sandbox.Exit {
		for _, f := range frames {
			_, _ = g.Conn.Write(f(c)) // the worker may hang up at the first
		}
		<-g.Killed
		return sandbox.Exit{}
	})
}

func result(id func(c workertest.Call) string, body string) func(workertest.Call) []byte {
	return func(c workertest.Call) []byte {
		return frame.Append(nil, frame.Result, []byte(id(c)), []byte(body))
	}
}

func own(c workertest.Call) string { return c.ID }

func bytesOf(b ...byte) func(workertest.Call) []byte {
	return func(workertest.Call) []byte { return b }
}

// Whatever a program does with a call, the call ends, says what happened, and
// the next call gets a new environment.
func TestHostilePrograms(t *testing.T) {
	huge := func(n uint32) func(workertest.Call) []byte {
		return func(workertest.Call) []byte {
			return binary.LittleEndian.AppendUint32([]byte{byte(frame.Result), 0, 0, 0}, n)
		}
	}
	for _, tt := range []struct {
		name              string
		program           workertest.Program
		status, errorType string
		message           string // ID stands for the request id
	}{
		{"hangs", raw(func(g *workertest.Guest, _ workertest.Call) sandbox.Exit { <-g.Killed; return sandbox.Exit{} }),
			"timeout", "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 0.20 seconds"},
		{"exits", raw(func(*workertest.Guest, workertest.Call) sandbox.Exit { return sandbox.Exit{} }),
			"failure", "Runtime.ExitError", "RequestId: ID Error: Runtime exited without providing a reason"},
		{"exits with 3", raw(func(*workertest.Guest, workertest.Call) sandbox.Exit { return sandbox.Exit{Code: 3} }),
			"failure", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 3"},
		{"crashes", raw(func(*workertest.Guest, workertest.Call) sandbox.Exit { return sandbox.Exit{Signal: 11} }),
			"failure", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: signal: segmentation fault"},
		{"runs out of memory", raw(func(g *workertest.Guest, _ workertest.Call) sandbox.Exit { g.OutOfMemory(); return sandbox.Exit{} }),
			"failure", "Runtime.OutOfMemory", "RequestId: ID Error: Runtime exited with error: signal: killed"},
		{"answers another request", send(result(func(workertest.Call) string { return id.UUID() }, "1")),
			"failure", "Runtime.InvalidResponse", "RequestId: ID Error: The runtime answered another request"},
		{"answers without an id", send(func(workertest.Call) []byte { return frame.Append(nil, frame.Result, []byte("1")) }),
			"failure", "Runtime.InvalidResponse", "RequestId: ID Error: The runtime sent an answer without a request id"},
		{"sends garbage", send(bytesOf([]byte("HTTP/1.1 200 OK\r\n\r\n")...)),
			"failure", "Runtime.InvalidResponse", "RequestId: ID Error: The runtime sent what is no frame"},
		{"says hello again", send(func(workertest.Call) []byte { return frame.Append(nil, frame.Hello) }),
			"failure", "Runtime.InvalidResponse", `RequestId: ID Error: The runtime sent a 'H' frame instead of an answer`},
		{"sends half a header", send(bytesOf('R', 0)), "timeout", "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 0.20 seconds"},
		{"promises more than it sends", send(huge(1000)), "timeout", "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 0.20 seconds"},
		{"promises 4 GiB", send(huge(1<<32 - 1)), "error", "Function.ResponseSizeTooLarge",
			"Response payload size exceeded maximum allowed payload size (6291556 bytes)."},
		{"sends a chunk before its beginning", send(func(workertest.Call) []byte { return frame.Append(nil, frame.Chunk, []byte("x")) }),
			"failure", "Runtime.InvalidResponse", "RequestId: ID Error: The runtime sent a 'D' frame instead of an answer"},
		{"ends in the middle of an answer", raw(func(g *workertest.Guest, c workertest.Call) sandbox.Exit {
			_, _ = g.Conn.Write(huge(1000)(c))
			return sandbox.Exit{Code: 1}
		}), "failure", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 1 in the middle of an answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := start(t, &workertest.Driver{Program: tt.program})
			v := version("bad")
			v.Timeout = 200 * time.Millisecond
			e, err := n.Acquire(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			rid := id.UUID()
			out := e.Call(&worker.Call{ID: rid, InvokedARN: v.FunctionARN, Payload: []byte("{}")})
			e.Release()
			var body frame.ErrorBody
			if err := json.Unmarshal(out.Payload, &body); err != nil {
				t.Errorf("answer %q: %v", out.Payload, err)
			}
			want := frame.ErrorBody{Message: strings.ReplaceAll(tt.message, "ID", rid), Type: tt.errorType}
			if tt.errorType == "Function.ResponseSizeTooLarge" {
				want.Message = tt.message
			}
			if diff := cmp.Diff(want, body); diff != "" || out.Status != tt.status || out.ErrorType != tt.errorType {
				t.Errorf("%s %s, answer (-want +got):\n%s", out.Status, out.ErrorType, diff)
			}
			eventually(t, "the environment is gone", func() bool { return len(n.driver.Alive()) == 0 })
		})
	}
}

func TestFunctionErrorKeepsTheEnvironment(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(func(_ *workertest.Guest, c workertest.Call) ([]byte, error) {
		if string(c.Payload) == "1" {
			return nil, workertest.Error{Type: "TypeError", Message: "x is undefined", Trace: []string{"at handler"}}
		}
		return c.Payload, nil
	})})
	v := version("throws")
	out, _ := n.call(t, v, "1")
	if want := `{"errorMessage":"x is undefined","errorType":"TypeError","trace":["at handler"]}`; string(out.Payload) != want || out.Status != "error" {
		t.Errorf("%s %s, want %s", out.Status, out.Payload, want)
	}
	if out, kind := n.call(t, v, "2"); string(out.Payload) != "2" || kind != worker.Warm {
		t.Errorf("next call: %s %s", out.Payload, kind)
	}
}

func TestAnswerOverTheLimitKeepsTheEnvironment(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(func(_ *workertest.Guest, c workertest.Call) ([]byte, error) {
		var size int
		_, err := fmt.Sscan(string(c.Payload), &size)
		return bytes.Repeat([]byte("x"), size), err
	})})
	v := version("large")
	for _, tt := range []struct {
		size   int
		status string
	}{{6<<20 + 100, "success"}, {6<<20 + 101, "error"}, {10 << 20, "error"}, {3, "success"}} {
		out, _ := n.call(t, v, fmt.Sprint(tt.size))
		if out.Status != tt.status || tt.status == "success" && len(out.Payload) != tt.size {
			t.Errorf("%d bytes: %s with %d bytes", tt.size, out.Status, len(out.Payload))
		}
	}
	if got := n.driver.Started(); got != 1 {
		t.Errorf("%d environments, want 1", got)
	}
}

// An answer that nobody asked for ends an environment between two calls, so
// that the next one does not pay for it.
func TestSecondAnswerIsNobodysFault(t *testing.T) {
	first := true
	n := start(t, &workertest.Driver{Program: func(g *workertest.Guest) sandbox.Exit {
		if !first {
			return workertest.Serve(workertest.Echo)(g)
		}
		first = false
		return send(result(own, "1"), result(own, "2"))(g)
	}})
	v := version("twice")
	if out, _ := n.call(t, v, "{}"); string(out.Payload) != "1" {
		t.Errorf("first answer %s", out.Payload)
	}
	eventually(t, "the environment is gone", func() bool { return len(n.driver.Alive()) == 0 })
	if out, kind := n.call(t, v, "3"); string(out.Payload) != "3" || kind != worker.Cold {
		t.Errorf("next call: %s %s %s", out.Status, out.Payload, kind)
	}
}

func TestInitFailures(t *testing.T) {
	exit := func(e sandbox.Exit) workertest.Program {
		return func(g *workertest.Guest) sandbox.Exit {
			if g.Hello() != nil || g.NextInit() != nil {
				return sandbox.Exit{}
			}
			return e
		}
	}
	for _, tt := range []struct {
		name      string
		program   workertest.Program
		errorType string
		line      string
	}{
		{"handler can't be loaded", workertest.ServeAfter(func(*workertest.Guest) error {
			return workertest.Error{Type: "Runtime.ImportModuleError", Message: "Cannot find module 'index' of " + frame.NilID}
		}, workertest.Echo), "Runtime.ImportModuleError", "Status: error\tError Type: Runtime.ImportModuleError"},
		{"exits", exit(sandbox.Exit{Code: 1}), "Runtime.ExitError", "Status: error\tError Type: Runtime.ExitError"},
		{"sends garbage", func(g *workertest.Guest) sandbox.Exit {
			if g.Hello() == nil && g.NextInit() == nil {
				_ = g.Send(frame.Result, []byte("?"))
				<-g.Killed
			}
			return sandbox.Exit{}
		}, "Runtime.InvalidResponse", "Status: error\tError Type: Runtime.InvalidResponse"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := start(t, &workertest.Driver{Program: tt.program})
			v := version("broken")
			out, kind := n.call(t, v, "{}")
			if out.ErrorType != tt.errorType || kind != worker.Cold {
				t.Errorf("%s %s %s", out.Status, out.Payload, kind)
			}
			if bytes.Contains(out.Payload, []byte(frame.NilID)) {
				t.Errorf("the answer names no request: %s", out.Payload)
			}
			eventually(t, "the log says so", func() bool { return strings.Contains(strings.Join(n.logs.Lines(), "\n"), tt.line) })
			eventually(t, "the environment is gone", func() bool { return len(n.driver.Alive()) == 0 })
		})
	}
}

// An init that takes too long is repeated within the call, as in AWS.
func TestSlowInitRunsAgainInTheCall(t *testing.T) {
	inits := make(chan bool, 10)
	program := workertest.ServeAfter(func(g *workertest.Guest) error {
		inits <- true
		g.Sleep(100 * time.Millisecond)
		return nil
	}, workertest.Echo)
	for _, tt := range []struct {
		timeout time.Duration
		status  string
	}{{5 * time.Second, "success"}, {60 * time.Millisecond, "timeout"}} {
		n := start(t, &workertest.Driver{Program: program}, func(c *worker.Config) { c.InitTimeout = 30 * time.Millisecond })
		v := version("slow")
		v.Timeout = tt.timeout
		out, _ := n.call(t, v, "1")
		if out.Status != tt.status {
			t.Errorf("timeout %s: %s %s, want %s", tt.timeout, out.Status, out.Payload, tt.status)
		}
		if got := len(inits); got != 2 {
			t.Errorf("%d inits, want 2", got)
		}
		for len(inits) > 0 {
			<-inits
		}
		if tt.status == "success" {
			if _, kind := n.call(t, v, "2"); kind != worker.Warm {
				t.Errorf("next call: %s", kind)
			}
		}
	}
}
