package message

import (
	"context"
	"math/rand/v2"
	"time"
)

// attempt is what a Receive with an id has given.
type attempt struct {
	Messages []attempted
	Until    int64
}

type attempted struct {
	Group  string
	Number uint64
	Lease  uint64
}

// remember keeps what was received for the same id again.
func (c *claim) remember(id string) error {
	a := &attempt{Until: c.now + int64(Remembered)}
	for _, m := range c.got {
		a.Messages = append(a.Messages, attempted{m.Group, m.Number, m.Receipt.number})
	}
	if err := save(c, attemptKey(c.q, id), a); err != nil {
		return err
	}
	return save(c, forgetKey(a.Until, c.q, "", rand.Uint64()), &remembered{Attempt: id})
}

// again gives what an attempt has given before, hidden anew, if nothing was done with
// any of it and it is still hidden; else none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html
func (e *Engine) again(ctx context.Context, q QueueID, ask Ask) (list []*Message, err error) {
	err = e.together(ctx, 0, func(tx *Tx) error {
		list = nil
		var a attempt
		ok, err := load(tx, attemptKey(q, ask.Attempt), &a)
		now := tx.e.time.now()
		if err != nil || !ok || now >= a.Until {
			return err
		}
		groups := map[string]*group{}
		for _, m := range a.Messages {
			msg, err := tx.stillLeased(q, m, groups, now)
			if err != nil || msg == nil {
				list = nil
				return err
			}
			list = append(list, msg)
		}
		for _, m := range a.Messages {
			g := groups[m.Group]
			g.Seen[g.find(m.Number)].Until = now + int64(ask.Hide)
		}
		for name, g := range groups {
			if err := tx.settle(q, name, g, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// stillLeased gives a message as it was received; nil if that was not the last of it.
func (tx *Tx) stillLeased(q QueueID, a attempted, groups map[string]*group, now int64) (*Message, error) {
	g := groups[a.Group]
	if g == nil {
		g = &group{}
		if _, err := load(tx, groupKey(q, a.Group), g); err != nil {
			return nil, err
		}
		groups[a.Group] = g
	}
	i := g.find(a.Number)
	if i < 0 || g.Seen[i].Lease != a.Lease || g.Seen[i].Until <= now {
		return nil, nil
	}
	b, err := tx.Get(lineKey(q, a.Group, a.Number))
	if err != nil {
		return nil, err
	}
	var m stored
	if err := m.decode(b); err != nil {
		return nil, err
	}
	msg, s := m.message(), g.Seen[i]
	msg.Number, msg.Receives, msg.First = a.Number, s.Count, time.Unix(0, s.First).UTC()
	msg.Receipt = Receipt{Queue: q, at: int64(a.Number), number: a.Lease, group: a.Group, id: m.id()}
	return msg, nil
}
