// Package retry repeats what may succeed later, with exponential backoff and
// full jitter, and never for ever.
package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Policy bounds a retry. The zero value tries once.
type Policy struct {
	// Attempts is how many times in all; below 1 means 1.
	Attempts int
	// Base is the longest wait before the second attempt; it doubles after each.
	Base time.Duration
	// Max caps the wait between two attempts; 0 leaves it uncapped.
	Max time.Duration
}

// Wait gives the longest wait after the attempt numbered from 1.
func (p Policy) Wait(attempt int) time.Duration {
	d := p.Base
	for i := 1; i < attempt && (p.Max == 0 || d < p.Max) && d < time.Hour; i++ {
		d *= 2
	}
	if p.Max > 0 && d > p.Max {
		d = p.Max
	}
	return d
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Stop marks err as one that no further attempt would cure.
func Stop(err error) error { return permanent{err} }

// Do calls fn until it returns nil, an error marked by Stop, the attempts are
// used up or ctx ends. It returns fn's last error (unmarked), or ctx's if fn
// never failed otherwise.
func Do(ctx context.Context, p Policy, fn func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := fn(ctx)
		var stop permanent
		if err == nil {
			return nil
		}
		if errors.As(err, &stop) {
			return stop.error
		}
		if attempt >= p.Attempts {
			return err
		}
		wait := time.Duration(0)
		if longest := p.Wait(attempt); longest > 0 {
			wait = rand.N(longest) // full jitter: spreads clients that failed together
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}
