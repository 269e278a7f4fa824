package worker

import (
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// shelf finds or makes an order's shelf; nil when it is not pooled.
func (p *pool) shelf(o order) *shelf {
	key := o.key()
	if key == "" || p.cfg.Max < 0 || p.closed {
		return nil
	}
	s := p.shelves[key]
	if s == nil {
		o.boot.Args = slices.Concat(o.boot.Args, o.boot.Ahead)
		o.limits = sandbox.Limits{MemoryBytes: pooledMemory, Processes: maxProcesses, OpenFiles: maxOpenFiles}
		s = &shelf{order: o, target: 1}
		p.shelves[key] = s
	}
	return s
}

// refill plans the boots that a shelf lacks.
func (p *pool) refill(s *shelf) {
	for !p.closed && len(s.ready)+s.planned-len(s.claims) < s.target {
		s.planned++
		p.w.spawn(func() { p.stock(s) })
	}
}

// stock boots one member and puts it on its shelf.
func (p *pool) stock(s *shelf) {
	m, err := p.bootMember(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	s.planned--
	if err != nil {
		if p.w.life.Err() == nil {
			s.failures++
			s.retryAt = time.Now().Add(backoff.Wait(s.failures))
			p.w.cfg.Log.Warn("a sandbox for the pool did not boot", "runtime", s.order.key(), "failures", s.failures, "error", err)
		}
		p.serveClaim(s, nil)
		return
	}
	if m == nil || p.serveClaim(s, m) {
		return
	}
	if p.closed || p.shelves[s.order.key()] != s {
		p.w.spawn(m.close)
		return
	}
	s.failures = 0
	s.ready = append(s.ready, m)
	m.whenEnded(p.w, func() { p.lost(s, m) })
}

// bootMember waits for its turn and boots; nil without error when there is no
// room or no use for another member.
func (p *pool) bootMember(s *shelf) (*member, error) {
	p.mu.Lock()
	wait := max(p.cfg.Delay, time.Until(s.retryAt))
	p.mu.Unlock()
	if !sleep(p.w.life, wait) {
		return nil, nil
	}
	if err := p.w.gate.enter(p.w.life, forPool); err != nil {
		return nil, nil
	}
	defer p.w.gate.leave(forPool)
	if !p.w.room.fits(guess) {
		return nil, nil
	}
	p.count(s, 1)
	defer p.count(s, -1)
	m, err := p.w.boot(p.w.life, s.order)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	claimed := len(s.claims) > 0
	p.mu.Unlock()
	if !claimed {
		if err := m.sb.Freeze(); err != nil {
			m.close()
			return nil, err
		}
	}
	return m, nil
}

// serveClaim gives m, or the news that there is none, to the first claim.
func (p *pool) serveClaim(s *shelf, m *member) bool {
	if len(s.claims) == 0 {
		return false
	}
	s.claims[0] <- m
	s.claims = s.claims[1:]
	return true
}

func (p *pool) count(s *shelf, by int) {
	p.mu.Lock()
	s.booting += by
	p.mu.Unlock()
}

// lost removes a member that ended by itself. Members that keep ending are
// treated like boots that fail.
func (p *pool) lost(s *shelf, m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.remove(m) {
		s.failures++
		s.retryAt = time.Now().Add(backoff.Wait(s.failures))
		p.w.spawn(m.close)
	}
}

func (s *shelf) remove(m *member) bool {
	for i := range s.ready {
		if s.ready[i] == m {
			s.ready = append(s.ready[:i:i], s.ready[i+1:]...)
			return true
		}
	}
	return false
}

// tend lets shelves shrink with time, replaces what is old and refills.
func (p *pool) tend(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, s := range p.shelves {
		if now.Sub(s.used) > p.cfg.IdleAfter {
			delete(p.shelves, key)
			p.drop(s, len(s.ready))
			continue
		}
		if s.target > 1 && now.Sub(s.missed) > targetDecay {
			s.target--
			s.missed = now
		}
		old := 0
		for old < len(s.ready) && now.Sub(s.ready[old].born) > p.cfg.MaxAge {
			old++
		}
		p.drop(s, max(old, len(s.ready)-s.target))
		p.refill(s)
	}
}

// yield gives up one member for the room it takes; false when there is none.
func (p *pool) yield() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.shelves {
		if len(s.ready) > 0 {
			s.target = max(1, s.target-1)
			p.drop(s, 1)
			return true
		}
	}
	return false
}

// drop ends a shelf's n oldest members.
func (p *pool) drop(s *shelf, n int) {
	for _, m := range s.ready[:max(n, 0)] {
		p.w.spawn(m.close)
	}
	s.ready = append([]*member(nil), s.ready[max(n, 0):]...)
}

// close ends every member. Boots under way end by themselves.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range p.shelves {
		p.drop(s, len(s.ready))
	}
}

// PoolStatus counts the members that are ready, by kind.
func (w *Worker) PoolStatus() map[string]int {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	status := map[string]int{}
	for key, s := range w.pool.shelves {
		status[key] = len(s.ready)
	}
	return status
}
