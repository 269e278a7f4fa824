package guest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// startFramed starts a runtime that speaks frames, on a socket of its own, and
// relays between it and the worker. It is called with the lock held.
func (a *Agent) startFramed(cmd Command) error {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make runtime's socket: %w", err)
	}
	sock, theirs := NewSocket(os.NewFile(uintptr(fds[0]), "runtime")), os.NewFile(uintptr(fds[1]), "control")
	defer theirs.Close()
	cmd.Files = []*os.File{theirs}
	if a.cfg.Telemetry != nil {
		w, mine, err := a.logs("function", a.cfg.Telemetry, true)
		if err != nil {
			return err
		}
		if mine {
			defer w.Close() // the runtime has its own
		}
		cmd.Files = append(cmd.Files, w)
		cmd.Env = append(cmd.Env, "_LAMBDA_TELEMETRY_LOG_FD=4")
	}
	if wrapper := a.init.Env["AWS_LAMBDA_EXEC_WRAPPER"]; wrapper != "" {
		cmd.Args = append([]string{wrapper}, cmd.Args...)
	}
	a.runtime.proc, err = a.launch(cmd, "function", a.runtimeEnded)
	if err != nil {
		_ = sock.Close() // nobody has the other end
		return err
	}
	a.runtime.inner = newControl(sock)
	a.conns.adopt(sock)
	a.tasks.Go(func() {
		defer a.conns.remove(sock)
		a.relay()
	})
	return nil
}

// relay passes the runtime's frames on to the worker.
func (a *Agent) relay() {
	in := a.runtime.inner
	k, _, err := in.read()
	if err == nil && k == frame.Hello {
		init := a.init
		init.Env = maps.Clone(init.Env)
		if init.Env == nil {
			init.Env = map[string]string{}
		}
		init.Env["AWS_LAMBDA_RUNTIME_API"] = a.cfg.Listener.Addr()
		init.Args, init.Extensions, init.Framed = nil, nil, false
		err = in.sendJSON(frame.Init, "", init)
	}
	for err == nil {
		var body []byte
		if k, body, err = in.read(); err == nil {
			err = a.relayOne(k, body)
			in.recycle(body)
		}
	}
	// The end of the process says why, if it is one.
	select {
	case <-a.runtime.proc.gone:
	case <-a.conns.closing:
	case <-time.After(time.Second):
		a.runtime.proc.kill()
	}
}

// relayOne acts on one frame of the runtime's.
func (a *Agent) relayOne(k frame.Kind, body []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead != nil || a.ended {
		return nil
	}
	c := a.call
	switch {
	case k == frame.Ready && !a.ready && a.runtime.state == born:
		a.runtime.state = atRest
		a.settle()
		return nil
	case k == frame.Failed && !a.ready:
		_, rest, _ := frame.CutID(body)
		rest, kind := errorJSON("", rest)
		a.failWith(&failure{kind, "the function's initialization failed"}, rest)
		return nil
	case c == nil || c.answer >= sending:
		return fmt.Errorf("%q frame out of order", byte(k))
	}
	if k != frame.Chunk {
		a.drainLogs()
	}
	if err := a.control.send(k, body); err != nil {
		a.sent(err)
		return err
	}
	c.bytes += int64(len(body))
	failed := ""
	switch k {
	case frame.Begin:
		c.answer = streamed
		return nil
	case frame.Chunk:
		return nil
	case frame.Failed, frame.End:
		failed = errorTypeOf(k, body)
	case frame.Result:
	default:
		return fmt.Errorf("%q frame out of order", byte(k))
	}
	c.answer = answered
	a.events.done(a, c, failed)
	a.runtime.state = atRest
	a.settle()
	return nil
}

// relayCall hands a call to a framed runtime and to the extensions.
func (a *Agent) relayCall(c *call) error {
	a.call = c
	a.owed = len(a.exts) > 0
	a.runtime.state = running
	a.tellExtensions(c)
	a.events.started(a, c)
	err := a.runtime.inner.send(frame.Invoke, c.frame)
	a.control.recycle(c.frame)
	if err != nil {
		a.fail("Runtime.ExitError", "%v", err)
	}
	return nil
}

func errorTypeOf(k frame.Kind, body []byte) string {
	if k == frame.Failed {
		_, body, _ = frame.CutID(body)
	}
	var e frame.ErrorBody
	_ = json.Unmarshal(body, &e) // what isn't JSON has no type
	return e.Type
}
