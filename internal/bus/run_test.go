package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

func (b broken) Update(ctx context.Context, fn func(store.Tx) error) error {
	return b.Store.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errCrash
	})
}

func withCancel() (context.Context, func()) { return context.WithCancel(context.Background()) }

// eventually waits for a condition.
func eventually(t *testing.T, true_ func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !true_() {
		if time.Now().After(deadline) {
			t.Fatal("not in time")
		}
		time.Sleep(time.Millisecond)
	}
}
