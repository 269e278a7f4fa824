package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/mayfly-cloud/mayfly/internal/retry"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// Bounds of what an Update goes through before it gives up.
var (
	// conflicts: retries after the first patience ones stand in a line.
	conflicts = retry.Policy{Attempts: 64, Base: 200 * time.Microsecond, Max: 20 * time.Millisecond}
	// losses: a server that restarts is back within this, as a rule.
	losses = retry.Policy{Attempts: 10, Base: 50 * time.Millisecond, Max: time.Second}
)

const patience = 2

// Store is a store.Store in a database.
type Store struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	gate     driver.Gate
	lines    *driver.Lines
	watchers driver.Watchers
	group    group
	bell     *bell
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the database, and makes its table if it is not there.
// Other nodes may have it open at the same time.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Look == 0 {
		cfg.Look = defaultLook
	}
	poolCfg, err := ParseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, poolCfg)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", Place(poolCfg.ConnConfig), err)
	}
	if err := makeTable(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s: %w", Place(poolCfg.ConnConfig), err)
	}
	s := &Store{pool: pool, log: cfg.Log, lines: driver.NewLines()}
	if s.bell, err = hang(ctx, s, poolCfg.ConnConfig, cfg.Look); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s: %w", Place(poolCfg.ConnConfig), err)
	}
	return s, nil
}

// View implements store.Store. It stands at one place in the serial order of
// transactions: a snapshot alone could show a state that no order of Updates
// has (a reader between two that overlap).
func (s *Store) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	r := &reader{session: session{pool: s.pool, ctx: ctx, begin: beginView, replay: &replay{}}, writes: &driver.Writes{}}
	defer r.session.drop()
	err := fn(r)
	if ended := r.session.end(); ended != nil && err == nil {
		err = ended
	}
	return given(err)
}

// given is what a caller is told when attempts are used up.
func given(err error) error {
	if isConflict(err) {
		return fmt.Errorf("%w: %w", store.ErrConflict, err)
	}
	return err
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	var place driver.Place
	defer place.Leave()
	var key string // what the last attempt probably collided on
	var err error
	return given(s.persist(ctx, func(ctx context.Context, collisions int) error {
		if collisions >= patience || errors.Is(err, errOvertaking) {
			if err := s.lines.Join(ctx, &place, key); err != nil {
				return err
			}
		}
		t := &tx{reader{session: session{pool: s.pool, ctx: ctx, begin: beginUpdate}, writes: &driver.Writes{}}}
		defer t.session.drop() // what a panic of fn leaves open
		err = s.try(t, &place, fn)
		key = t.first()
		return err
	}))
}

// persist calls fn until it neither collides nor loses its connection, or the
// attempts at either are used up. fn is told how often it has collided.
func (s *Store) persist(ctx context.Context, fn func(ctx context.Context, collisions int) error) error {
	collisions := 0
	err := retry.Do(ctx, losses, func(ctx context.Context) error {
		err := retry.Do(ctx, conflicts, func(ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				return retry.Stop(err)
			}
			err := fn(ctx, collisions)
			if isConflict(err) {
				collisions++
				return err
			}
			return stop(err)
		})
		if isLost(err) {
			return err
		}
		return stop(err)
	})
	if ctx.Err() != nil && (isConflict(err) || isLost(err)) {
		return ctx.Err() // it ended a wait
	}
	return err
}

// stop marks an error as final; none stays none.
func stop(err error) error {
	if err == nil {
		return nil
	}
	return retry.Stop(err)
}

// errOvertaking is the conflict of a transaction that would make one collide again
// that stands in line.
var errOvertaking = errors.New("another transaction's turn")

// try runs fn once and commits what it wrote.
func (s *Store) try(t *tx, place *driver.Place, fn func(store.Tx) error) error {
	err := fn(t)
	if broken := t.session.err; broken != nil { // fn may have passed over it
		if isConflict(broken) || isLost(broken) || err == nil {
			return broken
		}
		return err
	}
	if err == nil {
		err = t.writes.Err()
	}
	if err != nil || t.writes.Empty() {
		// Also an error may come from what was read: it counts only if that could
		// be put into the serial order.
		if invalid := t.session.end(); invalid != nil && (isConflict(invalid) || isLost(invalid) || err == nil) {
			return invalid
		}
		return err
	}
	if !t.session.begun() && !t.long() {
		return s.group.commit(t.session.ctx, s, t.writes)
	}
	if s.lines.Busy(place, t.first()) {
		return conflict{errOvertaking}
	}
	if err := t.commit(); err != nil {
		return err
	}
	s.committed(t.writes)
	return nil
}

// committed tells who waits for changes, here and in other processes.
func (s *Store) committed(w *driver.Writes) {
	keys, spans := w.Keys(), w.Spans()
	s.watchers.Notify(keys, spans)
	s.bell.ring(keys, spans)
}

// Watch implements store.Store.
func (s *Store) Watch(prefix []byte) (<-chan struct{}, func()) { return s.watchers.Add(prefix) }

// Close implements store.Store. Closing again returns store.ErrClosed.
func (s *Store) Close() error {
	if err := s.gate.Shut(); err != nil {
		return err
	}
	s.group.close()
	s.bell.close()
	s.pool.Close()
	return nil
}
