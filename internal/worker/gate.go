package worker

import (
	"context"
	"sync"
)

// gate bounds how many sandboxes boot at once. Boots that a call waits for go
// first; those that only refill the pool get what is left.
type gate struct {
	mu      sync.Mutex
	free    int
	calls   []chan struct{}
	refills []chan struct{}
}

func newGate(n int) *gate { return &gate{free: n} }

// enter waits for a place; leave gives it back. refill says that nobody waits
// for the boot.
func (g *gate) enter(ctx context.Context, refill bool) error {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	line := &g.calls
	if refill {
		line = &g.refills
	}
	*line = append(*line, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		g.abandon(line, turn)
		return ctx.Err()
	}
}

// leave passes the place on to whoever waits, calls before refills.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range []*[]chan struct{}{&g.calls, &g.refills} {
		if len(*line) > 0 {
			close((*line)[0])
			*line = (*line)[1:]
			return
		}
	}
	g.free++
}

func (g *gate) abandon(line *[]chan struct{}, turn chan struct{}) {
	g.mu.Lock()
	for i, c := range *line {
		if c == turn {
			*line = append((*line)[:i:i], (*line)[i+1:]...)
			g.mu.Unlock()
			return
		}
	}
	g.mu.Unlock()
	g.leave() // the turn came at the same moment: pass it on
}
