package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrNoFreezer is what Freeze returns where there is none.
var ErrNoFreezer = errors.New("no freezer")

const (
	frozen = "FROZEN" // in v1
	thawed = "THAWED"

	freezeTimeout = 2 * time.Second
	// spin is how long Freeze looks again at once: it takes 70 us as a rule.
	spin = 500 * time.Microsecond
)

// CanFreeze says whether there is a freezer.
func (g *Group) CanFreeze() bool { return g.state != nil }

// Freeze stops every process of the group and returns when all of them stand
// still. If that can't be had they are let go on. Idempotent.
func (g *Group) Freeze() error {
	if g.state == nil {
		return ErrNoFreezer
	}
	word, sign := frozen, []byte(frozen)
	if g.root.freezer.v2 {
		word, sign = "1", []byte("frozen 1")
	}
	start := time.Now()
	var b [256]byte
	for {
		// v1 forgets the order when a process forks at the wrong time, so it is
		// given again each time.
		if _, err := g.state.WriteAt([]byte(word), 0); err != nil {
			return fmt.Errorf("freeze: %w", err)
		}
		n, err := g.events.ReadAt(b[:], 0)
		if n == 0 && err != nil {
			return fmt.Errorf("read freezer: %w", err)
		}
		if bytes.Contains(b[:n], sign) {
			return nil
		}
		switch passed := time.Since(start); {
		case passed > freezeTimeout:
			return errors.Join(fmt.Errorf("freeze: %w", os.ErrDeadlineExceeded), g.Thaw())
		case passed > spin:
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// Thaw lets the processes go on. Idempotent.
func (g *Group) Thaw() error {
	if g.state == nil {
		return nil
	}
	word := thawed
	if g.root.freezer.v2 {
		word = "0"
	}
	if _, err := g.state.WriteAt([]byte(word), 0); err != nil {
		return fmt.Errorf("thaw: %w", err)
	}
	return nil
}
