package pebble

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// conflict says that a transaction read what another has changed since.
type conflict struct{ key string }

func (c *conflict) Error() string { return fmt.Sprintf("conflict on %q", c.key) }

// pending is a commit that is applied and not yet known to be durable.
type pending struct {
	commit *commit
	batch  *engine.Batch
}

// try runs fn once and applies its writes. It returns nil and no error for a
// transaction that wrote nothing, a *conflict for one that must run again.
func (s *Store) try(ctx context.Context, fn func(store.Tx) error) (*pending, error) {
	mark := s.history.begin()
	defer s.history.end(mark)
	t, err := s.run(fn)
	if err != nil || t.writes.Empty() {
		// Also an error may come from what was read, so it waits as well.
		if waitErr := settle(ctx, s.history.unsyncedNow(), t.seen); waitErr != nil {
			return nil, waitErr
		}
		return nil, err
	}
	if t.writes.Grows() && !s.reserve.restore() {
		return nil, store.ErrFull
	}
	return s.apply(mark.Value.(uint64), t)
}

func (s *Store) run(fn func(store.Tx) error) (*tx, error) {
	t := &tx{reader{snap: s.db.NewSnapshot(), seen: &footprint{}, writes: &driver.Writes{}}}
	defer t.snap.Close()
	if err := fn(t); err != nil {
		return t, err
	}
	return t, t.writes.Err()
}

// apply puts t's writes into the log and the memory table, if nothing it read
// was changed by a commit after since.
func (s *Store) apply(since uint64, t *tx) (*pending, error) {
	c := &commit{keys: t.writes.Keys(), spans: t.writes.Spans(), synced: make(chan struct{})}
	b, err := s.batch(t.writes)
	if err != nil {
		return nil, err
	}
	s.order.Lock()
	defer s.order.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	if key, hit := s.history.changed(since, t.seen); hit {
		b.Close()
		return nil, &conflict{key}
	}
	s.history.announce(c)
	if err := s.write(b); err != nil {
		c.fail(err)
		return nil, s.breakdown(err)
	}
	s.history.add(c)
	return &pending{c, b}, nil
}

// batch makes the engine's record of a transaction's changes.
func (s *Store) batch(w *driver.Writes) (*engine.Batch, error) {
	b := s.db.NewBatch()
	for _, r := range w.Spans() {
		if err := b.DeleteRange([]byte(r.Start), []byte(r.End), nil); err != nil {
			return nil, fmt.Errorf("delete range: %w", err)
		}
	}
	for k, v := range w.All() {
		var err error
		if v.Deleted {
			err = b.Delete([]byte(k), nil)
		} else {
			err = b.Set([]byte(k), v.Value, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("write key: %w", err)
		}
	}
	return b, nil
}

// write hands b to the engine, which panics if its log has failed before.
func (s *Store) write(b *engine.Batch) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("write to the store's log: %v", r)
		}
	}()
	return s.db.ApplyNoSyncWait(b, engine.Sync)
}

// sync waits until p is durable, and tells readers and watchers.
func (s *Store) sync(p *pending) error {
	if err := p.batch.SyncWait(); err != nil {
		err = fmt.Errorf("sync the store's log, so whether this was written is not known: %w", err)
		p.commit.fail(err)
		s.order.Lock()
		defer s.order.Unlock()
		return s.breakdown(err)
	}
	close(p.commit.synced)
	s.history.settled()
	s.watchers.Notify(p.commit.keys, p.commit.spans)
	return p.batch.Close()
}

// breakdown ends all commits after a failed write of the log: what a failed
// sync has left on the disk is known only after recovery. It needs s.order.
func (s *Store) breakdown(err error) error {
	if s.broken == nil {
		s.broken = fmt.Errorf("the store stopped writing after: %w", err)
		s.fatal(s.broken)
	}
	return err
}

// fullError adds store.ErrFull to an error that comes from a full disk.
func fullError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}
