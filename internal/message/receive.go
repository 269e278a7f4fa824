package message

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Ask says what a Receive wants.
type Ask struct {
	// Max is how many messages are wanted, 1 to MaxReceive.
	Max int
	// Hide is how long they are not given to others.
	Hide time.Duration
	// Wait is how long to wait for the first; none for 0.
	Wait time.Duration
	// Attempt is the id of this receive in a FIFO queue: the same id again gives the
	// same messages, if nothing was done with them.
	Attempt string
}

// Receive gives messages that are due, oldest first as far as several nodes allow, and
// of a FIFO queue those of a group in their order. It gives none, without an error, if
// there are none until the wait is over. When it returns the leases are durable.
func (e *Engine) Receive(ctx context.Context, q QueueID, ask Ask) ([]*Message, error) {
	ask.Max = min(max(1, ask.Max), MaxReceive)
	if ask.Attempt != "" {
		if again, err := e.again(ctx, q, ask); err != nil || len(again) > 0 {
			return again, err
		}
	}
	if e.crowded(q) {
		if err := e.mayReceive(ctx, q); err != nil {
			return nil, err
		}
	}
	until := time.Now().Add(ask.Wait)
	ln := e.enter(q)
	defer e.leave(ln)
	for {
		c := &claim{q: q, want: ask.Max, hide: ask.Hide}
		tried, err := e.tryLine(ctx, ln, c, ask.Attempt)
		if err != nil || len(c.got) > 0 {
			return c.got, err
		}
		if tried {
			continue
		}
		left := time.Until(until)
		if left <= 0 {
			return nil, nil
		}
		if err := ln.wait(ctx, left); err != nil {
			return nil, err
		}
	}
}

// Move moves messages that are due to other queues, as if nobody had received them; to
// says where, and false for a message that can't go anywhere. It gives how many.
func (e *Engine) Move(ctx context.Context, q QueueID, most int, to func(*Message) (QueueID, bool)) (int, error) {
	ln := e.enter(q)
	defer e.leave(ln)
	for range maxSpread {
		c := &claim{q: q, want: min(max(1, most), MaxReceive), move: to}
		tried, err := e.tryLine(ctx, ln, c, "")
		if err != nil || c.moved > 0 || !tried {
			return c.moved, err
		}
	}
	return 0, nil
}

// tryLine tries the candidates that are next in line. It says whether there were any.
func (e *Engine) tryLine(ctx context.Context, ln *line, c *claim, attempt string) (bool, error) {
	if ln.stale() {
		if err := ln.search(ctx); err != nil {
			return false, err
		}
	}
	list := ln.take(c.want)
	if len(list) == 0 {
		if err := ln.search(ctx); err != nil {
			return false, err
		}
		if list = ln.take(c.want); len(list) == 0 {
			_, err := e.exists(ctx, c.q)
			return false, err
		}
	}
	var refused error
	blank := *c
	err := e.together(ctx, 0, func(tx *Tx) error {
		*c = blank
		c.Tx, c.now = tx, tx.e.time.now()
		if c.set, refused = tx.Settings(c.q); refused != nil {
			return storeError(refused)
		}
		if err := c.take(list); err != nil {
			return err
		}
		if attempt != "" && len(c.got) > 0 {
			return c.remember(attempt)
		}
		return nil
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		c.got, c.moved = nil, 0
		ln.release(list, true, 0)
		return true, err
	}
	ln.release(list[:c.tried], len(c.got)+c.moved == 0 || list[0].group != "", c.lost)
	ln.release(list[c.tried:], true, 0)
	e.flight(c.q, len(c.got))
	return true, nil
}

// exists gives the settings of a queue.
func (e *Engine) exists(ctx context.Context, q QueueID) (set *Settings, err error) {
	err = e.store.View(ctx, func(r store.Reader) error {
		b, err := r.Get(queueKey(q))
		if errors.Is(err, store.ErrNotFound) {
			return ErrNoQueue
		}
		if err != nil {
			return err
		}
		set, err = e.settings(q, b)
		return err
	})
	return set, err
}

// wait waits until there may be a candidate, or so long.
func (ln *line) wait(ctx context.Context, left time.Duration) error {
	deadline := time.NewTimer(left)
	defer deadline.Stop()
	w := &waiter{wake: make(chan struct{})}
	ln.mu.Lock()
	if len(ln.ready) > 0 {
		ln.mu.Unlock()
		return nil
	}
	ln.waiting = append(ln.waiting, w)
	scout := !ln.scouts
	ln.scouts = true
	ln.mu.Unlock()
	if scout {
		return ln.scout(ctx, w, deadline.C)
	}
	select {
	case <-w.wake:
		return nil
	case <-deadline.C:
		ln.stopWaiting(w)
		return nil
	case <-ctx.Done():
		ln.stopWaiting(w)
		return ctx.Err()
	}
}

// stopWaiting takes w out of those waiting; one that was just woken wakes another.
func (ln *line) stopWaiting(w *waiter) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if i := slices.Index(ln.waiting, w); i >= 0 {
		ln.waiting = slices.Delete(ln.waiting, i, i+1)
		return
	}
	ln.poke()
}

// scout waits as w does, and beside that for what the store tells and for the next
// time something is due, for all that wait. When it goes another one takes over.
func (ln *line) scout(ctx context.Context, w *waiter, deadline <-chan time.Time) error {
	defer func() {
		ln.mu.Lock()
		defer ln.mu.Unlock()
		ln.scouts = false
		ln.poke()
	}()
	changed, stop := ln.e.store.Watch(of("due", ln.q))
	defer stop()
	if err := ln.search(ctx); err != nil { // what came before the watch
		ln.stopWaiting(w)
		return err
	}
	for {
		look := time.NewTimer(ln.untilNext())
		var err error
		select {
		case <-w.wake:
			look.Stop()
			return nil
		case <-deadline:
			ln.stopWaiting(w)
			look.Stop()
			return nil
		case <-ctx.Done():
			ln.stopWaiting(w)
			err = ctx.Err()
		case <-ln.sooner:
		case <-changed:
			err = ln.search(ctx)
		case <-look.C:
			err = ln.search(ctx)
		}
		look.Stop()
		if err != nil {
			ln.stopWaiting(w)
			return err
		}
	}
}

// untilNext is how long nothing is due, as far as is known.
func (ln *line) untilNext() time.Duration {
	now := ln.e.time.now()
	ln.mu.Lock()
	defer ln.mu.Unlock()
	d := ln.e.look
	if ln.next != 0 {
		d = min(d, time.Duration(ln.next-now))
	}
	if ln.owed {
		d = min(d, max(deepPause, deepShare*ln.deepCost)-time.Since(ln.deepAt))
	}
	return max(d, 100*time.Microsecond)
}
