package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/retry"
)

var errTry = errors.New("try")

func TestWait(t *testing.T) {
	p := retry.Policy{Base: time.Second, Max: 5 * time.Second}
	for attempt, want := range map[int]time.Duration{1: 1e9, 2: 2e9, 3: 4e9, 4: 5e9, 100: 5e9} {
		if got := p.Wait(attempt); got != want {
			t.Errorf("after attempt %d: %v, want %v", attempt, got, want)
		}
	}
	if got := (retry.Policy{Base: time.Second}).Wait(1000); got < time.Hour || got > 2*time.Hour {
		t.Errorf("uncapped, after 1000 attempts: %v", got)
	}
	if got := (retry.Policy{}).Wait(3); got != 0 {
		t.Errorf("without a base: %v", got)
	}
}

func TestDo(t *testing.T) {
	tests := map[string]struct {
		policy retry.Policy
		errs   []error // of each attempt
		want   error
		calls  int
	}{
		"the zero policy tries once": {retry.Policy{}, []error{errTry, nil}, errTry, 1},
		"success at once":            {retry.Policy{Attempts: 3}, []error{nil}, nil, 1},
		"success later":              {retry.Policy{Attempts: 3, Base: time.Second}, []error{errTry, errTry, nil}, nil, 3},
		"used up":                    {retry.Policy{Attempts: 2, Base: time.Second}, []error{errTry, errTry, nil}, errTry, 2},
		"stopped":                    {retry.Policy{Attempts: 5}, []error{errTry, fmt.Errorf("call: %w", retry.Stop(errTry)), nil}, errTry, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := retry.Do(t.Context(), test.policy, func(context.Context) error {
					calls++
					return test.errs[calls-1]
				})
				if err != test.want || calls != test.calls {
					t.Errorf("%v after %d calls, want %v after %d", err, calls, test.want, test.calls)
				}
			})
		})
	}
}

// TestDoWaits: waits are random, and no longer than the policy says.
func TestDoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		retry.Do(t.Context(), retry.Policy{Attempts: 6, Base: time.Second, Max: 4 * time.Second}, func(context.Context) error { return errTry })
		if took := time.Since(begin); took == 0 || took > (1+2+4+4+4)*time.Second {
			t.Errorf("five waits took %v", took)
		}
	})
}

// TestDoEnds: a context that ends cuts a wait short.
func TestDoEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begin, calls := time.Now(), 0
		err := retry.Do(ctx, retry.Policy{Attempts: 1000, Base: time.Hour}, func(context.Context) error { calls++; return errTry })
		if took := time.Since(begin); err != errTry || took > time.Millisecond || calls > 2 {
			t.Errorf("%v after %v and %d calls", err, took, calls)
		}
	})
}
