package key

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// ScheduleDeletion has a key deleted after a number of days, 0 for 30. Until then it
// can't be used, and CancelDeletion can save it. What was encrypted under it is lost
// with it.
func (s *Service) ScheduleDeletion(ctx context.Context, ref string, days *int) (*Key, error) {
	window := 30
	if days != nil {
		window = *days
	}
	if window < 7 || window > 30 {
		return nil, violates(window, "pendingWindowInDays", "Member must have value between 7 and 30")
	}
	var deleted *Key
	err := s.change(ctx, ref, alive, func(_ store.Tx, k *Key) error {
		k.State, k.Window, k.Deleted = PendingDeletion, window, s.now().AddDate(0, 0, window)
		deleted = k
		return nil
	})
	return deleted, err
}

// CancelDeletion keeps a key that waits to be deleted. It is disabled then.
func (s *Service) CancelDeletion(ctx context.Context, ref string) (*Key, error) {
	var kept *Key
	err := s.change(ctx, ref, anyState, func(_ store.Tx, k *Key) error {
		if k.State != PendingDeletion {
			return refuse("KMSInvalidStateException", "%s is not pending deletion.", s.keyARN(k.ID))
		}
		k.State, k.Window, k.Deleted = Disabled, 0, time.Time{}
		kept = k
		return nil
	})
	return kept, err
}

// Sweep erases the keys whose waiting period is over, each with its material and
// aliases in one transaction: a crash leaves a key whole, and the next Sweep takes it.
// The store drops erased bytes from its files as it rewrites them.
func (s *Service) Sweep(ctx context.Context) error {
	var over []*Key
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		over = nil
		for k, err := range scan[Key](r, below("key")) {
			if err != nil {
				return err
			}
			if s.gone(k) {
				over = append(over, k)
			}
		}
		return nil
	})
	for _, k := range over {
		err = errors.Join(err, s.cfg.Store.Update(ctx, func(tx store.Tx) error { return erase(tx, k.ID) }))
	}
	return err
}

// erase takes away all there is of a key. A key that is over can't be saved any
// more, so it need not be looked at again.
func erase(tx store.Tx, keyID string) error {
	aliases, err := aliasesOf(tx, keyID)
	if err != nil {
		return err
	}
	errs := []error{tx.Delete(keyKey(keyID))}
	for _, a := range aliases {
		errs = append(errs, tx.Delete(aliasKey(a.Name)))
	}
	for _, within := range []store.Range{below("material", keyID), below("aliasof", keyID)} {
		errs = append(errs, tx.DeleteRange(within.Start, within.End))
	}
	return errors.Join(errs...)
}
