package secret

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Delete has a secret deleted after a number of days, nil for 30. Until then Restore
// can save it.
func (s *Service) Delete(ctx context.Context, ref string, days *int) (*Secret, error) {
	window := 30
	if days != nil {
		window = *days
	}
	if window < 7 || window > 30 {
		return nil, invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	return s.change(ctx, ref, func(_ store.Tx, sec *Secret) error {
		sec.Deleted = s.now().AddDate(0, 0, window)
		return nil
	})
}

// Destroy erases a secret at once, one that waits to be deleted too. It gives the
// secret that was, nil for none. A crash leaves all of it or nothing.
func (s *Service) Destroy(ctx context.Context, ref string) (sec *Secret, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if sec, err = s.find(tx, ref); err == errNotFound {
			sec = nil
			return nil
		} else if err != nil {
			return err
		}
		return erase(tx, sec.Name)
	})
	return sec, err
}

// Restore keeps a secret that waits to be deleted.
func (s *Service) Restore(ctx context.Context, ref string) (sec *Secret, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if sec, err = s.find(tx, ref); err != nil {
			return err
		}
		sec.Deleted = time.Time{}
		return save(tx, secretKey(sec.Name), sec)
	})
	return sec, err
}

// Sweep erases the secrets whose recovery window is over, each in one transaction: a
// crash leaves a secret whole, and the next Sweep takes it.
func (s *Service) Sweep(ctx context.Context) error {
	var over []string
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		over = nil
		for sec, err := range scan[Secret](r, below("secret")) {
			if err != nil {
				return err
			}
			if s.gone(sec) {
				over = append(over, sec.Name)
			}
		}
		return nil
	})
	for _, name := range over {
		err = errors.Join(err, s.cfg.Store.Update(ctx, func(tx store.Tx) error {
			sec, err := load[Secret](tx, secretKey(name), errNotFound)
			if err == errNotFound || err == nil && !s.gone(sec) {
				return nil // taken, or made anew, meanwhile
			}
			return errors.Join(err, erase(tx, name))
		}))
	}
	return err
}

// erase takes away all there is of a name.
func erase(tx store.Tx, name string) error {
	errs := []error{tx.Delete(secretKey(name))}
	for _, kind := range []string{"version", "value"} {
		within := below(kind, name)
		errs = append(errs, tx.DeleteRange(within.Start, within.End))
	}
	return errors.Join(errs...)
}
