package message

import (
	"encoding/binary"
	"errors"
	"time"
)

// stored is a message in the store. It does not change. It is laid out by hand: by
// record it took a tenth of the time of a send, receive and delete.
//
//	version 1 | sent, entered, visible, id: 8 bytes each, the id's two | group, dedup,
//	source: each its length as uvarint and its bytes | body
type stored struct {
	Body    []byte
	Sent    int64
	Entered int64 // when it came into this queue, as retention counts
	Visible int64 // of FIFO queues: not to be given out before
	IDHigh  uint64
	IDLow   uint64
	Group   string
	Dedup   string
	Source  string
}

const (
	storedVersion = 1
	storedFixed   = 1 + 5*8
)

var errStored = errors.New("message: a stored message is not of its form")

func (s *stored) encode() []byte {
	b := make([]byte, 0, storedFixed+3*binary.MaxVarintLen32+len(s.Group)+len(s.Dedup)+len(s.Source)+len(s.Body))
	b = append(b, storedVersion)
	for _, n := range []uint64{uint64(s.Sent), uint64(s.Entered), uint64(s.Visible), s.IDHigh, s.IDLow} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, t := range []string{s.Group, s.Dedup, s.Source} {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return append(b, s.Body...)
}

// decode reads what encode made. The body is a part of b.
func (s *stored) decode(b []byte) error {
	if len(b) < storedFixed || b[0] != storedVersion {
		return errStored
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	*s = stored{Sent: int64(n(0)), Entered: int64(n(1)), Visible: int64(n(2)), IDHigh: n(3), IDLow: n(4)}
	b = b[storedFixed:]
	for _, t := range []*string{&s.Group, &s.Dedup, &s.Source} {
		size, used := binary.Uvarint(b)
		if used <= 0 || size > uint64(len(b)-used) {
			return errStored
		}
		*t, b = string(b[used:used+int(size)]), b[used+int(size):]
	}
	s.Body = b
	return nil
}

func (s *stored) id() ID { return ID{s.IDHigh, s.IDLow} }

func (s *stored) message() *Message {
	return &Message{ID: s.id(), Body: s.Body, Sent: time.Unix(0, s.Sent).UTC(), Group: s.Group, Dedup: s.Dedup, Source: s.Source}
}

// expired says whether retention is over.
func (s *stored) expired(set *Settings, now int64) bool {
	return set.Retention > 0 && now >= s.Entered+int64(set.Retention)
}
