package message

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Times are in nanoseconds since 1970; an ID is
// two integers, in the order of sending.
//
//	message  queue    QUEUE                  -> Settings
//	message  due      QUEUE  TIME  ID        -> lease: may be given out from then
//	message  body     QUEUE  ID              -> stored
//	message  moved    QUEUE  ID              -> the TIME that a hidden message's key has now
//
//	message  due      QUEUE  TIME  GROUP     -> nothing: the group's first may be given out from then
//	message  line     QUEUE  GROUP  NUMBER   -> stored
//	message  group    QUEUE  GROUP           -> group
//	message  dedup    QUEUE  SCOPE  DEDUP    -> original: what was sent with that id
//	message  attempt  QUEUE  ATTEMPT         -> attempt: what was received with that id
//	message  forget   TIME  QUEUE  GROUP  N  -> remembered: what of these may go from then
//
//	message  clock                           -> a time that has been
//
// A standard message has a key in due and one in body, always both. A group has a key
// in due, and Group.Count keys in line, while Count is not zero.
const room = "message"

func queueKey(q QueueID) []byte { return store.Key(room, "queue", uint64(q)) }

func dueKey(q QueueID, c candidate) []byte {
	if c.group != "" {
		return store.Key(room, "due", uint64(q), uint64(c.at), c.group)
	}
	return store.Key(room, "due", uint64(q), uint64(c.at), c.id.hi, c.id.lo)
}

func bodyKey(q QueueID, id ID) []byte  { return store.Key(room, "body", uint64(q), id.hi, id.lo) }
func movedKey(q QueueID, id ID) []byte { return store.Key(room, "moved", uint64(q), id.hi, id.lo) }

func lineKey(q QueueID, group string, n uint64) []byte {
	return store.Key(room, "line", uint64(q), group, n)
}
func groupKey(q QueueID, group string) []byte { return store.Key(room, "group", uint64(q), group) }
func dedupKey(q QueueID, scope, dedup string) []byte {
	return store.Key(room, "dedup", uint64(q), scope, dedup)
}
func attemptKey(q QueueID, attempt string) []byte {
	return store.Key(room, "attempt", uint64(q), attempt)
}
func forgetKey(at int64, q QueueID, group string, n uint64) []byte {
	return store.Key(room, "forget", uint64(at), uint64(q), group, n)
}

var clockKey = store.Key(room, "clock")

// of is the beginning of the keys of one kind of one queue.
func of(kind string, q QueueID) []byte { return store.Key(room, kind, uint64(q)) }

// dueFrom is the range of what is due in a queue at a time or later.
func dueFrom(q QueueID, at int64) store.Range {
	return store.Range{Start: store.Key(room, "due", uint64(q), uint64(at)), End: store.PrefixEnd(of("due", q))}
}

var errKey = errors.New("message: a key is not of its form")

// parseDue splits a key of due.
func parseDue(key []byte) (c candidate, err error) {
	parts, err := store.Split(key)
	if err != nil {
		return c, err
	}
	if len(parts) != 5 && len(parts) != 6 {
		return c, errKey
	}
	at, ok := parts[3].(uint64)
	if !ok {
		return c, errKey
	}
	c.at = int64(at)
	if len(parts) == 5 {
		c.group, ok = parts[4].(string)
	} else {
		var ok2 bool
		c.id.hi, ok = parts[4].(uint64)
		c.id.lo, ok2 = parts[5].(uint64)
		ok = ok && ok2
	}
	if !ok {
		return c, errKey
	}
	return c, nil
}

// load reads a record; ok is false where there is none.
func load(r store.Reader, key []byte, v any) (ok bool, err error) {
	b, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("load %T: %w", v, err)
	}
	return true, record.Unmarshal(b, v)
}

func save(tx store.Tx, key []byte, v any) error {
	b, err := record.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Set(key, b)
}

// lease is how often a message was received, and by whom last. The zero lease, of no
// bytes, is that of a message nobody has received.
//
//	count  uvarint | flags | first  8 bytes | taken  8 bytes | number  8 bytes
type lease struct {
	count        int
	moved        bool  // there is a key in moved
	first, taken int64 // when it was received
	number       uint64
}

const flagMoved = 1

func (l lease) encode() []byte {
	b := binary.AppendUvarint(make([]byte, 0, 30), uint64(l.count))
	var flags byte
	if l.moved {
		flags |= flagMoved
	}
	b = append(b, flags)
	b = binary.BigEndian.AppendUint64(b, uint64(l.first))
	b = binary.BigEndian.AppendUint64(b, uint64(l.taken))
	return binary.BigEndian.AppendUint64(b, l.number)
}

func decodeLease(b []byte) (l lease, err error) {
	if len(b) == 0 {
		return l, nil
	}
	count, n := binary.Uvarint(b)
	if n <= 0 || len(b) != n+25 || count > 1<<40 {
		return l, errors.New("message: a lease is not of its form")
	}
	b = b[n:]
	return lease{
		count: int(count), moved: b[0]&flagMoved != 0,
		first: int64(binary.BigEndian.Uint64(b[1:])), taken: int64(binary.BigEndian.Uint64(b[9:])), number: binary.BigEndian.Uint64(b[17:]),
	}, nil
}
