package invoke_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// receiver is a Stream that keeps what it gets, and may fail after some of it.
type receiver struct {
	contentType string
	body        strings.Builder
	begun       int
	flushed     int
	failAfter   int // bytes; 0: never
}

func (r *receiver) Begin(contentType string) error {
	r.begun++
	r.contentType = contentType
	return nil
}

func (r *receiver) Write(b []byte) (int, error) {
	if r.failAfter > 0 && r.body.Len() >= r.failAfter {
		return 0, errors.New("the caller is gone")
	}
	return r.body.Write(b)
}

func (r *receiver) Flush() error {
	r.flushed++
	return nil
}

// streams answers with three chunks and ends with the payload as an error body,
// if that is an object.
func streams(g *workertest.Guest) sandbox.Exit {
	if g.Hello() != nil || g.NextInit() != nil || g.Send(frame.Ready) != nil {
		return sandbox.Exit{}
	}
	for {
		c, err := g.NextCall()
		if err != nil {
			return sandbox.Exit{}
		}
		_ = g.Send(frame.Begin, []byte(c.ID), []byte(`{"contentType":"text/plain"}`))
		for _, chunk := range []string{"one ", "two ", "three"} {
			_ = g.Send(frame.Chunk, []byte(chunk))
		}
		if string(c.Payload) == "{}" {
			c.Payload = nil
		}
		if g.Send(frame.End, c.Payload) != nil {
			return sandbox.Exit{}
		}
	}
}

func TestStreamedAnswer(t *testing.T) {
	c := start(t, streams)
	var got receiver
	resp, err := c.InvokeStream(t.Context(), invoke.Request{Function: "hello"}, &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.body.String() != "one two three" || got.contentType != "text/plain" || got.begun != 1 || got.flushed == 0 {
		t.Errorf("received %q as %s, begun %d, flushed %d", got.body.String(), got.contentType, got.begun, got.flushed)
	}
	if len(resp.Payload) != 0 || resp.FunctionError != "" {
		t.Errorf("response %+v", resp)
	}
}

func TestStreamIsBufferedForInvoke(t *testing.T) {
	c := start(t, streams)
	if got := string(c.call(t, "{}").Payload); got != "one two three" {
		t.Errorf("payload %q", got)
	}
}

func TestStreamThatBreaksMidway(t *testing.T) {
	c := start(t, streams)
	var got receiver
	resp, err := c.InvokeStream(t.Context(), invoke.Request{Function: "hello", Payload: []byte(`{"errorType":"Midway","errorMessage":"sorry"}`)}, &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.body.String() != "one two three" || resp.FunctionError != "Unhandled" || resp.Report.ErrorType != "Midway" {
		t.Errorf("received %q, response %+v", got.body.String(), resp)
	}
}

func TestCallerThatLeavesAStreamHarmsNothing(t *testing.T) {
	c := start(t, streams)
	got := receiver{failAfter: 4}
	if _, err := c.InvokeStream(t.Context(), invoke.Request{Function: "hello"}, &got); err != nil {
		t.Fatal(err)
	}
	if r := c.call(t, "{}").Report; r.Start != invoke.Warm {
		t.Errorf("next call was %s", r.Start)
	}
}

func TestBufferedAnswerInAStream(t *testing.T) {
	c := start(t, workertest.Serve(workertest.Echo))
	var got receiver
	resp, err := c.InvokeStream(t.Context(), invoke.Request{Function: "hello", Payload: []byte(`[1]`)}, &got)
	if err != nil || got.body.String() != "[1]" || got.begun != 1 || len(resp.Payload) != 0 {
		t.Errorf("received %q, %+v, %v", got.body.String(), resp, err)
	}
}
