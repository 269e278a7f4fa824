package invoke

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	// look is how many due events one look at the queue passes over, to find some
	// of functions that have not their share of workers yet. Once a second, when
	// all it found were others, it looks deeper.
	look, deepLook = 1024, 64 << 10
	// pause is the least time between two looks.
	pause = 2 * time.Millisecond
	// failurePause is the time to the next look when the store has failed.
	failurePause = time.Second
	// claimBatch is how many events one transaction claims.
	claimBatch = 64
)

// queue is the asynchronous side of an Invoker: events in the store, and this
// node's workers on them.
type queue struct {
	i           *Invoker
	store       store.Store
	clock       clock.Clock
	node        string
	incarnation string
	leased      atomic.Int64 // until when, in nanoseconds, as far as is known

	// Of poll alone.
	crowded bool
	deep    time.Time // last deep look

	mu      sync.Mutex
	running map[string]int // events being run, by function
	ids     map[string]struct{}
	open    bool
	ctx     context.Context // of the calls; ends a while after Run's
	freed   chan struct{}   // gets a token when a worker becomes free
	wg      sync.WaitGroup
}

func newQueue(i *Invoker) *queue {
	return &queue{
		i: i, store: i.cfg.Store, clock: i.cfg.Clock, node: i.cfg.Node, incarnation: id.UUID(),
		running: map[string]int{}, ids: map[string]struct{}{}, freed: make(chan struct{}, 1),
	}
}

// Run works on asynchronous events until ctx ends. Events that are running then
// get a few seconds; what is cut short runs again when a node next does. It
// returns nil after ctx, or the store's error.
func (i *Invoker) Run(ctx context.Context) error {
	if i.queue == nil {
		<-ctx.Done()
		return nil
	}
	return i.queue.run(ctx)
}

func (q *queue) run(ctx context.Context) error {
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	if err := q.takeOver(ctx); err != nil {
		return ignoreEnd(ctx, err)
	}
	q.mu.Lock()
	q.open, q.ctx = true, calls
	q.mu.Unlock()
	var side sync.WaitGroup
	side.Go(func() { q.keepLease(ctx) })
	side.Go(func() { q.post(ctx) })
	err := q.poll(ctx)
	q.mu.Lock()
	q.open = false
	q.mu.Unlock()
	side.Wait()
	timer := time.AfterFunc(q.i.cfg.Drain, cut)
	defer timer.Stop()
	q.wg.Wait()
	return ignoreEnd(ctx, err)
}

// takeOver has this node begin where its last incarnation ended. On a full disk it
// waits for space: what can be read is served meanwhile.
func (q *queue) takeOver(ctx context.Context) error {
	for {
		err := q.reclaim(ctx)
		if err == nil {
			err = q.renew(ctx)
		}
		if !errors.Is(err, store.ErrFull) || ctx.Err() != nil {
			return err
		}
		q.i.cfg.Log.Warn("asynchronous events wait for space on the disk", "error", err)
		rest(ctx, failurePause)
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// keepLease renews the lease while events run, and takes over from the dead.
func (q *queue) keepLease(ctx context.Context) {
	t := time.NewTicker(leaseRenewal)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		q.mu.Lock()
		busy := len(q.ids) > 0
		q.mu.Unlock()
		var err error
		if busy {
			err = q.renew(ctx)
		}
		if err = errors.Join(err, q.reclaim(ctx), q.orphans(ctx)); err != nil && ctx.Err() == nil {
			q.i.cfg.Log.Warn("asynchronous events: lease", "error", err)
		}
	}
}

// poll claims what is due and hands it to workers.
func (q *queue) poll(ctx context.Context) error {
	changed, stop := q.store.Watch(duePrefix())
	defer stop()
	for ctx.Err() == nil {
		next, err := q.claimDue(ctx)
		if err != nil {
			if errors.Is(err, store.ErrClosed) || ctx.Err() != nil {
				return err
			}
			q.i.cfg.Log.Warn("asynchronous events could not be claimed", "error", err)
			// What came of the attempt must not wake this at once.
			rest(ctx, failurePause)
			continue
		}
		t := time.NewTimer(min(next, q.i.cfg.Look))
		select {
		case <-t.C:
		case <-changed:
		case <-q.freed:
		case <-ctx.Done():
		}
		t.Stop()
		time.Sleep(pause)
	}
	return nil
}

// rest waits for d, or the end of ctx.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// claimDue claims what this node has workers for, and says how long nothing
// more will be due.
func (q *queue) claimDue(ctx context.Context) (time.Duration, error) {
	now := q.clock.Now()
	list, next, err := q.candidates(ctx, now)
	for len(list) > 0 {
		n := min(len(list), claimBatch)
		if err == nil {
			err = q.take(ctx, list[:n])
		} else {
			q.unreserveAll(list[:n])
		}
		list = list[n:]
	}
	return next, err
}

// candidate is a due event that this node has reserved a worker for.
type candidate struct {
	key          []byte
	id, function string
}

func (q *queue) candidates(ctx context.Context, now time.Time) (list []candidate, next time.Duration, err error) {
	next = q.i.cfg.Look
	r := store.Prefix(duePrefix())
	r.Limit = q.depth(now)
	seen := 0
	err = q.store.View(ctx, func(rd store.Reader) error {
		for p, err := range rd.Scan(r) {
			if err != nil {
				return err
			}
			at, id, _, err := timed(p.Key)
			if err != nil {
				return err
			}
			if at.After(now) {
				next = at.Sub(now)
				return nil
			}
			if seen++; q.full() {
				return nil
			}
			if f := string(p.Value); q.reserve(id, f) {
				list = append(list, candidate{append([]byte(nil), p.Key...), id, f})
			}
		}
		return nil
	})
	if err != nil {
		q.unreserveAll(list)
		return nil, 0, fmt.Errorf("look for due events: %w", err)
	}
	q.crowded = seen == r.Limit && len(list) == 0
	return list, next, nil
}

// depth is how far to look: far, now and then, when what is near the front is
// of functions that have their share.
func (q *queue) depth(now time.Time) int {
	if !q.crowded || now.Sub(q.deep).Abs() < time.Second {
		return look
	}
	q.deep = now
	return deepLook
}

// take claims candidates in one transaction and has them worked on.
func (q *queue) take(ctx context.Context, list []candidate) error {
	type loaded struct {
		event
		payload []byte
	}
	var got []loaded
	err := q.claiming(ctx, func(tx store.Tx) error {
		got = got[:0]
		for _, c := range list {
			switch _, err := tx.Get(c.key); {
			case errors.Is(err, store.ErrNotFound): // another node was quicker
				got = append(got, loaded{})
				continue
			case err != nil:
				return err
			}
			if err := tx.Delete(c.key); err != nil {
				return err
			}
			e, payload, err := load(tx, c.id)
			if errors.Is(err, store.ErrNotFound) { // it is done: nothing is left to run
				got = append(got, loaded{})
				continue
			}
			if err != nil {
				return fmt.Errorf("load event %s: %w", c.id, err)
			}
			if err := q.claim(tx, c.id, c.function); err != nil {
				return err
			}
			got = append(got, loaded{e, payload})
		}
		return nil
	})
	if err != nil {
		got = nil
	}
	for n, c := range list {
		if n >= len(got) || got[n].ID == "" {
			q.unreserve(c.id, c.function)
			continue
		}
		q.work(got[n].event, got[n].payload)
	}
	return err
}
