package driver

import (
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Gate counts what runs in a store, and lets its Close wait for that. The zero
// value is open. It is safe for concurrent use.
type Gate struct {
	mu      sync.Mutex
	running int
	closing bool
	empty   chan struct{} // closed when closing and nothing runs
}

// Enter lets a transaction in, or fails with store.ErrClosed. Leave follows.
func (g *Gate) Enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return store.ErrClosed
	}
	g.running++
	return nil
}

// Leave ends what Enter let in.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running--; g.running == 0 && g.closing {
		close(g.empty)
	}
}

// Shut lets nobody in any more and waits until all have left. A second call
// fails with store.ErrClosed.
func (g *Gate) Shut() error {
	g.mu.Lock()
	if g.closing {
		g.mu.Unlock()
		return store.ErrClosed
	}
	g.closing, g.empty = true, make(chan struct{})
	if g.running == 0 {
		close(g.empty)
	}
	g.mu.Unlock()
	<-g.empty
	return nil
}
