package clock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
)

func TestSystem(t *testing.T) {
	before := time.Now()
	if got := clock.System.Now(); got.Before(before) || time.Since(got) > time.Minute {
		t.Errorf("it is %v", got)
	}
}

func TestManual(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	m := clock.NewManual(noon)
	for _, step := range []struct {
		by   time.Duration
		want time.Time
	}{{0, noon}, {time.Hour, noon.Add(time.Hour)}, {-2 * time.Hour, noon.Add(-time.Hour)}} {
		if m.Advance(step.by); !m.Now().Equal(step.want) {
			t.Errorf("after %v it is %v, want %v", step.by, m.Now(), step.want)
		}
	}
}

func TestManualTogether(t *testing.T) {
	start := time.Unix(0, 0)
	m := clock.NewManual(start)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { m.Advance(time.Second); m.Now() })
	}
	wg.Wait()
	if got := m.Now().Sub(start); got != 10*time.Second {
		t.Errorf("advanced by %v", got)
	}
}
