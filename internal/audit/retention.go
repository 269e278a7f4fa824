package audit

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	sweepEvery = time.Hour
	sweepBatch = 200 // entries removed in one transaction
)

// sweepRegularly removes what is too old every hour, and what is too many when it is.
func (t *Trail) sweepRegularly(ctx context.Context) error {
	hourly := time.NewTicker(sweepEvery)
	defer hourly.Stop()
	for {
		if err := t.Sweep(ctx); err != nil && ctx.Err() == nil {
			t.cfg.Log.Warn("removing old audit events failed; it will be tried again", "err", err)
			pause(ctx, time.Second)
		}
		select {
		case <-t.over:
		case <-hourly.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Sweep removes entries that are too old, and the oldest of a kind of which there are
// too many, with a tenth more, so that it isn't called for every new one.
func (t *Trail) Sweep(ctx context.Context) error {
	old := store.Range{Start: store.Key(room, "entry")}
	old.End = place{time: uint64(max(0, t.cfg.Clock.Now().Add(-t.cfg.MaxAge).UnixMilli()))}.key()
	errs := []error{t.removeFrom(ctx, old, -1)}
	for _, k := range kinds {
		var n int
		err := t.cfg.Store.View(ctx, func(r store.Reader) (err error) {
			n, err = counted(r, k)
			return err
		})
		if err == nil && n > t.cfg.MaxEvents {
			err = t.removeFrom(ctx, store.Prefix(attribute{byKind, string(k)}.below()), n-t.cfg.MaxEvents+t.cfg.MaxEvents/10)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// removeFrom removes the oldest n entries of a range of keys; all for a negative n.
func (t *Trail) removeFrom(ctx context.Context, keys store.Range, n int) error {
	for n != 0 && ctx.Err() == nil {
		keys.Limit = sweepBatch
		if n > 0 {
			keys.Limit = min(n, sweepBatch)
		}
		var found []place
		err := t.cfg.Store.View(ctx, func(r store.Reader) error {
			found = nil
			for pair, err := range r.Scan(keys) {
				if err != nil {
					return err
				}
				p, err := placeOf(pair.Key)
				if err != nil {
					return err
				}
				found = append(found, p)
			}
			return nil
		})
		if err != nil || len(found) == 0 {
			return err
		}
		if err := t.cfg.Store.Update(ctx, func(tx store.Tx) error { return removeAll(tx, found) }); err != nil {
			return err
		}
		if n > 0 {
			n -= len(found)
		}
	}
	return ctx.Err()
}

func removeAll(tx store.Tx, places []place) error {
	gone := map[Kind]int{}
	for _, p := range places {
		e, err := remove(tx, p)
		if err != nil {
			return err
		}
		if e != nil {
			gone[e.Kind]--
		}
	}
	return count(tx, gone)
}
