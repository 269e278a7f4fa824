package message

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"time"
)

// Limits.
const (
	MaxBody = 1 << 20 // bytes of a body
	// MaxReceive is how many messages one Receive gives at most.
	MaxReceive = 256
	// Remembered is how long a deduplication id, and the id of a Receive, count.
	Remembered = 5 * time.Minute
	// MaxHidden is how long a message may be hidden from its receive on.
	MaxHidden = 12 * time.Hour
)

var (
	// ErrNoQueue says that there is no such queue.
	ErrNoQueue = errors.New("the queue does not exist")
	// ErrGone says that a receipt's message is no longer there, or was received by
	// somebody else since.
	ErrGone = errors.New("the message is gone, or was received again")
	// ErrExpired says that a receipt's visibility is over.
	ErrExpired = errors.New("the visibility of the message is over")
	// ErrTooLong says that a message would be hidden for longer than MaxHidden.
	ErrTooLong = errors.New("the message would be hidden for longer than twelve hours")
	// ErrInFlight says that as many messages are in flight as the queue allows.
	ErrInFlight = errors.New("too many messages of the queue are in flight")
	// ErrReceipt says that a text is no receipt.
	ErrReceipt = errors.New("not a receipt")
	// ErrClosed is what a Receive that waits returns when the engine ends.
	ErrClosed = errors.New("the message engine has ended")
)

// QueueID names a queue. It is never given to another.
type QueueID uint64

// ID names a message, in its first queue and in those it is moved to. IDs sort in the
// order of sending, as far as clocks agree.
type ID struct{ hi, lo uint64 }

// newID makes an id of a time: a UUID of version 7, with the fraction of its
// millisecond behind the version and what is left of the time behind the variant.
// https://www.rfc-editor.org/rfc/rfc9562#section-5.7
func newID(at int64) ID {
	ms, rest := uint64(at)/1e6, uint64(at)%1e6
	fraction := rest << 12 / 1e6
	left := rest - fraction*1e6>>12 // less than 256
	return ID{ms<<16 | 7<<12 | fraction, 1<<63 | left<<54 | rand.Uint64()>>10}
}

// time is when it was made, at most a millisecond less.
func (id ID) time() int64 { return int64(id.hi>>16) * 1e6 }

// String gives the id as a UUID.
func (id ID) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], id.hi)
	binary.BigEndian.PutUint64(b[8:], id.lo)
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Settings are what a queue does with its messages.
type Settings struct {
	// FIFO keeps the order of the messages of a group. It can't be changed.
	FIFO bool
	// ByGroup has a deduplication id count within its group only.
	ByGroup bool
	// Retention is how long a message is kept; 0 is for ever.
	Retention time.Duration
	// MaxInFlight is how many messages may be received and not deleted; 0 is any number.
	MaxInFlight int
	// DeadLetter is where a message goes that was received After times, instead of
	// being received once more. A queue that is not there is none.
	DeadLetter QueueID
	After      int
	// Source is what messages that come into a dead-letter queue from here have as
	// theirs.
	Source string
}

// Draft is a message to be sent.
type Draft struct {
	Body  []byte
	Delay time.Duration
	// Group and Dedup are for FIFO queues alone; Dedup may be empty.
	Group, Dedup string
}

// Sent is what became of a Draft.
type Sent struct {
	ID ID
	// Number is its place within its group, in FIFO queues.
	Number uint64
	// Duplicate says that nothing was sent, since the message was before.
	Duplicate bool
}

// Message is a message that was received.
type Message struct {
	ID
	Body         []byte
	Sent         time.Time
	Group, Dedup string
	Number       uint64
	Source       string // of the queue that it was moved from as a dead letter
	Receives     int    // this one too
	First        time.Time
	Receipt      Receipt
}
