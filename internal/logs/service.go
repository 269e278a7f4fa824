package logs

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"golang.org/x/sync/errgroup"
)

// Config is what a Service is built from. Store, Account and Region must be set.
type Config struct {
	Store store.Store
	// Account and Region are those of every group.
	Account, Region string
	Clock           clock.Clock  // default clock.System
	Log             *slog.Logger // default slog.Default()
}

// Service serves CloudWatch Logs. Its methods are safe for concurrent use.
type Service struct {
	cfg  Config
	sink sink
	seq  atomic.Uint64 // number of the newest chunk
}

// New makes a Service. What is appended is stored while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Service{cfg: cfg, sink: newSink()}
}

// Run stores what is appended and removes what has expired, until ctx ends. Then
// it stores what is still queued, taking at most drainTime, and returns nil.
func (s *Service) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return s.drain(running) })
	g.Go(func() error { return s.sweepRegularly(running) })
	return g.Wait()
}

// now is the time in milliseconds since 1970, as all of AWS's logs have it.
func (s *Service) now() int64 { return s.cfg.Clock.Now().UnixMilli() }

// next gives a number for a chunk, above all before it, across restarts too as
// long as the machine's clock goes forward.
func (s *Service) next() uint64 {
	for {
		last := s.seq.Load()
		n := max(uint64(time.Now().UnixNano()), last+1)
		if s.seq.CompareAndSwap(last, n) {
			return n
		}
	}
}
