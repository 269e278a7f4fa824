package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// taskRoot is where a function finds its code.
const taskRoot = sandbox.PlaceTask

// init has the program load the handler, and keeps how that failed for the next
// call to answer. An init that takes too long is repeated in that call, bounded
// by the function's own timeout, as AWS does.
func (e *Environment) init(p parts, deadline time.Time) {
	began := time.Now()
	err := e.exchangeInit(p, deadline)
	e.phases.UserInit += time.Since(began)
	var f *failure
	switch {
	case err == nil:
		limits := e.w.share(e.version)
		if !e.w.spawnIfOpen(func() { e.limit(limits) }) {
			e.kill()
		}
		return
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.kill()
		f = &failure{status: statusTimeout, kind: "Sandbox.Timedout"}
		e.retried = true
	case errors.As(err, &f):
	default:
		f = e.ended(err)
	}
	e.failed = f
	e.m.drain()
	e.initReport(time.Now(), f)
}

// limit sets what calls may take. Without it a function would have more CPU
// than its memory size buys, so an environment that resists is ended.
func (e *Environment) limit(l sandbox.Limits) {
	if err := e.m.sb.Resize(l); err != nil && !ended(e.m.sb) {
		e.w.cfg.Log.Warn("an environment's limits could not be set", "function", e.version.FunctionARN, "error", err)
		e.kill()
	}
}

func (e *Environment) exchangeInit(p parts, deadline time.Time) error {
	body, err := json.Marshal(e.initBody(p, deadline))
	if err != nil {
		return fmt.Errorf("encode init: %w", err)
	}
	conn := e.m.sb.Conn()
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("send init: %w", err)
	}
	if _, err := conn.Write(frame.Append(nil, frame.Init, body)); err != nil {
		return fmt.Errorf("send init: %w", err)
	}
	kind, n, err := e.header()
	if err != nil {
		return err
	}
	switch {
	case kind == frame.Ready && n <= maxResponse:
		return e.ready(n)
	case kind == frame.Failed && n >= frame.IDLen && n <= maxResponse:
		b, err := e.body(n)
		if err != nil {
			return err
		}
		return thrown(b[frame.IDLen:], statusError)
	}
	return errProtocol(fmt.Sprintf("sent a %q frame where its init should have ended", kind))
}

// ready reads what a program says with Ready.
func (e *Environment) ready(n int) error {
	if n == 0 {
		return nil
	}
	b, err := e.body(n)
	if err != nil {
		return err
	}
	var r frame.ReadyBody
	if err := json.Unmarshal(b, &r); err != nil {
		return errProtocol("said what it is ready for in a way that can't be read")
	}
	e.m.idles = e.m.idles || r.Idle
	return nil
}

// again repeats an init that took too long, in a new sandbox.
func (e *Environment) again(deadline time.Time) {
	ctx, cancel := context.WithDeadline(e.w.life, deadline)
	defer cancel()
	e.failed, e.retried = nil, false
	old := e.m
	if !e.w.spawnIfOpen(old.close) {
		old.close()
	}
	if err := e.w.furnish(ctx, e, e.parts); err != nil {
		e.failed = &failure{status: statusFailure, kind: "Runtime.Unknown", text: "The execution environment could not be started again"}
		e.w.cfg.Log.Warn("an environment could not be started again", "function", e.version.FunctionARN, "error", err)
		return
	}
	e.w.mu.Lock()
	if e.place != gone {
		e.w.adoptMember(e)
	}
	e.w.mu.Unlock()
	e.init(e.parts, deadline)
	e.retried = false
}

func (e *Environment) initBody(p parts, deadline time.Time) frame.InitBody {
	v := e.version
	body := frame.InitBody{
		Handler:             v.Handler,
		TaskRoot:            taskRoot,
		Env:                 e.environ(p),
		MemoryMiB:           v.MemoryMiB,
		LogFormat:           v.LogFormat,
		ApplicationLogLevel: v.ApplicationLogLevel,
		SystemLogLevel:      v.SystemLogLevel,
		Extensions:          p.extensions,
		FunctionName:        v.Name,
		FunctionVersion:     v.Number,
		FunctionARN:         v.FunctionARN,
		AccountID:           v.Account,
		InitTimeoutMs:       time.Until(deadline).Milliseconds(),
	}
	if p.order.agent {
		body.Args = p.runtime.Command(v.MemoryMiB)
		body.Framed = !p.order.boot.Agent
	}
	return body
}
