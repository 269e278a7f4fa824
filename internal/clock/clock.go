// Package clock is where Mayfly reads the time, so that a test can steer it.
//
// Code that decides by the time of day (expiry, schedules, retention, the
// bill's day) takes a Clock. Code that only measures how long something took
// or waits a bounded while uses the time package directly.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time of day.
type Clock interface {
	// Now is the current time. Implementations are safe for concurrent use.
	Now() time.Time
}

// System is the machine's clock.
var System Clock = system{}

type system struct{}

func (system) Now() time.Time { return time.Now() }

// Manual is a clock that stands still until told otherwise.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual makes a clock that stands at t.
func NewManual(t time.Time) *Manual { return &Manual{now: t} }

// Now is the time the clock was last set to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock by d, which may be negative: clocks jump back.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}
