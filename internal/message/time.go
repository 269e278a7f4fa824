package message

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// markEvery is how far the time in the store may lag behind while messages pass.
const markEvery = 10 * time.Second

// timeline is the engine's time, in nanoseconds since 1970: what the clock said once,
// and what has passed since. It never goes back.
type timeline struct {
	clock  clock.Clock
	base   time.Time     // with the machine's reading of time passed, as package time keeps it
	ahead  time.Duration // of the clock
	last   atomic.Int64
	ticked atomic.Int64
	saved  atomic.Int64 // what the store has
}

// newTimeline begins at the clock's time, or at the one in the store if that is later:
// the clock was set back since.
func newTimeline(r store.Reader, c clock.Clock) (*timeline, error) {
	t := &timeline{clock: c, base: c.Now()}
	b, err := r.Get(clockKey)
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil || len(b) != 8 {
		return nil, fmt.Errorf("read the time of messages: %d bytes, %w", len(b), err)
	}
	saved := int64(binary.BigEndian.Uint64(b))
	t.ahead = max(0, time.Duration(saved-t.base.UnixNano()))
	t.saved.Store(saved)
	return t, nil
}

// now is the time, never earlier than at any call before.
func (t *timeline) now() int64 {
	n := t.base.UnixNano() + int64(t.clock.Now().Sub(t.base)+t.ahead)
	return raise(&t.last, n, 0)
}

// tick is now, or later, and at no two calls the same.
func (t *timeline) tick(now int64) int64 { return raise(&t.ticked, now, 1) }

// raise sets last to n, and at least to so much more than it was.
func raise(last *atomic.Int64, n, step int64) int64 {
	for {
		was := last.Load()
		if is := max(n, was+step); is == was || last.CompareAndSwap(was, is) {
			return is
		}
	}
}

// mark writes the time if it was long ago; nobody reads it while the engine runs, so
// that it collides with nothing. It gives what was written, for marked.
func (t *timeline) mark(tx store.Tx) (int64, error) {
	now := t.now()
	if now-t.saved.Load() < int64(markEvery) {
		return 0, nil
	}
	return now, tx.Set(clockKey, binary.BigEndian.AppendUint64(nil, uint64(now)))
}

func (t *timeline) marked(at int64) {
	if at != 0 {
		t.saved.Store(at)
	}
}
