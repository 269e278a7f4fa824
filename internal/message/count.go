package message

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Counts are how many messages a queue has.
type Counts struct{ Visible, InFlight, Delayed int }

const (
	// countShare is how many times as long as counting took a count is good, so that
	// it takes a twentieth of the time at most.
	countShare = 20
	// maxCounts is how many queues' counts are kept.
	maxCounts = 4096
)

// census is a count of a queue and when it was made.
type census struct {
	Counts
	made time.Time
	cost time.Duration
	more int // received by this node since
}

// Count counts the messages of a queue. Where there are many, what it gives is up to
// twenty times as old as counting takes.
func (e *Engine) Count(ctx context.Context, q QueueID) (Counts, error) {
	e.mu.Lock()
	if c := e.counts[q]; c != nil && time.Since(c.made) < countShare*c.cost && c.cost > time.Millisecond {
		defer e.mu.Unlock()
		return c.Counts, nil
	}
	e.mu.Unlock()
	c, err := e.recount(ctx, q)
	if err != nil {
		return Counts{}, err
	}
	return c.Counts, nil
}

func (e *Engine) recount(ctx context.Context, q QueueID) (*census, error) {
	c := &census{made: time.Now()}
	now := e.time.now()
	err := e.store.View(ctx, func(r store.Reader) error {
		b, err := r.Get(queueKey(q))
		if errors.Is(err, store.ErrNotFound) {
			return ErrNoQueue
		}
		if err != nil {
			return fmt.Errorf("count messages: %w", err)
		}
		set, err := e.settings(q, b)
		if err != nil {
			return err
		}
		if set.FIFO {
			return c.groups(r, q, now)
		}
		return c.messages(r, q, now)
	})
	if err != nil {
		return nil, err
	}
	c.cost = time.Since(c.made)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.counts) >= maxCounts {
		clear(e.counts)
	}
	e.counts[q] = c
	return c, nil
}

func (c *census) messages(r store.Reader, q QueueID, now int64) error {
	for p, err := range r.Scan(store.Prefix(of("due", q))) {
		if err != nil {
			return fmt.Errorf("count messages: %w", err)
		}
		at, err := parseDue(p.Key)
		if err != nil {
			return err
		}
		switch {
		case at.at <= now:
			c.Visible++
		case len(p.Value) > 0:
			c.InFlight++
		default:
			c.Delayed++
		}
	}
	return nil
}

func (c *census) groups(r store.Reader, q QueueID, now int64) error {
	for p, err := range r.Scan(store.Prefix(of("group", q))) {
		if err != nil {
			return fmt.Errorf("count messages: %w", err)
		}
		var g group
		if err := record.Unmarshal(p.Value, &g); err != nil {
			return err
		}
		leased := g.flights(now)
		c.InFlight += leased
		if leased == 0 && g.At > now {
			c.Delayed += g.Count
		} else {
			c.Visible += g.Count - leased
		}
	}
	return nil
}

// crowded says whether a queue may be near its limit, as far as this node knows.
func (e *Engine) crowded(q QueueID) bool {
	k, ok := e.decoded.Load(q)
	if !ok || k.(*decoded).MaxInFlight == 0 {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.flights[q]
	return c == nil || c.InFlight+c.more >= k.(*decoded).MaxInFlight
}

// mayReceive returns ErrInFlight if the queue's limit is reached.
func (e *Engine) mayReceive(ctx context.Context, q QueueID) error {
	set, err := e.exists(ctx, q)
	if err != nil || set.MaxInFlight == 0 {
		return err
	}
	e.mu.Lock()
	c := e.flights[q]
	free := c != nil && c.InFlight+c.more < set.MaxInFlight // somebody has counted
	young := c != nil && time.Since(c.made) < countShare*c.cost
	e.mu.Unlock()
	switch {
	case free:
		return nil
	case young:
		return ErrInFlight
	}
	if c, err = e.countFlights(ctx, q, set.FIFO); err == nil && c.InFlight >= set.MaxInFlight {
		err = ErrInFlight
	}
	return err
}

// countFlights counts the messages in flight alone: those that are due later.
func (e *Engine) countFlights(ctx context.Context, q QueueID, fifo bool) (*census, error) {
	c := &census{made: time.Now()}
	now := e.time.now()
	err := e.store.View(ctx, func(r store.Reader) error {
		for p, err := range r.Scan(dueFrom(q, now)) {
			if err != nil {
				return fmt.Errorf("count messages in flight: %w", err)
			}
			switch {
			case !fifo && len(p.Value) > 0:
				c.InFlight++
			case fifo:
				at, err := parseDue(p.Key)
				if err != nil {
					return err
				}
				var g group
				if _, err := load(r, groupKey(q, at.group), &g); err != nil {
					return err
				}
				c.InFlight += g.flights(now)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.cost = time.Since(c.made)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.flights) >= maxCounts {
		clear(e.flights)
	}
	e.flights[q] = c
	return c, nil
}

// flight notes that messages were received.
func (e *Engine) flight(q QueueID, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.flights[q]; c != nil {
		c.more += n
	}
}
