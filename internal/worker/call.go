package worker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// Sizes of an answer, in bytes, as in
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxResponse = 6<<20 + 100 // buffered
	maxStream   = 200 << 20
	// maxDiscard is the largest oversized answer that is read to its end, so that
	// the environment stays good.
	maxDiscard = 64 << 20
	// smallCall is what is copied behind its header to go out in one write.
	smallCall = 64 << 10
)

// Call is one call of a function.
type Call struct {
	ID         string // 36 characters
	InvokedARN string
	Payload    []byte
	// TraceID, ClientContext and Identity are for the handler's context; empty
	// for none.
	TraceID, ClientContext, Identity string
	// Stream takes a streamed answer; nil buffers it.
	Stream Stream
}

// Stream receives a streamed answer. Methods are called in order, by one
// goroutine; after an error none is called again, and the function goes on.
type Stream interface {
	// Begin is called once, before the first byte, with the content type.
	Begin(contentType string) error
	io.Writer
	// Flush pushes what was written towards the caller.
	Flush() error
}

// Outcome is how a call went.
type Outcome struct {
	// Payload is the answer, or the error as JSON.
	Payload []byte
	// Status is "success", "error" (the function reported one), "timeout" or
	// "failure" (it ended, or broke the protocol).
	Status    string
	ErrorType string
	Began     time.Time
	Duration  time.Duration
	// Streamed says that the answer went to the Stream; after an error, Payload
	// has that.
	Streamed bool
	// Aborted says that the node cut the call short: it is stopping.
	Aborted bool
}

// Call runs one call and returns its outcome; a sandbox that must not serve
// another is ended. The call is not cut short when its caller goes away, as in
// AWS: only the function's timeout does that.
func (e *Environment) Call(c *Call) Outcome {
	began := time.Now()
	deadline := began.Add(e.version.Timeout)
	if e.retried {
		e.again(deadline)
	}
	var out Outcome
	f := e.failed
	if f == nil {
		if err := e.exchange(c, deadline, &out); err != nil {
			f = e.failure(err)
		}
	}
	out.Began, out.Duration = began, time.Since(began)
	e.m.drain()
	if f == nil {
		out.Status = statusSuccess
		return out
	}
	out.Status, out.ErrorType = f.status, f.kind
	out.Aborted = f.status == statusFailure && e.w.life.Err() != nil
	out.Payload = f.answer(c.ID, e.version.Timeout)
	if f.status == statusTimeout {
		out.Duration = max(out.Duration, e.version.Timeout)
	}
	if line := f.line(c.ID, time.Now(), e.version.Timeout); line != "" {
		e.m.journal.note(time.Now(), line)
	}
	return out
}

// failure names what went wrong, and ends the sandbox unless the function
// reported it in good order.
func (e *Environment) failure(err error) *failure {
	var f *failure
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.kill()
		return &failure{status: statusTimeout, kind: "Sandbox.Timedout"}
	case errors.As(err, &f):
		if f.status != statusError {
			e.kill()
		}
		return f
	}
	return e.ended(err)
}

func (e *Environment) exchange(c *Call, deadline time.Time, out *Outcome) error {
	conn := e.m.sb.Conn()
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	if err := e.send(conn, c, deadline); err != nil {
		return err
	}
	err := e.receive(c, out)
	var f *failure
	e.waits = e.m.idles && (err == nil || errors.As(err, &f) && f.status == statusError)
	return err
}

// send writes the Invoke frame.
func (e *Environment) send(conn net.Conn, c *Call, deadline time.Time) error {
	b := append(e.buf[:0], byte(frame.Invoke), 0, 0, 0, 0, 0, 0, 0)
	b = append(b, c.ID...)
	b = append(b, 0, 0, 0, 0)
	const meta = frame.HeaderLen + frame.IDLen + 4
	b = appendCall(b, c, deadline)
	binary.LittleEndian.PutUint32(b[meta-4:], uint32(len(b)-meta))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-frame.HeaderLen+len(c.Payload)))
	if len(c.Payload) > smallCall {
		e.buf = b
		parts := net.Buffers{b, c.Payload}
		if _, err := parts.WriteTo(conn); err != nil {
			return fmt.Errorf("send call: %w", err)
		}
		return nil
	}
	e.buf = append(b, c.Payload...)
	if _, err := conn.Write(e.buf); err != nil {
		return fmt.Errorf("send call: %w", err)
	}
	return nil
}

// appendCall appends a frame.Call as JSON.
func appendCall(b []byte, c *Call, deadline time.Time) []byte {
	b = append(b, `{"arn":`...)
	b = appendString(b, c.InvokedARN)
	b = append(b, `,"deadlineMs":`...)
	b = strconv.AppendInt(b, deadline.UnixMilli(), 10)
	if c.TraceID != "" {
		b = append(b, `,"traceId":`...)
		b = appendString(b, c.TraceID)
	}
	if c.ClientContext != "" {
		b = append(b, `,"clientContext":`...)
		b = appendString(b, c.ClientContext)
	}
	if c.Identity != "" {
		b = append(b, `,"identity":`...)
		b = appendString(b, c.Identity)
	}
	if c.Stream != nil {
		b = append(b, `,"stream":true`...)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // a string always has an encoding
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
