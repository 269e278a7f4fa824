package worker_test

import (
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// FuzzAnswer has a program send any bytes as its answer, and end: the call ends
// too, with a status, and within the limits.
func FuzzAnswer(f *testing.F) {
	const rid = "11111111-2222-4333-8444-555555555555"
	f.Add(frame.Append(nil, frame.Result, []byte(rid), []byte("{}")))
	f.Add(frame.Append(nil, frame.Failed, []byte(rid), []byte(`{"errorType":"E"}`)))
	f.Add(frame.Append(frame.Append(frame.Append(nil, frame.Begin, []byte(rid), []byte("{}")), frame.Chunk, []byte("x")), frame.End))
	f.Add([]byte("R\x00\x00\x00\xff\xff\xff\xff"))
	f.Add([]byte{})
	answers := make(chan []byte, 1)
	n := start(f, &workertest.Driver{Program: raw(func(g *workertest.Guest, c workertest.Call) sandbox.Exit {
		_, _ = g.Conn.Write(<-answers) // the worker may hang up before the end
		return sandbox.Exit{Code: 1}
	})})
	f.Fuzz(func(t *testing.T, b []byte) {
		v := version("fuzz")
		v.Key, v.Timeout = id.UUID(), 5*time.Second
		e, err := n.Acquire(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		answers <- b
		out := e.Call(&worker.Call{ID: rid, Payload: []byte("{}")})
		e.Release()
		switch out.Status {
		case "success", "error", "failure":
		default:
			t.Errorf("status %q", out.Status)
		}
		if len(out.Payload) > 6<<20+100 {
			t.Errorf("%d bytes of answer", len(out.Payload))
		}
		n.Retire(v.FunctionARN)
	})
}

// FuzzTelemetry has a program write any bytes to its log descriptors: no line is
// over the limit, and what follows is read again.
func FuzzTelemetry(f *testing.F) {
	f.Add([]byte("\xa5\x5a\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00x"))
	f.Add([]byte("\xa5\x5a\x00\x03\xff\xff\xff\xff"))
	f.Add([]byte("plain\ntext"))
	writes := make(chan []byte, 1)
	n := start(f, &workertest.Driver{Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		b := <-writes
		_, _ = g.Telemetry.Write(b) // a pipe holds 64 KiB, the fuzzer's input less
		_, _ = g.Output.Write(b)
		return c.Payload, nil
	})})
	f.Fuzz(func(t *testing.T, b []byte) {
		writes <- b
		if out, _ := n.call(t, version("fuzz"), "1"); out.Status != "success" {
			t.Errorf("%s %s", out.Status, out.Payload)
		}
		for _, l := range n.logs.Take() {
			if len(l.Message) > 256<<10 {
				t.Errorf("a line of %d bytes", len(l.Message))
			}
		}
	})
}
