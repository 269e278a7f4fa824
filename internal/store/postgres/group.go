package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// A transaction that has read nothing can stand anywhere in the serial order, so
// those that are ready at the same time stand side by side: as one transaction of
// the database, with one round trip and one sync. While some are on their way the
// next gather; nobody waits for company.
const (
	flights    = 4 // groups on their way at once
	groupBytes = 8 << 20
	// flightTime bounds what a group waits for a server that says nothing.
	flightTime = time.Minute
)

// group gathers blind transactions. The zero value is ready.
type group struct {
	mu      sync.Mutex
	waiting []*blind
	flying  int
	wg      sync.WaitGroup // of flights
}

// blind is a transaction without reads that waits for its commit.
type blind struct {
	writes *driver.Writes
	done   chan error // gets one
}

// commit returns when w is committed, alone or with others, or can't be. If ctx
// ends while it is under way, what becomes of it is not known.
func (g *group) commit(ctx context.Context, s *Store, w *driver.Writes) error {
	b := &blind{w, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, b)
	if g.flying < flights {
		g.flying++
		g.wg.Go(func() { g.fly(s) })
	}
	g.mu.Unlock()
	select {
	case err := <-b.done:
		return err
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, b); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		return ctx.Err()
	}
	return fmt.Errorf("commit, so whether this was written is not known: %w", ctx.Err())
}

// fly commits groups until nobody waits.
func (g *group) fly(s *Store) {
	for {
		members := g.board()
		if len(members) == 0 {
			return
		}
		all := members[0].writes // its transaction is over, but for this
		for _, b := range members[1:] {
			all.Append(b.writes)
		}
		err := s.commitBlind(all)
		for _, b := range members {
			b.done <- err
		}
	}
}

// board takes those who wait; if there are none, the flight is over.
func (g *group) board() []*blind {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, size := 0, 0
	for ; n < len(g.waiting) && (n == 0 || size < groupBytes); n++ {
		for k, v := range g.waiting[n].writes.All() {
			size += len(k) + len(v.Value)
		}
	}
	members := slices.Clone(g.waiting[:n])
	if g.waiting = slices.Delete(g.waiting, 0, n); n == 0 {
		g.flying--
	}
	return members
}

// commitBlind commits writes that rest on no reads.
func (s *Store) commitBlind(w *driver.Writes) error {
	ctx, cancel := context.WithTimeout(context.Background(), flightTime)
	defer cancel()
	err := s.persist(ctx, func(ctx context.Context, _ int) error {
		x := &session{pool: s.pool, ctx: ctx}
		defer x.drop()
		var b pgx.Batch
		b.Queue(beginUpdate)
		queueWrites(&b, w, nil)
		return x.commit(&b)
	})
	if err == nil {
		s.committed(w)
	}
	return err
}

// close waits for the flights; nobody may join any more.
func (g *group) close() { g.wg.Wait() }
