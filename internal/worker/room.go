package worker

import (
	"context"
	"sync"
)

// guess is what an environment is taken to need until it has been measured:
// a small runtime and the sandbox around it.
const guess = 40 << 20

// room keeps what all sandboxes take within the node's memory. Memory sizes of
// functions are limits, not reservations, so it goes by what is measured.
type room struct {
	limit int64
	evict func() bool // asks for one idle sandbox's end; false: none is idle

	mu      sync.Mutex
	used    int64
	changed chan struct{} // closed and replaced when used goes down
}

func newRoom(limit int64, evict func() bool) *room {
	return &room{limit: limit, evict: evict, changed: make(chan struct{})}
}

// take charges n bytes, evicting what is idle and waiting for it to end. The
// first sandbox of a node always finds room.
func (r *room) take(ctx context.Context, n int64) error {
	for {
		r.mu.Lock()
		if r.used == 0 || r.used+n <= r.limit {
			r.used += n
			r.mu.Unlock()
			return nil
		}
		changed := r.changed
		r.mu.Unlock()
		r.evict()
		select {
		case <-changed:
		case <-ctx.Done():
			return ErrNoRoom
		}
	}
}

// fits says whether n more bytes would go in now, leaving a tenth free: what
// only waits to be useful does not fill a node up.
func (r *room) fits(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used+n <= r.limit-r.limit/10
}

// adjust corrects a charge by what was measured, or gives it back.
func (r *room) adjust(by int64) {
	r.mu.Lock()
	r.used += by
	if by < 0 {
		close(r.changed)
		r.changed = make(chan struct{})
	}
	r.mu.Unlock()
}
