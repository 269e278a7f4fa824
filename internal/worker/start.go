package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/code"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// Bounds inside an environment, as in
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxProcesses = 1024
	maxOpenFiles = 1024
	// hurriedInit is how much of an init keeps the pool from booting: one may take
	// long, and wait for others most of the time.
	hurriedInit = 500 * time.Millisecond
	// mibPerCPU is the memory size that comes with one whole CPU.
	mibPerCPU = 1769
)

// errNotNeeded ends a start whose call was served by another environment.
var errNotNeeded = errors.New("start no longer needed")

// start makes an environment of a set's version: code, sandbox, init. An init
// that fails is no error: the environment then answers its first call with it.
func (w *Worker) start(s *set, kind StartKind) (*Environment, error) {
	v := s.version
	e := &Environment{w: w, version: v, set: s, kind: kind, place: starting}
	e.phases.Began = time.Now()
	p, err := w.prepare(w.life, e)
	calm := func() {}
	if kind == Cold {
		calm = w.gate.hurry()
	}
	defer calm()
	if err == nil {
		err = w.furnish(w.life, e, p)
	}
	if err != nil {
		e.close(reasonFailure)
		if errors.Is(err, errNotNeeded) {
			return nil, err
		}
		return nil, fmt.Errorf("start %s: %w", v.Key, err)
	}
	e.parts = p
	defer time.AfterFunc(hurriedInit, calm).Stop()
	e.init(p, time.Now().Add(w.initTimeout(v, kind)))
	return e, nil
}

// hold gives the environment its sandbox; false when it was closed meanwhile.
func (e *Environment) hold(m *member) bool {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	if e.place == gone {
		return false
	}
	e.m = m
	return true
}

func (w *Worker) initTimeout(v *Version, kind StartKind) time.Duration {
	if kind == Provisioned {
		return max(130*time.Second, v.Timeout)
	}
	return w.cfg.InitTimeout
}

// parts is what an environment is put together from.
type parts struct {
	runtime    Runtime
	order      order
	task, opt  string // host directories; opt is "" without layers
	extensions []string
	keys       Keys
}

// prepare makes code, layers and credentials available.
func (w *Worker) prepare(ctx context.Context, e *Environment) (p parts, err error) {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	v := e.version
	if p.runtime, err = w.cfg.Runtimes.Lookup(v.Runtime); err != nil {
		return p, fmt.Errorf("find runtime %s: %w", v.Runtime, err)
	}
	dir, release, err := w.cfg.Code.Dir(ctx, v.Code)
	if err != nil {
		return p, fmt.Errorf("get code: %w", err)
	}
	p.task, e.release = dir, append(e.release, release)
	if len(v.Layers) > 0 {
		dir, release, err := w.cfg.Code.Layers(ctx, v.Layers)
		if err != nil {
			return p, fmt.Errorf("get layers: %w", err)
		}
		p.opt = dir
		for _, name := range code.Extensions(dir) {
			p.extensions = append(p.extensions, "/opt/extensions/"+name)
		}
		e.release = append(e.release, release)
	}
	if v.Role != "" {
		if p.keys, err = w.cfg.Credentials.ForRole(ctx, v.Role, v.Name, v.FunctionARN); err != nil {
			return p, fmt.Errorf("get credentials of role %s: %w", v.Role, err)
		}
		e.release = append(e.release, func() { w.cfg.Credentials.Revoke(p.keys) })
		if !p.keys.Expires.IsZero() {
			e.expires = p.keys.Expires.Add(-v.Timeout - time.Minute)
		}
	}
	p.order = w.order(v, p.runtime, len(p.extensions) > 0)
	if p.order.agent && w.cfg.Agent == "" {
		return p, fmt.Errorf("runtime %s or its extensions need the agent, which this node lacks", v.Runtime)
	}
	e.phases.Download = time.Since(e.phases.Began)
	return p, nil
}

// order says which sandbox a version needs.
func (w *Worker) order(v *Version, rt Runtime, extended bool) order {
	boot := rt.Boot(v.MemoryMiB)
	return order{
		boot:  boot,
		agent: boot.Agent || extended || rt.NeedsStart(v.Environment),
		// The init phase gets the CPU it can use; calls get their share.
		limits: sandbox.Limits{MemoryBytes: int64(v.MemoryMiB) << 20, Processes: maxProcesses, OpenFiles: maxOpenFiles},
		tmp:    int64(max(v.TmpMiB, defaultTmpMiB)) << 20,
	}
}

// furnish takes a booted sandbox or boots one, and puts the code in.
func (w *Worker) furnish(ctx context.Context, e *Environment, p parts) error {
	began := time.Now()
	m := w.pool.take(ctx, p.order)
	pooled := m != nil
	if !pooled {
		var err error
		if m, err = w.bootFor(ctx, e, p.order); err != nil {
			return err
		}
	}
	if !e.hold(m) {
		m.close()
		return ErrClosed
	}
	if err := e.attach(p); err != nil {
		return err
	}
	if pooled {
		if err := m.sb.Resize(p.order.limits); err != nil {
			return fmt.Errorf("set limits: %w", err)
		}
		if e.kind == Cold {
			e.kind = Pooled
		}
	} else {
		e.phases.RuntimeInit = m.runtimeTook
	}
	if e.stream == "" {
		e.stream = w.cfg.Clock.Now().UTC().Format("2006/01/02/") + "[" + e.version.Number + "]" + id.Hex(16)
	}
	m.journal.open(w.logGroup(ctx, e), e.stream)
	e.initStart(began)
	e.phases.Sandbox = time.Since(began) - e.phases.RuntimeInit
	return nil
}

// bootFor boots a sandbox for an environment.
func (w *Worker) bootFor(ctx context.Context, e *Environment, o order) (*member, error) {
	r := forCall
	if e.kind == Provisioned {
		r = forProvision
	}
	if err := w.gate.enter(ctx, r); err != nil {
		return nil, fmt.Errorf("wait for a turn to boot: %w", err)
	}
	defer w.gate.leave(r)
	if e.kind != Provisioned && !w.needed(e.set) {
		return nil, errNotNeeded
	}
	return w.boot(ctx, o)
}

func (e *Environment) attach(p parts) error {
	if err := e.m.sb.Attach(p.task, sandbox.PlaceTask); err != nil {
		return fmt.Errorf("attach code: %w", err)
	}
	if p.opt != "" {
		if err := e.m.sb.Attach(p.opt, sandbox.PlaceOpt); err != nil {
			return fmt.Errorf("attach layers: %w", err)
		}
	}
	return nil
}

// share is what a version's calls may take of the node: processors in proportion
// to its memory, and what others leave, up to MinCPUs.
func (w *Worker) share(v *Version) sandbox.Limits {
	cpus := float64(v.MemoryMiB) / mibPerCPU
	return sandbox.Limits{
		MemoryBytes: int64(v.MemoryMiB) << 20,
		CPUs:        max(w.cfg.MinCPUs, cpus),
		CPUShare:    cpus,
		Processes:   maxProcesses,
		OpenFiles:   maxOpenFiles,
	}
}
