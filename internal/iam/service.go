package iam

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/recall"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Config is what a Service is built from. Store, Account and Sealer must be set.
type Config struct {
	Store store.Store
	// Account is the one that everything here belongs to.
	Account string
	// Region is told as where keys and roles were last used.
	Region string
	// Sealer keeps the secrets of access keys.
	Sealer Sealer
	Clock  clock.Clock  // default clock.System
	Log    *slog.Logger // default slog.Default()
}

// Service is identity management of one account. Its methods are safe for concurrent
// use.
type Service struct {
	cfg      Config
	changes  recall.Generation
	callers  recall.Cache[string, *Caller]
	keys     recall.Cache[string, credential]
	compiled recall.Cache[string, *policy.Policy] // by document: never out of date
	trusts   recall.Cache[string, *policy.Policy] // the same for trust policies
	used     uses
}

// New makes a Service. Changes made by other nodes are seen, and what was used last is
// stored, while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Service{cfg: cfg}
}

// Run watches for changes and stores what was used last, until ctx ends. Then it
// stores what is still to be stored and returns nil.
func (s *Service) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return s.watch(running) })
	g.Go(func() error { return s.storeUses(running) })
	return g.Wait()
}

// watch forgets what is remembered whenever anything has changed.
func (s *Service) watch(ctx context.Context) error {
	changed, stop := s.cfg.Store.Watch(store.Key(room))
	defer stop()
	s.changes.Forget() // what changed before the watch began
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			s.changes.Forget()
		}
	}
}

// change is Store.Update for everything that decides who may do what: once it has
// returned, nothing that was remembered from before counts any more. Even an
// error may come after the commit.
func (s *Service) change(ctx context.Context, fn func(store.Tx) error) error {
	defer s.changes.Forget()
	return s.cfg.Store.Update(ctx, fn)
}

// Account is the account that everything here belongs to.
func (s *Service) Account() string { return s.cfg.Account }

// now is the time as it is stored: AWS's times are of whole seconds.
func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Second) }
