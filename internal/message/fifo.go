package message

import (
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// group is what is known of a group. While Count is not zero it has a key in due, at
// At. A group without messages is kept until its last number is older than any clock
// is off, so that numbers rise.
type group struct {
	Last  uint64 // number of the newest message there ever was
	Count int
	At    int64
	Seen  []seen // of its messages, those that were received, in order
}

// seen is the lease of a message of a group.
type seen struct {
	Number              uint64
	Lease               uint64
	Count               int
	First, Taken, Until int64
}

// original is what was sent with a deduplication id.
type original struct {
	IDHigh, IDLow, Number uint64
	Until                 int64
}

// remembered is what may be forgotten: a deduplication id, or the id of a receive.
type remembered struct{ Scope, Dedup, Attempt string }

// sendOnce puts a message into a FIFO queue, unless one with its deduplication id was.
func (tx *Tx) sendOnce(q QueueID, set *Settings, m *stored) (Sent, error) {
	scope := ""
	if set.ByGroup {
		scope = m.Group
	}
	if m.Dedup != "" {
		var o original
		ok, err := load(tx, dedupKey(q, scope, m.Dedup), &o)
		if err != nil {
			return Sent{}, err
		}
		if ok && m.Sent < o.Until {
			return Sent{ID: ID{o.IDHigh, o.IDLow}, Number: o.Number, Duplicate: true}, nil
		}
	}
	n, err := tx.append(q, m)
	if err != nil {
		return Sent{}, err
	}
	until := m.Sent + int64(Remembered)
	if m.Dedup != "" {
		o := original{m.IDHigh, m.IDLow, n, until}
		if err := save(tx, dedupKey(q, scope, m.Dedup), &o); err != nil {
			return Sent{}, err
		}
	}
	return Sent{ID: m.id(), Number: n}, save(tx, forgetKey(until, q, m.Group, n), &remembered{Scope: scope, Dedup: m.Dedup})
}

// append puts a message behind the others of its group and gives its number: the time,
// or one more than the last.
func (tx *Tx) append(q QueueID, m *stored) (uint64, error) {
	var g group
	if _, err := load(tx, groupKey(q, m.Group), &g); err != nil {
		return 0, err
	}
	g.Last = max(g.Last+1, uint64(m.Entered))
	if err := tx.Set(lineKey(q, m.Group, g.Last), m.encode()); err != nil {
		return 0, err
	}
	g.Count++
	if g.Count == 1 {
		g.At, g.Seen = m.Visible, nil
		c := candidate{at: g.At, group: m.Group}
		if err := tx.Set(dueKey(q, c), nil); err != nil {
			return 0, err
		}
		tx.due(q, c)
	}
	return g.Last, save(tx, groupKey(q, m.Group), &g)
}

// settle writes a group that was changed, and its key in due: at the end of the last
// lease, so that it is blocked until then.
func (tx *Tx) settle(q QueueID, name string, g *group, now int64) error {
	old := candidate{at: g.At, group: name}
	if g.Count == 0 {
		g.Seen = nil
		if err := tx.Delete(dueKey(q, old)); err != nil {
			return err
		}
		if now-int64(g.Last) > int64(Remembered) {
			return tx.Delete(groupKey(q, name))
		}
		return save(tx, groupKey(q, name), g) // until what its last message has in forget is due
	}
	at := now
	for _, s := range g.Seen {
		at = max(at, s.Until)
	}
	if at == now && old.at <= now {
		at = old.at // it stays where it is
	}
	g.At = at
	if at != old.at {
		if err := tx.Delete(dueKey(q, old)); err != nil {
			return err
		}
		c := candidate{at: at, group: name}
		if err := tx.Set(dueKey(q, c), nil); err != nil {
			return err
		}
		tx.due(q, c)
	}
	return save(tx, groupKey(q, name), g)
}

// remove deletes a message of a group from its line; settle follows.
func (tx *Tx) remove(q QueueID, name string, g *group, n uint64) error {
	g.Count--
	if i := g.find(n); i >= 0 {
		g.Seen = append(g.Seen[:i], g.Seen[i+1:]...)
	}
	return tx.Delete(lineKey(q, name, n))
}

func (g *group) find(n uint64) int {
	for i := range g.Seen {
		if g.Seen[i].Number == n {
			return i
		}
	}
	return -1
}

// lineOf is the range of a group's messages.
func lineOf(q QueueID, name string, limit int) store.Range {
	r := store.Prefix(store.Key(room, "line", uint64(q), name))
	r.Limit = limit
	return r
}
