package guest

import (
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/agent/http1"
)

// runtimeState is where the runtime stands; stateName has AWS's names.
type runtimeState int

const (
	unborn  runtimeState = iota
	born                 // started, has not called next yet
	atRest               // waits in next
	running              // has a call
	exited               // has ended, or failed its init
)

// runtime is the function's process.
type runtime struct {
	state   runtimeState
	proc    *child
	waiting *waiter  // its call of next
	inner   *control // a framed one's socket
}

// waiter is a request for the next call. A later one takes its place.
type waiter struct {
	ready chan struct{}
}

func (w *waiter) wake() { signal(w.ready) }

// stateName is AWS's name for the runtime's state, as its errors have it.
func (a *Agent) stateName() string {
	switch {
	case a.runtime.state <= born:
		return "Started"
	case a.runtime.state == atRest:
		return "Ready"
	case a.runtime.state == exited:
		return "InitError"
	case a.call == nil || a.call.answer == answered:
		return "ResponseSent"
	case a.call.answer != none:
		return "InvocationResponse"
	}
	return "Running"
}

// serveRuntime answers a request of the Runtime API; path is what follows
// /2018-06-01/runtime/.
func (a *Agent) serveRuntime(c *conn, req *http1.Request, path string) error {
	if path == "invocation/next" {
		if string(req.Method) != "GET" {
			return c.refuse(errMethod)
		}
		return a.serveNext(c)
	}
	if path == "init/error" {
		if string(req.Method) != "POST" {
			return c.refuse(errMethod)
		}
		return a.serveInitError(c, req)
	}
	id, verb, ok := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
	if !ok || !strings.HasPrefix(path, "invocation/") || verb != "response" && verb != "error" {
		return c.refuse(errNotFound)
	}
	if string(req.Method) != "POST" {
		return c.refuse(errMethod)
	}
	if verb == "error" {
		return a.serveError(c, req, id)
	}
	return a.serveResponse(c, req, id)
}

// serveNext waits for a call and gives it to the runtime.
func (a *Agent) serveNext(c *conn) error {
	a.mu.Lock()
	// A runtime whose connection broke may ask again on another before the
	// delivery on the first has failed.
	for a.runtime.state == running && a.call != nil && a.call.onWay && !a.ended {
		a.progress.Wait()
	}
	s := a.runtime.state
	if a.init.Framed || s == unborn || s == exited || s == running && a.call.answer != answered {
		err := stateError(a.stateName(), "Ready")
		a.mu.Unlock()
		return c.refuse(err)
	}
	w := &c.waiter
	if old := a.runtime.waiting; old != nil && old != w {
		old.wake()
	}
	a.runtime.waiting, a.runtime.state = w, atRest
	a.settle()
	if a.next != nil {
		a.give(a.next)
	}
	for a.runtime.waiting == w && a.runtime.state == atRest && !a.ended {
		reading := a.reading
		a.mu.Unlock()
		if reading {
			select {
			case <-w.ready:
			case <-a.quit:
			}
		} else {
			a.turn()
		}
		a.mu.Lock()
	}
	if a.runtime.waiting != w || a.runtime.state != running {
		a.mu.Unlock()
		return errHangUp
	}
	a.runtime.waiting = nil
	call := a.call
	a.mu.Unlock()
	return a.deliver(c, call)
}

// deliver writes the call as the answer to next.
func (a *Agent) deliver(c *conn, call *call) error {
	h := c.http.Head(200)
	h = http1.AppendField(h, "Content-Type", "application/json")
	h = http1.AppendField(h, "Lambda-Runtime-Aws-Request-Id", call.id)
	h = append(h, "Lambda-Runtime-Deadline-Ms: "...)
	h = strconv.AppendInt(h, call.meta.DeadlineMs, 10)
	h = append(h, "\r\n"...)
	h = http1.AppendField(h, "Lambda-Runtime-Invoked-Function-Arn", call.meta.ARN)
	for _, f := range [...]struct{ name, value string }{
		{"Lambda-Runtime-Trace-Id", call.meta.TraceID},
		{"Lambda-Runtime-Client-Context", call.meta.Client},
		{"Lambda-Runtime-Cognito-Identity", call.meta.Identity},
	} {
		if f.value != "" {
			h = http1.AppendField(h, f.name, f.value)
		}
	}
	err := c.http.ReplyHead(h, call.payload)
	a.arrived(call, err)
	if err == nil {
		a.control.recycle(call.frame)
	}
	return err
}
