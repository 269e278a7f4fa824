package queue

import (
	"context"
	"strconv"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/message"
)

// Sent is what became of a message that was sent.
type Sent struct {
	ID                                 string
	Number                             string // SequenceNumber, of FIFO queues
	MD5, MD5OfAttributes, MD5OfSystems string
}

// Send sends a message to a queue. When it returns the message is durable.
func (s *Service) Send(ctx context.Context, q *Queue, d Draft) (*Sent, error) {
	list, errs, err := s.sendAll(ctx, q, []*Draft{&d})
	if err != nil {
		return nil, err
	}
	return list[0], errs[0]
}

// sendAll sends those of the messages that nothing is wrong with, in one transaction.
func (s *Service) sendAll(ctx context.Context, q *Queue, drafts []*Draft) ([]*Sent, []error, error) {
	sent, errs := make([]*Sent, len(drafts)), make([]error, len(drafts))
	var good []message.Draft
	for i, d := range drafts {
		if errs[i] = d.check(q); errs[i] != nil {
			continue
		}
		d.Sender = auth.From(ctx).UserID
		m, err := d.draft(q)
		if err != nil {
			return nil, nil, err
		}
		good = append(good, m)
	}
	if len(good) == 0 {
		return sent, errs, nil
	}
	list, err := s.cfg.Messages.Send(ctx, q.Messages, good...)
	if err != nil {
		return nil, nil, ofEngine(err)
	}
	for i, d := range drafts {
		if errs[i] == nil {
			sent[i], list = d.sent(q, list[0]), list[1:]
		}
	}
	return sent, errs, nil
}

func (d *Draft) sent(q *Queue, m message.Sent) *Sent {
	out := &Sent{ID: m.ID.String(), MD5: d.MD5, MD5OfAttributes: sumOf(d.Attributes), MD5OfSystems: sumOfTrace(d.Trace)}
	if q.FIFO() {
		out.Number = number(m.Number)
	}
	return out
}

// number prints a sequence number in AWS's twenty digits.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	return "00000000000000000000"[len(s):] + s
}
