package guest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// call is the one call in progress.
type call struct {
	id      string
	meta    frame.Call
	payload []byte
	frame   []byte // what payload is part of
	begun   time.Time
	given   bool // to the runtime, if only once tried
	onWay   bool // being written to the runtime's connection
	answer  answer
	bytes   int64 // of the answer
	took    time.Duration
	failed  string // the error's type
}

// answer is how far the answer to a call is.
type answer int

const (
	none     answer = iota
	coming          // being read from the runtime
	streamed        // Begin was sent
	sending         // Result, Failed or End is being sent
	answered        // it was sent
)

// failure is why no call can be served: an error type of Lambda's and a text.
type failure struct{ kind, text string }

// body is the failure as the error of a call, or of the init.
func (f *failure) body(id string) frame.ErrorBody {
	return frame.ErrorBody{Type: f.kind, Message: "RequestId: " + id + " Error: " + f.text}
}

// invoke begins a call. It is called with the lock held.
func (a *Agent) invoke(body []byte) error {
	id, meta, payload, err := frame.CutInvoke(body)
	if err != nil {
		return err
	}
	// The worker may have the answer to the last call, and send the next one,
	// before the goroutine that wrote the answer has noted so.
	for a.call != nil && a.call.answer == sending {
		a.progress.Wait()
	}
	if a.next != nil || a.call != nil && a.call.answer != answered {
		return fmt.Errorf("Invoke of %s during another call", id)
	}
	if a.dead != nil {
		a.control.recycle(body)
		return a.control.sendJSON(frame.Failed, id, a.dead.body(id))
	}
	c := &call{id: id, meta: meta, payload: payload, frame: body, begun: time.Now()}
	if a.init.Framed {
		return a.relayCall(c)
	}
	if w := a.runtime.waiting; w != nil {
		a.give(c)
		w.wake()
		return nil
	}
	a.next = c
	return nil
}

// give makes c the call of the runtime and the extensions.
func (a *Agent) give(c *call) {
	a.call, a.next = c, nil
	c.onWay = true
	a.runtime.state = running
	a.handed()
	if c.given {
		return
	}
	c.given = true
	a.owed = len(a.exts) > 0
	a.tellExtensions(c)
	a.events.started(a, c)
}

// arrived notes how the delivery of a call went. One that failed is kept for the
// runtime's next try.
func (a *Agent) arrived(c *call, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.onWay = false
	a.progress.Broadcast()
	if err != nil && a.call == c && c.answer == none && a.dead == nil {
		a.call, a.next = nil, c
		a.runtime.state = atRest
		a.poke()
	}
}

// fail records that the sandbox can serve no more calls, and answers what waits
// for an answer: the init, or the call in progress. It is called with the lock held.
func (a *Agent) fail(kind, format string, args ...any) {
	if a.dead != nil || a.ended {
		return
	}
	f := &failure{kind, fmt.Sprintf(format, args...)}
	a.failWith(f, nil)
}

// failWith is fail with an error of the runtime's own wording, if body isn't nil.
func (a *Agent) failWith(f *failure, body []byte) {
	a.dead = f
	a.runtime.state = exited
	a.progress.Broadcast()
	for _, c := range []*call{a.call, a.next} {
		if c != nil && c.answer < sending {
			a.failCall(c, f)
		}
	}
	a.next = nil
	if !a.ready {
		a.events.initDone(a, f.kind)
		if body == nil {
			body, _ = json.Marshal(f.body(frame.NilID)) // two strings always encode
		}
		a.ready = true // the init is answered
		a.sent(a.control.send(frame.Failed, []byte(frame.NilID), body))
	}
	a.settle()
	a.poke()
}

// failCall answers a call with a failure of the sandbox.
func (a *Agent) failCall(c *call, f *failure) {
	was := c.answer
	c.answer = answered
	if was == streamed {
		a.sent(a.control.sendJSON(frame.End, "", f.body(c.id)))
	} else {
		a.sent(a.control.sendJSON(frame.Failed, c.id, f.body(c.id)))
	}
	a.events.done(a, c, f.kind)
}

// settle says Ready or Idle when it is time. It is called with the lock held
// whenever the runtime or an extension has come to rest.
func (a *Agent) settle() {
	if a.runtime.state != atRest && a.runtime.state != exited {
		return
	}
	for _, e := range a.exts {
		if !e.rests(a.ready) {
			return
		}
	}
	switch {
	case !a.ready:
		a.ready = true
		a.events.initDone(a, "")
		a.sent(a.control.sendJSON(frame.Ready, "", frame.ReadyBody{Idle: len(a.exts) > 0}))
	case a.owed && a.call != nil && a.call.answer == answered:
		a.owed = false
		a.events.report(a, a.call)
		a.call = nil
		a.sent(a.control.send(frame.Idle))
	}
}

// sent ends the agent when a frame couldn't be written: the worker is gone.
func (a *Agent) sent(err error) {
	if err != nil {
		a.endLocked(nil, err)
	}
}
