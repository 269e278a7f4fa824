package store

import (
	"context"
	"errors"
	"iter"
	"syscall"
)

// Limits that every driver keeps, in bytes.
const (
	MaxKey   = 4 << 10
	MaxValue = 1<<20 + 16<<10 // a payload of 1 MiB and its envelope
)

var (
	// ErrNotFound is what Get returns for a key that is not there.
	ErrNotFound = errors.New("key not found")
	// ErrConflict is what Update returns when its function kept colliding with
	// others until the attempts were used up. Nothing was written. A View returns
	// it when its snapshot was lost and can't be had again.
	ErrConflict = errors.New("transaction kept conflicting with others")
	// ErrTooLarge is what a Tx returns for a key or value over the limit.
	ErrTooLarge = errors.New("key or value over the store's limit")
	// ErrFull says that the disk is full: nothing was written, and what was
	// acknowledged before is still there. Deletes may still succeed. It is also
	// syscall.ENOSPC, as a full disk is that other parts of a node meet.
	ErrFull error = full{}
	// ErrClosed is what every method returns after Close.
	ErrClosed = errors.New("store is closed")
)

// full is the type of ErrFull.
type full struct{}

func (full) Error() string { return "no space left for the store" }
func (full) Unwrap() error { return syscall.ENOSPC }

// Store is an ordered map from byte strings to byte strings, with transactions.
// Its methods are safe for concurrent use.
type Store interface {
	// View calls fn once, with one consistent snapshot, which has its place in the
	// serial order of the Updates: no reader sees what no order of them gives.
	// Values given to fn are only valid until it returns. fn must not keep the
	// Reader.
	View(ctx context.Context, fn func(Reader) error) error

	// Update calls fn with a serialisable transaction and commits it when fn
	// returns nil; an error from fn undoes it and is returned as it is. On a
	// conflict with another transaction fn is called again, so it must have no
	// effect but through the Tx. Update returns nil only once the writes are
	// durable: synced to disk, or on a quorum. After a crash a transaction is
	// there whole or not at all. An error of the store's own, ErrConflict, ErrFull
	// and ErrTooLarge apart, may come from a commit that happened all the same.
	// Long work does not belong in fn, and no other transaction: it may need what
	// this one holds.
	Update(ctx context.Context, fn func(Tx) error) error

	// Watch returns a channel that receives after every commit that changed a
	// key under prefix since the last receive, in this process at once, in others
	// that share the store soon. Signals coalesce and carry no data, so the watcher
	// reads the state it cares for; one may come for nothing, after a connection
	// was lost for instance. stop ends the watch.
	Watch(prefix []byte) (changed <-chan struct{}, stop func())

	// Close waits for running transactions and releases everything.
	Close() error
}

// Reader reads one snapshot. It is not safe for concurrent use.
type Reader interface {
	// Get returns the value of key, or ErrNotFound.
	Get(key []byte) ([]byte, error)
	// Scan walks the pairs of r in order. The slices of a pair are valid until
	// the next one. An error ends the walk as its last element. A Tx sees its
	// own writes.
	Scan(r Range) iter.Seq2[Pair, error]
}

// Tx is a Reader that also writes. Reads, scanned ranges included, are checked
// for conflicts at commit.
type Tx interface {
	Reader
	Set(key, value []byte) error
	Delete(key []byte) error
	// DeleteRange deletes start <= key < end.
	DeleteRange(start, end []byte) error
}

// Pair is a key and its value.
type Pair struct{ Key, Value []byte }

// Range is the keys start <= key < end, in order or backwards, at most Limit of
// them (0: all). A nil End has no bound.
type Range struct {
	Start, End []byte
	Reverse    bool
	Limit      int
}

// Prefix is the range of the keys that begin with p.
func Prefix(p []byte) Range { return Range{Start: p, End: PrefixEnd(p)} }

// PrefixEnd is the first key after all that begin with p; nil if there is none.
func PrefixEnd(p []byte) []byte {
	end := append([]byte(nil), p...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] != 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
