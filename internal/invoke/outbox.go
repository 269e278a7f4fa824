package invoke

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/retry"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// delivery waits in the outbox.
type delivery struct {
	From       Sender
	Target     string
	Body       []byte
	Attributes map[string]string
	Attempts   int
	Error      string // the last one
}

const (
	// maxDeliveries bounds the attempts at one delivery, over about an hour.
	maxDeliveries  = 12
	deliverTimeout = 30 * time.Second
	// deliverBatch is how many deliveries one look at the outbox takes on.
	deliverBatch = 64
	// deliverers is how many deliveries are under way at once.
	deliverers = 8
)

var deliveryWaits = retry.Policy{Base: time.Second, Max: 10 * time.Minute}

// send puts a delivery into the outbox, in the transaction that causes it.
func (q *queue) send(tx store.Tx, n int, d delivery, id string) error {
	b, err := record.Marshal(&d)
	if err != nil {
		return err
	}
	return tx.Set(outboxKey(q.clock.Now(), id, n), b)
}

// post hands over what is in the outbox until ctx ends.
func (q *queue) post(ctx context.Context) {
	changed, stop := q.store.Watch(outboxPrefix())
	defer stop()
	for ctx.Err() == nil {
		next, err := q.postDue(ctx)
		if err != nil && ctx.Err() == nil {
			q.i.cfg.Log.Warn("the outbox could not be read", "error", err)
			next = time.Second
		}
		t := time.NewTimer(min(next, q.i.cfg.Look))
		select {
		case <-t.C:
		case <-changed:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// postDue hands over what is due, and says how long nothing more will be.
func (q *queue) postDue(ctx context.Context) (time.Duration, error) {
	type item struct {
		key []byte
		id  string
		n   int
		delivery
	}
	var due []item
	now, next := q.clock.Now(), q.i.cfg.Look
	r := store.Prefix(outboxPrefix())
	r.Limit = deliverBatch
	err := q.store.View(ctx, func(rd store.Reader) error {
		for p, err := range rd.Scan(r) {
			if err != nil {
				return err
			}
			at, id, n, err := timed(p.Key)
			if err != nil {
				return err
			}
			if at.After(now) {
				next = at.Sub(now)
				return nil
			}
			it := item{key: append([]byte(nil), p.Key...), id: id, n: int(n)}
			if err := record.Unmarshal(p.Value, &it.delivery); err != nil {
				return err
			}
			due = append(due, it)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read outbox: %w", err)
	}
	var g errgroup.Group
	g.SetLimit(deliverers)
	for _, it := range due {
		g.Go(func() error { return q.deliver(ctx, it.key, it.id, it.n, it.delivery) })
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	if len(due) == deliverBatch {
		next = 0
	}
	return next, nil
}

// deliver tries one delivery and writes down how it went.
func (q *queue) deliver(ctx context.Context, key []byte, id string, n int, d delivery) error {
	err := errors.New("this node has no destinations")
	if q.i.cfg.Destinations != nil {
		bounded, cancel := context.WithTimeout(ctx, deliverTimeout)
		err = q.i.cfg.Destinations.Deliver(bounded, d.From, d.Target, d.Body, d.Attributes)
		cancel()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return q.store.Update(ctx, func(tx store.Tx) error {
		if delErr := tx.Delete(key); delErr != nil || err == nil {
			return delErr
		}
		d.Attempts++
		d.Error = err.Error()
		b, mErr := record.Marshal(&d)
		if mErr != nil {
			return mErr
		}
		if d.Attempts >= maxDeliveries {
			q.i.cfg.Log.Error("a destination's record could not be delivered and is kept", "requestId", id, "target", d.Target, "error", err)
			return tx.Set(lostKey(id, n), b)
		}
		return tx.Set(outboxKey(q.clock.Now().Add(deliveryWaits.Wait(d.Attempts)), id, n), b)
	})
}
