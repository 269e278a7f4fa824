package worker

import (
	"fmt"
	"time"
)

// Provision keeps n initialised environments of v until it is called again with
// another n, or the function changes. It returns at once; Provisioned tells how
// far it is. What ends is replaced.
func (w *Worker) Provision(v *Version, n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life.Err() != nil {
		return ErrClosed
	}
	s := w.sets[v.Key]
	if s == nil {
		if n == 0 {
			return nil
		}
		s = w.open(v)
	}
	s.hold, s.broken = n, 0
	w.provision(s)
	w.tidy(s)
	return nil
}

// ProvisionStatus is how far provisioned concurrency of a version is.
type ProvisionStatus struct {
	// Requested environments, those Allocated (initialised) and, of these, the
	// ones Available for a call now.
	Requested, Allocated, Available int
	// Failing says that starts fail; they are repeated ever more slowly.
	Failing bool
}

// Provisioned reports on a version's provisioned concurrency.
func (w *Worker) Provisioned(key string) ProvisionStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sets[key]
	if s == nil {
		return ProvisionStatus{}
	}
	st := ProvisionStatus{Requested: s.hold, Allocated: s.provisioned(), Failing: s.broken > 0}
	for _, e := range s.idle {
		if e.kind == Provisioned {
			st.Available++
		}
	}
	return st
}

// Prime has a booted sandbox of the version's runtime made ready: what will
// probably be called soon, because it was just deployed.
func (w *Worker) Prime(v *Version) error {
	rt, err := w.cfg.Runtimes.Lookup(v.Runtime)
	if err != nil {
		return fmt.Errorf("find runtime %s: %w", v.Runtime, err)
	}
	o := w.order(v, rt, false)
	if o.agent && w.cfg.Agent == "" {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life.Err() != nil {
		return ErrClosed
	}
	w.pool.prime(o)
	return nil
}

// provision starts what provisioned concurrency lacks, and ends what is over.
func (w *Worker) provision(s *set) {
	have := s.provisioned()
	for i := len(s.idle) - 1; i >= 0 && have > s.hold; i-- {
		if e := s.idle[i]; e.kind == Provisioned {
			s.forget(e)
			w.drop(e)
			have--
		}
	}
	if s.broken > 0 && time.Since(s.brokenAt) < backoff.Wait(s.broken) {
		return
	}
	for have+s.holding < s.hold && w.life.Err() == nil {
		s.holding++
		w.spawn(func() { w.startProvisioned(s) })
	}
}

func (s *set) provisioned() int {
	n := 0
	for e := range s.all {
		if e.kind == Provisioned {
			n++
		}
	}
	return n
}

func (w *Worker) startProvisioned(s *set) {
	e, err := w.start(s, Provisioned)
	w.mu.Lock()
	defer w.mu.Unlock()
	s.holding--
	if err != nil || e.failed != nil || s.provisioned() >= s.hold || w.life.Err() != nil {
		if err != nil || e.failed != nil {
			s.broken, s.brokenAt = s.broken+1, time.Now()
			w.cfg.Log.Warn("a provisioned environment did not start", "function", s.version.FunctionARN, "error", err)
		}
		if e != nil {
			w.spawn(func() { e.close(reasonFailure) })
		}
		w.tidy(s)
		return
	}
	s.broken = 0
	w.adopt(s, e)
	w.settle(e)
}
