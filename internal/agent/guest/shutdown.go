package guest

import (
	"encoding/json"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// Lambda's bounds of the shutdown phase: nothing without extensions, 500 ms with
// internal ones only, 2 s with external ones. The runtime gets the first 300 ms.
const (
	shutdownInternal = 500 * time.Millisecond
	shutdownExternal = 2 * time.Second
	shutdownRuntime  = 300 * time.Millisecond
)

// shutdown ends the runtime and then the extensions, which are given time to
// finish: SIGTERM and then SIGKILL for the runtime, the SHUTDOWN event and then
// SIGKILL for extensions that registered for it, SIGKILL for the others.
func (a *Agent) shutdown(bye frame.ShutdownBody) {
	a.mu.Lock()
	exts, proc := a.exts, a.runtime.proc
	a.mu.Unlock()
	if len(exts) == 0 {
		return // close kills
	}
	limit := shutdownInternal
	for _, e := range exts {
		if e.external {
			limit = shutdownExternal
		}
	}
	if t := time.Duration(bye.TimeoutMs) * time.Millisecond; t > 0 {
		limit = min(limit, t)
	}
	deadline := time.Now().Add(limit)
	if proc != nil {
		proc.Signal(syscall.SIGTERM)
		waitUntil(proc, time.Now().Add(min(shutdownRuntime, limit)))
		proc.kill()
	}
	event, _ := json.Marshal(struct {
		Type     string `json:"eventType"`
		Reason   string `json:"shutdownReason"`
		Deadline int64  `json:"deadlineMs"`
	}{"SHUTDOWN", bye.Reason, deadline.UnixMilli()}) // always encodes
	a.mu.Lock()
	for _, e := range exts {
		switch {
		case e.proc == nil:
		case e.shutdown && e.state != extFailed:
			e.tell(event)
		default:
			e.proc.kill()
		}
	}
	a.mu.Unlock()
	for _, e := range exts {
		if e.proc != nil {
			waitUntil(e.proc, deadline)
		}
	}
}

// waitUntil waits for a process to end, to a deadline.
func waitUntil(c *child, deadline time.Time) {
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-c.gone:
	case <-t.C:
	}
}
