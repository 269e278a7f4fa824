package worker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// place is where an environment stands in its set; guarded by Worker.mu.
type place int

const (
	starting place = iota
	idle
	busy
	gone
)

// Environment is one execution environment: a sandbox that serves one version.
// Whoever got it from Acquire has it alone until Release.
type Environment struct {
	w       *Worker
	version *Version
	set     *set
	kind    StartKind
	stream  string
	expires time.Time // of its credentials; zero: never
	parts   parts
	release []func() // of its directories

	// Guarded by Worker.mu.
	place    place
	lastUsed time.Time

	// Its holder's alone.
	m       *member
	phases  Phases
	first   bool     // this holder waited for the start
	failed  *failure // of the init: the next call answers it
	retried bool     // the init took too long: the next call repeats it
	waits   bool     // extensions still work on the last call
	buf     []byte

	// freeze guards frozen and the sandbox's Freeze and Thaw. An environment is
	// never frozen while calling is set.
	freeze  sync.Mutex
	frozen  bool
	calling atomic.Bool
	timer   *time.Timer
	once    sync.Once
}

// Kind says where the environment came from, for the holder's call: Warm unless
// its start was waited for.
func (e *Environment) Kind() StartKind {
	if e.first || e.kind == Provisioned {
		return e.kind
	}
	return Warm
}

// Phases is what the start took if the holder waited for it; zero otherwise.
func (e *Environment) Phases() Phases {
	if e.first {
		return e.phases
	}
	return Phases{}
}

// LogStream is the environment's log stream, of Lambda's form
// "2026/11/23/[$LATEST]5f..".
func (e *Environment) LogStream() string { return e.stream }

// MemoryPeak is the most memory the environment was seen to take, in bytes,
// as last measured; Measure measures first.
func (e *Environment) MemoryPeak() int64 { return e.m.peak.Load() }

// Measure measures the environment's memory and gives its peak in bytes.
func (e *Environment) Measure() int64 { return e.m.measure() }

// Note adds a line of the platform's own to the log stream.
func (e *Environment) Note(at time.Time, text string) { e.m.journal.note(at, text) }

// NoteLate adds a line whose text is made when the log is shipped, off the
// call's path, with the peak of the memory in bytes.
func (e *Environment) NoteLate(at time.Time, text func(memoryPeak int64) string) {
	e.m.journal.late(at, text)
}

// Tail starts to keep the last 4 KiB of the log; what it returns gives them.
func (e *Environment) Tail() (end func() []byte) {
	e.m.journal.beginTail()
	return e.m.journal.endTail
}

// Release gives the environment back after a call, to the next who waits for
// one. It does not wait for anything.
func (e *Environment) Release() {
	if e.waits && e.w.spawnIfOpen(e.awaitIdle) {
		return
	}
	e.w.put(e)
}

// awaitIdle reads on until the extensions are done with the call.
func (e *Environment) awaitIdle() {
	_ = e.m.sb.Conn().SetReadDeadline(time.Now().Add(e.version.Timeout))
	kind, _, err := frame.Read(e.m.r, e.buf)
	e.waits = false
	if err != nil || kind != frame.Idle {
		e.kill()
	}
	e.w.put(e)
}

// wake makes an environment that was idle ready for a call; false when it can
// serve none any more.
func (e *Environment) wake() bool {
	e.freeze.Lock()
	defer e.freeze.Unlock()
	if e.frozen {
		e.frozen = false
		if err := e.m.sb.Thaw(); err != nil {
			e.kill()
			return false
		}
	}
	return !ended(e.m.sb)
}

// rest arms the freeze of an idle environment.
func (e *Environment) rest() {
	if e.timer == nil {
		e.timer = time.AfterFunc(e.w.cfg.FreezeAfter, e.chill)
		return
	}
	e.timer.Reset(e.w.cfg.FreezeAfter)
}

// chill freezes the environment if it is still idle. What it sent meanwhile
// answers no call: such an environment is not kept.
func (e *Environment) chill() {
	e.freeze.Lock()
	defer e.freeze.Unlock()
	if e.calling.Load() || e.frozen || ended(e.m.sb) {
		return
	}
	if e.m.spoke() {
		e.kill()
		return
	}
	e.m.drain()
	if err := e.m.sb.Freeze(); err == nil {
		e.frozen = true
	}
}

// Kill ends the environment's sandbox at once, whatever it does; a call that
// runs there fails. The holder still has to Release it.
func (e *Environment) Kill() {
	e.w.mu.Lock()
	m := e.m
	e.w.mu.Unlock()
	m.sb.Kill()
}

// kill is Kill by the holder.
func (e *Environment) kill() { e.m.sb.Kill() }

// Reasons of a Shutdown frame.
const (
	reasonSpindown = "spindown"
	reasonFailure  = "failure"
)

// close ends the environment and gives back what it held. Extensions get up to
// two seconds to finish, as in AWS.
func (e *Environment) close(reason string) {
	e.once.Do(func() {
		e.calling.Store(true) // no freeze from here on
		e.w.mu.Lock()
		m := e.m
		e.w.mu.Unlock()
		if m != nil {
			if reason == reasonSpindown && m.idles && !ended(m.sb) {
				e.wake()
				e.goodbye(m, reason)
			}
			m.drain()
			m.close()
		}
		for _, f := range e.release {
			f()
		}
	})
}
