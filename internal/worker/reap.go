package worker

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// goodbyeTimeout is what extensions get to finish, as in
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
const goodbyeTimeout = 2 * time.Second

// reap ends what has been idle too long, until the worker closes.
func (w *Worker) reap() {
	tick := time.NewTicker(min(max(w.cfg.IdleTimeout/10, 5*time.Millisecond), 5*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-w.life.Done():
			return
		case now := <-tick.C:
			w.sweep(now)
			w.pool.tend(now)
		}
	}
}

// sweep ends idle environments whose time is over. Those that provisioned
// concurrency keeps stay, but are replaced when their credentials run out.
func (w *Worker) sweep(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life.Err() != nil {
		return
	}
	for _, s := range w.sets {
		kept := s.idle[:0]
		for _, e := range s.idle {
			spent := !e.expires.IsZero() && now.After(e.expires)
			if spent || e.kind != Provisioned && now.Sub(e.lastUsed) > w.cfg.IdleTimeout {
				w.drop(e)
				continue
			}
			kept = append(kept, e)
		}
		clear(s.idle[len(kept):])
		s.idle = kept
		w.provision(s)
		w.tidy(s)
	}
}

// evict ends what was used least recently of all that idles: a pool member
// first. It says whether there was anything.
func (w *Worker) evict() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life.Err() != nil {
		return false
	}
	if w.pool.yield() {
		return true
	}
	var oldest *Environment
	for _, s := range w.sets {
		for _, e := range s.idle {
			if e.kind != Provisioned && (oldest == nil || e.lastUsed.Before(oldest.lastUsed)) {
				oldest = e
			}
		}
	}
	if oldest == nil {
		return false
	}
	oldest.set.forget(oldest)
	w.drop(oldest)
	w.tidy(oldest.set)
	return true
}

// goodbye tells extensions to finish, and waits for the end of the program.
func (e *Environment) goodbye(m *member, reason string) {
	body, err := json.Marshal(frame.ShutdownBody{Reason: reason, TimeoutMs: goodbyeTimeout.Milliseconds()})
	if err != nil {
		return // a struct of a string and a number always has an encoding
	}
	deadline := time.Now().Add(goodbyeTimeout)
	_ = m.sb.Conn().SetWriteDeadline(deadline)
	if _, err := m.sb.Conn().Write(frame.Append(nil, frame.Shutdown, body)); err != nil {
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	select {
	case <-m.sb.Done():
	case <-ctx.Done():
	}
}
