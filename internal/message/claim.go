package message

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// claim is one Receive's taking of candidates in a transaction.
type claim struct {
	*Tx
	q    QueueID
	set  *Settings
	want int
	hide time.Duration
	// move says where a message is to go instead of to a receiver; nil for receivers.
	move func(*Message) (QueueID, bool)
	now  int64

	got   []*Message
	moved int
	lost  int // candidates that were no longer there
	tried int
}

// take takes what is wanted of the candidates, in their order. Those beyond tried were
// not looked at.
func (c *claim) take(list []candidate) error {
	for _, at := range list {
		if len(c.got)+c.moved >= c.want {
			return nil
		}
		c.tried++
		v, err := c.Get(dueKey(c.q, at))
		if errors.Is(err, store.ErrNotFound) {
			c.lost++ // another was quicker
			continue
		}
		if err != nil {
			return fmt.Errorf("claim a message: %w", err)
		}
		if at.group != "" {
			err = c.takeGroup(at)
		} else {
			err = c.takeOne(at, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// takeOne leases a message of a standard queue, or moves or erases it.
func (c *claim) takeOne(at candidate, v []byte) error {
	l, err := decodeLease(v)
	if err != nil {
		return err
	}
	b, err := c.Get(bodyKey(c.q, at.id))
	if err != nil {
		return fmt.Errorf("load a message: %w", err)
	}
	var m stored
	if err := m.decode(b); err != nil {
		return err
	}
	if m.expired(c.set, c.now) {
		return c.erase(c.q, at, l)
	}
	msg := m.message()
	msg.Receives = l.count
	if to, ok := c.leaves(msg); ok {
		if err := c.transfer(&m, to); err != nil {
			return err
		}
		return c.erase(c.q, at, l)
	}
	if c.move != nil {
		return nil
	}
	if l.moved {
		if err := c.Delete(movedKey(c.q, at.id)); err != nil {
			return err
		}
	}
	if l.count == 0 {
		l.first = c.now
	}
	l = lease{count: l.count + 1, first: l.first, taken: c.now, number: rand.Uint64()}
	until := candidate{at: c.now + int64(c.hide), id: at.id}
	if err := c.Delete(dueKey(c.q, at)); err != nil {
		return err
	}
	if err := c.Set(dueKey(c.q, until), l.encode()); err != nil {
		return err
	}
	c.due(c.q, until)
	msg.Receives, msg.First = l.count, time.Unix(0, l.first).UTC()
	msg.Receipt = Receipt{Queue: c.q, id: at.id, at: until.at, number: l.number}
	c.got = append(c.got, msg)
	return nil
}

// erase deletes a message of a standard queue.
func (tx *Tx) erase(q QueueID, at candidate, l lease) error {
	if l.moved {
		if err := tx.Delete(movedKey(q, at.id)); err != nil {
			return err
		}
	}
	if err := tx.Delete(dueKey(q, at)); err != nil {
		return err
	}
	return tx.Delete(bodyKey(q, at.id))
}

// leaves says where a message goes that is not to be received here.
func (c *claim) leaves(m *Message) (to *target, ok bool) {
	if c.move != nil {
		q, ok := c.move(m)
		if !ok {
			return nil, false
		}
		set, err := c.Settings(q)
		return &target{q: q, set: set, counted: true}, err == nil && set.FIFO == c.set.FIFO
	}
	if c.set.After < 1 || m.Receives < c.set.After {
		return nil, false
	}
	set, err := c.Settings(c.set.DeadLetter)
	return &target{q: c.set.DeadLetter, set: set, source: c.set.Source}, err == nil && set.FIFO == c.set.FIFO
}

// target is where a message is moved to, and what it has as its source there.
type target struct {
	q       QueueID
	set     *Settings
	source  string
	counted bool
}

// transfer puts a message into another queue, as if nobody had received it. In a
// dead-letter queue retention goes on from when it was sent, of standard queues.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (c *claim) transfer(m *stored, to *target) error {
	n := *m
	n.Source, n.Visible = to.source, c.now
	if to.set.FIFO || to.counted {
		n.Entered = c.now
	}
	if to.counted {
		c.moved++
	}
	if !to.set.FIFO {
		return c.enter(to.q, &n)
	}
	number, err := c.append(to.q, &n)
	if err != nil {
		return err
	}
	return save(c, forgetKey(c.now+int64(Remembered), to.q, n.Group, number), &remembered{})
}

// takeGroup leases messages at the front of a group that is not blocked.
func (c *claim) takeGroup(at candidate) error {
	var g group
	ok, err := load(c, groupKey(c.q, at.group), &g)
	if err != nil {
		return err
	}
	if !ok || g.At != at.at {
		return c.Delete(dueKey(c.q, at)) // no group's
	}
	front, err := c.front(at.group)
	if err != nil {
		return err
	}
	if len(front) == 0 {
		g.Count = 0
	}
	for _, f := range front {
		if f.m.Visible > c.now { // a delay: the group's time is when it ends
			if g.flights(c.now) == 0 {
				return c.postpone(at.group, &g, f.m.Visible)
			}
			break
		}
		if err := c.takeNext(at.group, &g, f); err != nil {
			return err
		}
	}
	return c.settle(c.q, at.group, &g, c.now)
}

// flights is how many messages of a group are leased.
func (g *group) flights(now int64) (n int) {
	for _, s := range g.Seen {
		if s.Until > now {
			n++
		}
	}
	return n
}

// numbered is a message with its place in its group.
type numbered struct {
	n uint64
	m *stored
}

// front reads as many messages of a group as are still wanted.
func (c *claim) front(name string) (list []numbered, err error) {
	for p, err := range c.Scan(lineOf(c.q, name, c.want-len(c.got)-c.moved)) {
		if err != nil {
			return nil, fmt.Errorf("read a group: %w", err)
		}
		parts, err := store.Split(p.Key)
		if err != nil {
			return nil, err
		}
		n, ok := parts[len(parts)-1].(uint64)
		if !ok {
			return nil, errKey
		}
		m := &stored{}
		if err := m.decode(bytes.Clone(p.Value)); err != nil {
			return nil, err
		}
		list = append(list, numbered{n, m})
	}
	return list, nil
}

// postpone moves a group to the time at which its first message may be given out.
func (c *claim) postpone(name string, g *group, at int64) error {
	if err := c.Delete(dueKey(c.q, candidate{at: g.At, group: name})); err != nil {
		return err
	}
	g.At = at
	n := candidate{at: at, group: name}
	c.due(c.q, n)
	if err := c.Set(dueKey(c.q, n), nil); err != nil {
		return err
	}
	return save(c, groupKey(c.q, name), g)
}

// takeNext leases one message of a group, or moves or removes it.
func (c *claim) takeNext(name string, g *group, f numbered) error {
	if f.m.expired(c.set, c.now) {
		return c.remove(c.q, name, g, f.n)
	}
	i := g.find(f.n)
	msg := f.m.message()
	msg.Number = f.n
	if i >= 0 {
		msg.Receives = g.Seen[i].Count
	}
	if to, ok := c.leaves(msg); ok {
		if err := c.transfer(f.m, to); err != nil {
			return err
		}
		return c.remove(c.q, name, g, f.n)
	}
	if c.move != nil {
		return nil
	}
	if i < 0 {
		i = len(g.Seen)
		g.Seen = append(g.Seen, seen{Number: f.n, First: c.now})
	}
	s := &g.Seen[i]
	s.Lease, s.Taken, s.Until = rand.Uint64(), c.now, c.now+int64(c.hide)
	s.Count++
	msg.Receives, msg.First = s.Count, time.Unix(0, s.First).UTC()
	msg.Receipt = Receipt{Queue: c.q, at: int64(f.n), number: s.Lease, group: name, id: f.m.id()}
	c.got = append(c.got, msg)
	return nil
}
