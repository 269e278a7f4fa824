package worker

import (
	"context"
	"errors"
	"time"
)

// prepareTimeout bounds the fetching of code, layers and credentials.
const prepareTimeout = 2 * time.Minute

// set is a version's environments on this node. Guarded by Worker.mu.
type set struct {
	version  *Version
	idle     []*Environment // the most recently used last
	all      map[*Environment]struct{}
	waiters  []*waiter // first come, first served
	starting int       // starts under way
	retired  bool      // the function has changed: nothing is kept
	hold     int       // provisioned environments wanted
	holding  int       // provisioned starts under way
	brokenAt time.Time // last provisioned start that failed
	broken   int
}

// waiter is a call that waits for an environment.
type waiter struct{ grant chan grant }

type grant struct {
	env *Environment
	err error
}

// Acquire gives an environment of v: the idle one used most recently, or else
// whichever comes first of one that is given back and one that is started now.
// It waits until ctx ends. The caller has the environment alone, and must
// Release it.
func (w *Worker) Acquire(ctx context.Context, v *Version) (*Environment, error) {
	w.mu.Lock()
	s := w.sets[v.Key]
	if s == nil && w.life.Err() == nil {
		s = w.open(v)
	}
	for s != nil && len(s.idle) > 0 {
		e := w.pop(s)
		w.mu.Unlock()
		if e.wake() {
			return e, nil
		}
		e.Release() // it ended in its sleep
		w.mu.Lock()
	}
	if w.life.Err() != nil {
		w.mu.Unlock()
		return nil, ErrClosed
	}
	wt := &waiter{make(chan grant, 1)}
	s.waiters = append(s.waiters, wt)
	w.balance(s)
	w.mu.Unlock()
	select {
	case g := <-wt.grant:
		return g.env, g.err
	case <-ctx.Done():
		w.leave(s, wt)
		return nil, ctx.Err()
	}
}

// pop takes the idle environment that was used last.
func (w *Worker) pop(s *set) *Environment {
	e := s.idle[len(s.idle)-1]
	s.idle[len(s.idle)-1] = nil
	s.idle = s.idle[:len(s.idle)-1]
	e.place, e.first = busy, false
	e.calling.Store(true)
	return e
}

// put takes an environment back from its holder.
func (w *Worker) put(e *Environment) {
	w.mu.Lock()
	w.settle(e)
	w.mu.Unlock()
}

// settle gives an environment to a waiter, makes it idle, or ends it.
func (w *Worker) settle(e *Environment) {
	s := e.set
	if e.place == gone {
		return
	}
	now := time.Now()
	tired := e.failed != nil || ended(e.m.sb) || w.life.Err() != nil || s.retired && len(s.waiters) == 0 ||
		!e.expires.IsZero() && now.After(e.expires)
	if tired {
		w.drop(e)
		w.balance(s)
		w.provision(s)
		w.tidy(s)
		return
	}
	if len(s.waiters) > 0 {
		e.first = false
		s.waiters[0].grant <- grant{env: e}
		s.waiters = s.waiters[1:]
		return
	}
	e.place, e.lastUsed = idle, now
	e.calling.Store(false)
	s.idle = append(s.idle, e)
	e.rest()
}

// open makes the set of a version, and retires the one it replaces.
func (w *Worker) open(v *Version) *set {
	name := v.FunctionARN + " " + v.Number
	if old := w.sets[w.current[name]]; old != nil {
		w.retire(old)
	}
	version := *v
	s := &set{version: &version, all: map[*Environment]struct{}{}}
	w.current[name] = v.Key
	w.sets[v.Key] = s
	return s
}

// Retire ends the environments of a function: the idle ones now, the others
// when their call is done. A later call starts new ones.
func (w *Worker) Retire(functionARN string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sets {
		if s.version.FunctionARN == functionARN {
			w.retire(s)
		}
	}
}

func (w *Worker) retire(s *set) {
	s.retired, s.hold = true, 0
	for _, e := range s.idle {
		w.drop(e)
	}
	s.idle = nil
	w.tidy(s)
}

// tidy forgets a set that has nothing.
func (w *Worker) tidy(s *set) {
	if len(s.all) > 0 || len(s.waiters) > 0 || s.starting > 0 || s.hold > 0 || s.holding > 0 {
		return
	}
	v := s.version
	if w.sets[v.Key] == s {
		delete(w.sets, v.Key)
	}
	if name := v.FunctionARN + " " + v.Number; w.current[name] == v.Key {
		delete(w.current, name)
	}
}

// balance starts what the waiters of a set still lack.
func (w *Worker) balance(s *set) {
	for s.starting < len(s.waiters) && w.life.Err() == nil {
		s.starting++
		w.spawn(func() { w.startFor(s) })
	}
}

// startFor starts one environment for whoever waits longest.
func (w *Worker) startFor(s *set) {
	e, err := w.start(s, Cold)
	w.mu.Lock()
	defer w.mu.Unlock()
	s.starting--
	switch {
	case errors.Is(err, errNotNeeded):
	case err != nil && len(s.waiters) > 0:
		s.waiters[0].grant <- grant{err: err}
		s.waiters = s.waiters[1:]
	case err != nil:
	case len(s.waiters) > 0 && w.life.Err() == nil:
		w.adopt(s, e)
		e.place, e.first = busy, true
		e.calling.Store(true)
		s.waiters[0].grant <- grant{env: e}
		s.waiters = s.waiters[1:]
	case e.failed != nil || e.retried || w.life.Err() != nil || s.retired:
		w.spawn(func() { e.close(reasonSpindown) })
	default:
		w.adopt(s, e)
		e.place, e.lastUsed = idle, time.Now()
		s.idle = append(s.idle, e)
		e.rest()
	}
	w.balance(s)
	w.tidy(s)
}

// needed says whether a start that has not begun still has someone to serve.
func (w *Worker) needed(s *set) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.starting <= len(s.waiters)
}

// adopt puts a started environment into its set.
func (w *Worker) adopt(s *set, e *Environment) {
	s.all[e] = struct{}{}
	w.adoptMember(e)
}

// adoptMember has the worker hear of the end of an environment's sandbox.
func (w *Worker) adoptMember(e *Environment) {
	e.m.whenEnded(w, func() { w.ended(e) })
}

// ended removes an idle environment whose sandbox ended by itself. One that has
// a holder is found out by its call.
func (w *Worker) ended(e *Environment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.place == idle {
		e.set.forget(e)
		w.drop(e)
		w.provision(e.set)
		w.tidy(e.set)
	}
}

// drop takes an environment out of its set and closes it in the background.
func (w *Worker) drop(e *Environment) {
	e.place = gone
	delete(e.set.all, e)
	w.spawn(func() { e.close(reasonSpindown) })
}

// forget takes an environment off the idle ones.
func (s *set) forget(e *Environment) {
	for i := range s.idle {
		if s.idle[i] == e {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			return
		}
	}
}

// leave takes a waiter that gave up out of the line. An environment it was
// granted at the same moment goes to the next.
func (w *Worker) leave(s *set, wt *waiter) {
	w.mu.Lock()
	for i := range s.waiters {
		if s.waiters[i] == wt {
			s.waiters = append(s.waiters[:i:i], s.waiters[i+1:]...)
			w.mu.Unlock()
			return
		}
	}
	w.mu.Unlock()
	if g := <-wt.grant; g.env != nil {
		g.env.Release()
	}
}
