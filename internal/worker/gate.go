package worker

import (
	"context"
	"sync"
)

// rank is what a boot is for, the most urgent first.
type rank int

const (
	forCall      rank = iota // somebody waits for it
	forProvision             // configuration wants it
	forPool                  // it may be of use some day
	ranks
)

// gate bounds how many sandboxes boot at once, and has them go in the order of
// their ranks. A boot for the pool begins only while no call waits for a start,
// and takes half of the places at most: one that comes then finds a processor.
//
// What has begun is not stopped; the call that comes meanwhile may be the one that
// it is of use to.
type gate struct {
	mu      sync.Mutex
	free    int
	refills int // more boots for the pool that may go on at once
	hurried int // calls that wait for a start
	lines   [ranks][]chan struct{}
}

func newGate(n int) *gate { return &gate{free: n, refills: max(1, (n-1)/2)} }

// enter waits for a place; leave gives it back.
func (g *gate) enter(ctx context.Context, r rank) error {
	turn := make(chan struct{})
	g.mu.Lock()
	g.lines[r] = append(g.lines[r], turn)
	g.admit()
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		g.abandon(r, turn)
		return ctx.Err()
	}
}

// leave passes the place on to whoever waits.
func (g *gate) leave(r rank) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free++
	if r == forPool {
		g.refills++
	}
	g.admit()
}

// hurry keeps boots for the pool from beginning until calm is called: a call waits
// for its start, of which a boot may be a part.
func (g *gate) hurry() (calm func()) {
	g.mu.Lock()
	g.hurried++
	g.mu.Unlock()
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.hurried--
		g.admit()
	})
}

// admit lets in whoever may go. It is called with the lock held.
func (g *gate) admit() {
	for r := range g.lines {
		for len(g.lines[r]) > 0 && g.free > 0 {
			if rank(r) == forPool {
				if g.hurried > 0 || g.refills == 0 {
					return
				}
				g.refills--
			}
			g.free--
			close(g.lines[r][0])
			g.lines[r] = g.lines[r][1:]
		}
	}
}

func (g *gate) abandon(r rank, turn chan struct{}) {
	g.mu.Lock()
	for i, c := range g.lines[r] {
		if c == turn {
			g.lines[r] = append(g.lines[r][:i:i], g.lines[r][i+1:]...)
			g.mu.Unlock()
			return
		}
	}
	g.mu.Unlock()
	g.leave(r) // the turn came at the same moment: pass it on
}
