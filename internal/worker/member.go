package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/forward"
	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

const (
	// bootTimeout bounds a sandbox's start up to its Hello, a loaded machine
	// allowed for.
	bootTimeout = 30 * time.Second
	// agentInside is where a sandbox sees the agent, and portsInside the sockets of
	// the node's ports.
	agentInside = "/var/mayfly/agent"
	portsInside = "/var/mayfly/ports"
	// overhead is what a sandbox takes beside its code, roughly.
	overhead = 25 << 20
)

// member is a booted sandbox: its program has said Hello and waits for Init.
type member struct {
	sb      sandbox.Sandbox
	r       *bufio.Reader
	idles   bool // calls end with an Idle frame: extensions are running
	journal *journal
	out     *pipe
	tel     *pipe
	born    time.Time
	// Phases of the boot.
	sandboxTook, runtimeTook time.Duration

	room     *room
	charge   atomic.Int64
	peak     atomic.Int64
	measured atomic.Int64 // when, in nanoseconds
	onEnded  atomic.Pointer[func()]
}

// order is what boot makes.
type order struct {
	boot   Boot
	agent  bool
	limits sandbox.Limits
	tmp    int64
}

// boot starts a sandbox and waits for its Hello. It takes room for it.
func (w *Worker) boot(ctx context.Context, o order) (*member, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	if err := w.room.take(ctx, guess); err != nil {
		return nil, err
	}
	m := &member{room: w.room, born: time.Now()}
	m.charge.Store(guess)
	sb, err := w.cfg.Driver.Start(ctx, w.spec(o))
	if err != nil {
		m.settle(0)
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	m.sb, m.sandboxTook = sb, time.Since(m.born)
	if err := m.open(ctx, w); err != nil {
		err = fmt.Errorf("boot runtime: %w%s", err, m.lastWords())
		m.close()
		return nil, err
	}
	m.runtimeTook = time.Since(m.born) - m.sandboxTook
	w.spawn(func() {
		<-m.sb.Done()
		if f := m.onEnded.Load(); f != nil {
			(*f)()
		}
	})
	return m, nil
}

func (w *Worker) spec(o order) sandbox.Spec {
	s := sandbox.Spec{
		ID:       "env-" + id.Hex(8),
		Args:     o.boot.Args,
		Env:      o.boot.Env,
		Dir:      o.boot.Dir,
		Mounts:   o.boot.Mounts,
		Limits:   o.limits,
		TmpBytes: o.tmp,
		Network:  true,
	}
	ported := len(w.cfg.Ports.Open) > 0
	s.Mounts = s.Mounts[:len(s.Mounts):len(s.Mounts)] // the runtime's own
	if o.agent || ported {
		s.Mounts = append(s.Mounts, sandbox.Mount{Host: w.cfg.Agent, Inside: agentInside})
	}
	if o.agent {
		s.Args = []string{agentInside}
	}
	if ported {
		s.Args = forward.Args(agentInside, portsInside, w.cfg.Ports.Open, s.Args)
		s.Mounts = append(s.Mounts, sandbox.Mount{Host: w.cfg.Ports.Dir, Inside: portsInside})
	}
	return s
}

// open attaches to the sandbox's pipes and reads its Hello.
func (m *member) open(ctx context.Context, w *Worker) (err error) {
	m.journal = newJournal(w.ship, m.measure)
	if m.out, err = newPipe(m.sb.Output(), m.journal, false); err != nil {
		return fmt.Errorf("open output: %w", err)
	}
	if m.tel, err = newPipe(m.sb.Telemetry(), m.journal, true); err != nil {
		return fmt.Errorf("open telemetry: %w", err)
	}
	w.spawn(m.out.wait)
	w.spawn(m.tel.wait)
	m.r = bufio.NewReaderSize(m.sb.Conn(), 4<<10)
	stop := context.AfterFunc(ctx, func() { _ = m.sb.Conn().SetDeadline(time.Unix(1, 0)) })
	defer stop()
	kind, body, err := frame.Read(m.r, nil)
	if err != nil {
		return fmt.Errorf("read hello: %w", err)
	}
	if kind != frame.Hello {
		return fmt.Errorf("read hello: got a %q frame", kind)
	}
	var hello frame.HelloBody
	if err := json.Unmarshal(body, &hello); err != nil {
		return fmt.Errorf("read hello: %w", err)
	}
	m.idles = hello.Idle
	if !stop() {
		return errors.New("read hello: too late")
	}
	return nil
}

// measure reads what the sandbox takes, corrects the node's account, and gives
// the peak in bytes. Reading costs some microseconds, so it is done ten times a
// second at most.
func (m *member) measure() int64 {
	now, last := time.Now().UnixNano(), m.measured.Load()
	if now-last < int64(100*time.Millisecond) || !m.measured.CompareAndSwap(last, now) {
		return m.peak.Load()
	}
	u := m.sb.Usage()
	if u.MemoryPeak > m.peak.Load() {
		m.peak.Store(u.MemoryPeak)
	}
	if u.MemoryBytes > 0 {
		m.settle(u.MemoryBytes + overhead)
	}
	return m.peak.Load()
}

// settle sets the member's charge on the node's memory. One that gave its room
// back takes none again.
func (m *member) settle(n int64) {
	for {
		old := m.charge.Load()
		if old == 0 {
			return
		}
		if m.charge.CompareAndSwap(old, n) {
			m.room.adjust(n - old)
			return
		}
	}
}

// whenEnded has f called, once or twice, when the sandbox has ended; it replaces
// what was set before.
func (m *member) whenEnded(w *Worker, f func()) {
	m.onEnded.Store(&f)
	if ended(m.sb) {
		w.spawn(f)
	}
}

// ended says whether a sandbox's program has ended.
func ended(sb sandbox.Sandbox) bool {
	select {
	case <-sb.Done():
		return true
	default:
		return false
	}
}

// spoke says whether the program has sent something that nobody has read.
func (m *member) spoke() bool {
	if m.r.Buffered() > 0 {
		return true
	}
	conn, ok := m.sb.Conn().(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false // it is closed
	}
	n := 0
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, _ = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && n > 0
}

// drain takes the log lines that are there now.
func (m *member) drain() {
	m.out.drain()
	m.tel.drain()
}

// close ends the sandbox, removes it, and gives its room back.
func (m *member) close() {
	m.sb.Kill()
	if m.journal != nil {
		m.journal.close()
	}
	_ = m.sb.Close() // a sandbox that resists is the driver's to sweep
	m.settle(0)
}

// lastWords quotes what a program wrote before it failed to boot.
func (m *member) lastWords() string {
	if m.tel == nil {
		return ""
	}
	m.drain()
	m.journal.mu.Lock()
	defer m.journal.mu.Unlock()
	if n := len(m.journal.pending); n > 0 {
		return fmt.Sprintf("; it wrote %.500q", m.journal.pending[n-1].text)
	}
	return ""
}
