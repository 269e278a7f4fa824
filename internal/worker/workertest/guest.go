package workertest

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// Program is what runs in a sandbox. Its return is the program's end. It must
// return when Killed is closed, which also ends reads of its Conn.
type Program func(g *Guest) sandbox.Exit

// Guest is a sandbox as its program sees it.
type Guest struct {
	Spec              sandbox.Spec
	Conn              net.Conn // descriptor 3
	Output, Telemetry *os.File // descriptors 1 and 2, and 4
	Killed            <-chan struct{}
	// Init is set once the worker has sent it.
	Init frame.InitBody

	s *Sandbox
	r *bufio.Reader
}

// Call is a call as the program sees it.
type Call struct {
	ID      string
	Meta    frame.Call
	Payload []byte
}

// Read reads a frame; it waits while the sandbox is frozen.
func (g *Guest) Read() (frame.Kind, []byte, error) {
	if g.r == nil {
		g.r = bufio.NewReader(g.Conn)
	}
	if _, err := g.r.Peek(1); err != nil {
		return 0, nil, err
	}
	g.s.mu.Lock()
	thawed := g.s.thawed
	g.s.mu.Unlock()
	<-thawed
	return frame.Read(g.r, nil)
}

// Send writes a frame.
func (g *Guest) Send(k frame.Kind, parts ...[]byte) error {
	_, err := g.Conn.Write(frame.Append(nil, k, parts...))
	return err
}

// Hello says that the program is up.
func (g *Guest) Hello() error { return g.Send(frame.Hello, []byte(`{"runtime":"fake","version":"1"}`)) }

// NextInit reads the Init into g.Init.
func (g *Guest) NextInit() error {
	kind, body, err := g.Read()
	if err != nil {
		return err
	}
	if kind != frame.Init {
		return fmt.Errorf("got a %q frame, want Init", kind)
	}
	return json.Unmarshal(body, &g.Init)
}

// NextCall reads a call.
func (g *Guest) NextCall() (Call, error) {
	kind, body, err := g.Read()
	if err != nil {
		return Call{}, err
	}
	if kind != frame.Invoke {
		return Call{}, fmt.Errorf("got a %q frame, want Invoke", kind)
	}
	id, meta, payload, err := frame.CutInvoke(body)
	return Call{id, meta, payload}, err
}

// Print writes a line to the output.
func (g *Guest) Print(line string) { fmt.Fprintln(g.Output, line) }

// Log writes a telemetry frame.
func (g *Guest) Log(text string) {
	b := binary.BigEndian.AppendUint32(nil, 0xa55a0003)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = binary.BigEndian.AppendUint64(b, uint64(time.Now().UnixMicro()))
	_, _ = g.Telemetry.Write(append(b, text...)) // the end of the sandbox is no news
}

// OutOfMemory has the sandbox end as if by its memory limit.
func (g *Guest) OutOfMemory() {
	g.s.mu.Lock()
	g.s.oomed = true
	g.s.mu.Unlock()
	g.s.Kill()
}

// Sleep waits; false when the sandbox was killed first.
func (g *Guest) Sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-g.Killed:
		return false
	}
}

// Handler answers a call. An error that is a frame.ErrorBody is reported as such.
type Handler func(g *Guest, c Call) ([]byte, error)

// Error is a handler's failure with a type.
type Error frame.ErrorBody

func (e Error) Error() string { return e.Type + ": " + e.Message }

// Serve is a well-behaved program around a handler.
func Serve(h Handler) Program { return ServeAfter(nil, h) }

// ServeAfter is Serve with an init of its own; its error fails the init.
func ServeAfter(init func(g *Guest) error, h Handler) Program {
	return func(g *Guest) sandbox.Exit {
		if g.Hello() != nil || g.NextInit() != nil {
			return sandbox.Exit{}
		}
		if init != nil {
			if err := init(g); err != nil {
				_ = g.Send(frame.Failed, []byte(frame.NilID), errorBody(err))
				<-g.Killed
				return sandbox.Exit{}
			}
		}
		if g.Send(frame.Ready) != nil {
			return sandbox.Exit{}
		}
		for {
			c, err := g.NextCall()
			if err != nil {
				return sandbox.Exit{}
			}
			answer, err := h(g, c)
			if err != nil {
				err = g.Send(frame.Failed, []byte(c.ID), errorBody(err))
			} else {
				err = g.Send(frame.Result, []byte(c.ID), answer)
			}
			if err != nil {
				return sandbox.Exit{}
			}
		}
	}
}

func errorBody(err error) []byte {
	e, ok := err.(Error)
	if !ok {
		e = Error{Message: err.Error(), Type: "Error"}
	}
	b, _ := json.Marshal(frame.ErrorBody(e)) // strings always have an encoding
	return b
}

// Echo answers with the payload.
func Echo(_ *Guest, c Call) ([]byte, error) { return c.Payload, nil }
