package message

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Delete deletes messages that were received; an error of this package for each that
// is not there any more, nil for the others. Of FIFO queues a receipt is good until
// its visibility is over, of standard ones until the message is received again.
func (e *Engine) Delete(ctx context.Context, receipts ...Receipt) ([]error, error) {
	return e.each(ctx, receipts, (*Tx).DeleteMessage)
}

// Hide has a message be visible again in so much time from now, at once for none.
func (e *Engine) Hide(ctx context.Context, r Receipt, d time.Duration) error {
	errs, err := e.each(ctx, []Receipt{r}, func(tx *Tx, r Receipt) error { return tx.Hide(r, d) })
	if err != nil {
		return err
	}
	return errs[0]
}

func (e *Engine) each(ctx context.Context, receipts []Receipt, fn func(*Tx, Receipt) error) ([]error, error) {
	answers := make([]error, len(receipts))
	err := e.together(ctx, 0, func(tx *Tx) error {
		for i, r := range receipts {
			answers[i] = fn(tx, r)
			if err := storeError(answers[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return answers, err
}

// DeleteMessage deletes a message that was received.
func (tx *Tx) DeleteMessage(r Receipt) error {
	if r.group != "" {
		return tx.changeSeen(r, func(g *group, i int, now int64) error {
			if g.Seen[i].Until <= now {
				return ErrExpired
			}
			return tx.remove(r.Queue, r.group, g, uint64(r.at))
		})
	}
	at, l, err := tx.find(r)
	if err != nil {
		return err
	}
	return tx.erase(r.Queue, at, l)
}

// Hide has a message be visible again in so much time from now. It returns ErrExpired
// if that is over already.
func (tx *Tx) Hide(r Receipt, d time.Duration) error {
	if r.group != "" {
		return tx.changeSeen(r, func(g *group, i int, now int64) error {
			s := &g.Seen[i]
			if s.Until <= now {
				return ErrExpired
			}
			if now+int64(d) > s.Taken+int64(MaxHidden) {
				return ErrTooLong
			}
			s.Until = now + int64(d)
			return nil
		})
	}
	at, l, err := tx.find(r)
	if err != nil {
		return err
	}
	now := tx.e.time.now()
	if at.at <= now {
		return ErrExpired
	}
	if now+int64(d) > l.taken+int64(MaxHidden) {
		return ErrTooLong
	}
	until := candidate{at: now + int64(d), id: at.id}
	l.moved = true
	if err := tx.Delete(dueKey(r.Queue, at)); err != nil {
		return err
	}
	if err := tx.Set(dueKey(r.Queue, until), l.encode()); err != nil {
		return err
	}
	tx.due(r.Queue, until)
	return tx.Set(movedKey(r.Queue, at.id), binary.BigEndian.AppendUint64(nil, uint64(until.at)))
}

// find finds a message of a standard queue by the receipt of its last receive.
func (tx *Tx) find(r Receipt) (candidate, lease, error) {
	c := candidate{at: r.at, id: r.id}
	v, err := tx.Get(dueKey(r.Queue, c))
	if errors.Is(err, store.ErrNotFound) {
		var b []byte
		if b, err = tx.Get(movedKey(r.Queue, r.id)); err == nil && len(b) == 8 {
			c.at = int64(binary.BigEndian.Uint64(b))
			v, err = tx.Get(dueKey(r.Queue, c))
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return c, lease{}, ErrGone
	}
	if err != nil {
		return c, lease{}, fmt.Errorf("find a message: %w", err)
	}
	l, err := decodeLease(v)
	if err == nil && (l.count == 0 || l.number != r.number) {
		err = ErrGone
	}
	return c, l, err
}

// changeSeen changes the lease of a message of a group.
func (tx *Tx) changeSeen(r Receipt, fn func(g *group, i int, now int64) error) error {
	var g group
	ok, err := load(tx, groupKey(r.Queue, r.group), &g)
	if err != nil {
		return err
	}
	i := g.find(uint64(r.at))
	if !ok || i < 0 || g.Seen[i].Lease != r.number {
		return ErrGone
	}
	now := tx.e.time.now()
	if err := fn(&g, i, now); err != nil {
		return err
	}
	return tx.settle(r.Queue, r.group, &g, now)
}
