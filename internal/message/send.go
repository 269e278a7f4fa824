package message

import (
	"context"
	"fmt"
)

// Send puts messages into a queue, all or none, and returns when they are durable.
// A message whose Dedup was sent in the last five minutes is not sent again.
func (e *Engine) Send(ctx context.Context, q QueueID, drafts ...Draft) ([]Sent, error) {
	size := 0
	for _, d := range drafts {
		size += len(d.Body)
	}
	var sent []Sent
	var refused error
	err := e.together(ctx, size, func(tx *Tx) error {
		sent, refused = make([]Sent, 0, len(drafts)), nil
		if _, refused = tx.Settings(q); refused != nil {
			return storeError(refused)
		}
		for _, d := range drafts {
			s, err := tx.Send(q, d)
			if err != nil {
				return err
			}
			sent = append(sent, s)
		}
		return nil
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return sent, nil
}

// storeError passes over what is an answer of this package, not a fault of the store.
func storeError(err error) error {
	switch err {
	case ErrNoQueue, ErrGone, ErrExpired, ErrTooLong:
		return nil
	}
	return err
}

// Send puts a message into a queue.
func (tx *Tx) Send(q QueueID, d Draft) (Sent, error) {
	if len(d.Body) > MaxBody+maxEnvelope {
		return Sent{}, fmt.Errorf("send a message of %d bytes", len(d.Body))
	}
	set, err := tx.Settings(q)
	if err != nil {
		return Sent{}, err
	}
	now := tx.e.time.now()
	id := newID(tx.e.time.tick(now))
	m := &stored{
		Body: d.Body, Sent: now, Entered: now, Visible: now + max(0, int64(d.Delay)),
		IDHigh: id.hi, IDLow: id.lo, Group: d.Group, Dedup: d.Dedup,
	}
	if !set.FIFO {
		m.Group, m.Dedup = "", ""
		return Sent{ID: id}, tx.enter(q, m)
	}
	if d.Group == "" {
		return Sent{}, fmt.Errorf("send to a FIFO queue: no group")
	}
	return tx.sendOnce(q, set, m)
}

// maxEnvelope is what a body may have beside the MaxBody bytes that callers count.
const maxEnvelope = 8 << 10

// enter puts a message into a standard queue.
func (tx *Tx) enter(q QueueID, m *stored) error {
	if err := tx.Set(bodyKey(q, m.id()), m.encode()); err != nil {
		return err
	}
	c := candidate{at: m.Visible, id: m.id()}
	tx.due(q, c)
	return tx.Set(dueKey(q, c), nil)
}
