package worker

import (
	"context"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/retry"
)

// PoolConfig sizes the pool of booted sandboxes.
type PoolConfig struct {
	// Max is the most members of one kind; default 4, below 0 for no pool.
	Max int
	// IdleAfter is how long after the last use of a runtime its members are
	// kept; default 10 min. A node that is idle longer has an empty pool.
	IdleAfter time.Duration
	// MaxAge is when a member is replaced; default 1 h.
	MaxAge time.Duration
	// Delay is how long a refill waits after a member was taken, so that it
	// takes no CPU from the call that took it; default 50 ms.
	Delay time.Duration
}

func (c PoolConfig) withDefaults() PoolConfig {
	setDefault(&c.Max, 4)
	setDefault(&c.IdleAfter, 10*time.Minute)
	setDefault(&c.MaxAge, time.Hour)
	setDefault(&c.Delay, 50*time.Millisecond)
	return c
}

const (
	// pooledMemory is a member's memory limit until it serves a function.
	pooledMemory = 512 << 20
	// defaultTmpMiB is the only size of /tmp the pool has.
	defaultTmpMiB = 512
	// targetDecay is how long without a miss a pool keeps its size.
	targetDecay = time.Minute
)

// backoff spaces the boots of a runtime that fails to boot.
var backoff = retry.Policy{Base: time.Second, Max: 5 * time.Minute}

// pool keeps booted, frozen sandboxes, a shelf for each kind of boot. A shelf's
// target doubles when a call finds it empty and shrinks again with time.
type pool struct {
	w   *Worker
	cfg PoolConfig

	mu      sync.Mutex
	shelves map[string]*shelf
	closed  bool
}

type shelf struct {
	order    order
	ready    []*member // oldest first; the newest is taken
	booting  int       // past the gate
	planned  int       // boots under way, those before the gate included
	claims   []chan *member
	target   int
	used     time.Time // last take
	missed   time.Time // last take that found nothing ready
	failures int
	retryAt  time.Time
}

func newPool(w *Worker) *pool {
	return &pool{w: w, cfg: w.cfg.Pool, shelves: map[string]*shelf{}}
}

// key is the shelf of an order; "" when it can't be pooled.
func (o order) key() string {
	switch {
	case o.boot.PoolKey == "" && !o.agent, o.tmp != defaultTmpMiB<<20:
		return ""
	case o.agent:
		return "agent " + o.boot.PoolKey
	}
	return o.boot.PoolKey
}

// take gives a running member, or nil when none is ready and none is booting.
func (p *pool) take(ctx context.Context, o order) *member {
	for {
		m, claim := p.reach(o)
		switch {
		case m != nil:
			if err := m.sb.Thaw(); err == nil && !ended(m.sb) {
				return m
			}
			p.w.spawn(m.close)
		case claim != nil:
			select {
			case m := <-claim:
				if m == nil || m.sb.Thaw() == nil { // it may have been frozen just before
					return m
				}
				p.w.spawn(m.close)
			case <-ctx.Done():
				p.w.spawn(func() { p.waive(claim) })
				return nil
			}
		default:
			return nil
		}
	}
}

// reach takes what is ready, or lays claim to a member that is booting.
func (p *pool) reach(o order) (*member, chan *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shelf(o)
	if s == nil {
		return nil, nil
	}
	s.used = time.Now()
	defer p.refill(s)
	if n := len(s.ready); n > 0 {
		m := s.ready[n-1]
		s.ready = s.ready[:n-1]
		return m, nil
	}
	s.missed = s.used
	s.target = min(p.cfg.Max, 2*s.target)
	if s.booting <= len(s.claims) {
		return nil, nil
	}
	claim := make(chan *member, 1)
	s.claims = append(s.claims, claim)
	return nil, claim
}

// waive gives back what an abandoned claim brings.
func (p *pool) waive(claim chan *member) {
	if m := <-claim; m != nil {
		m.close()
	}
}

// prime makes sure that members of this kind are kept ready.
func (p *pool) prime(o order) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.shelf(o); s != nil {
		s.used = time.Now()
		p.refill(s)
	}
}
