package queue

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// SendIn sends a message to the queue of an ARN in a transaction of the caller's, so
// that it is sent if the rest of it is done, and only then.
func (s *Service) SendIn(ctx context.Context, raw store.Tx, queueARN string, d Draft) (*Sent, error) {
	name, ok := s.ownName(queueARN)
	if !ok {
		return nil, errNotFound
	}
	q, err := load[Queue](raw, queueKey(name), errNotFound)
	if err != nil {
		return nil, err
	}
	if err := d.check(q); err != nil {
		return nil, err
	}
	m, err := d.draft(q)
	if err != nil {
		return nil, err
	}
	sent, err := s.cfg.Messages.Join(raw).Send(q.Messages, m)
	if err != nil {
		return nil, ofEngine(err)
	}
	return d.sent(q, sent), nil
}

// Counts are how many messages a queue has, for whoever decides how many should
// receive from it.
func (s *Service) Counts(ctx context.Context, q *Queue) (message.Counts, error) {
	c, err := s.cfg.Messages.Count(ctx, q.Messages)
	return c, ofEngine(err)
}

// Visibility is how long a queue's messages are hidden when they are received.
func (q *Queue) Visibility() int { return q.number(attrVisibility) }

// Systems are the system attributes of a message as a receiver of all of them sees them,
// and MD5OfAttributes the MD5 of its own.
func (r *Received) Systems() map[string]string { return r.systems() }

// MD5OfAttributes is the MD5 of a message's own attributes; "" for none.
func (r *Received) MD5OfAttributes() string { return sumOf(r.Attributes) }
