package function

import (
	"context"
	"errors"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Reserved is a function's reserved concurrency.
type Reserved struct{ Count int }

// minUnreserved is what must stay for functions that have reserved nothing: 100,
// as AWS has it, or a tenth of a small account.
func (s *Service) minUnreserved() int { return min(100, s.cfg.Concurrency/10) }

// Reserve sets a function's reserved concurrency, or with nil takes it away. One
// transaction; a crash leaves the old or the new.
func (s *Service) Reserve(ctx context.Context, function string, n *int) error {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return err
	}
	if n != nil && *n < 0 {
		return violates(*n, "reservedConcurrentExecutions", "Member must have value greater than or equal to 0")
	}
	return s.change(ctx, func(tx store.Tx) error {
		if _, err := s.function(tx, name); err != nil {
			return err
		}
		if n == nil {
			return tx.Delete(reservedKey(name))
		}
		if err := s.checkReserved(tx, name, *n); err != nil {
			return err
		}
		return save(tx, reservedKey(name), Reserved{*n})
	})
}

// checkReserved holds a reservation against what others have, and against the
// function's own provisioned concurrency.
func (s *Service) checkReserved(tx store.Tx, name string, n int) error {
	total, err := reservedTotal(tx)
	if err != nil {
		return err
	}
	was, err := reserved(tx, name)
	if err != nil {
		return err
	}
	if was != nil {
		total -= *was
	}
	if n > 0 && s.cfg.Concurrency-total-n < s.minUnreserved() {
		return invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", s.minUnreserved())
	}
	held, err := provisionedTotal(tx, name)
	if err == nil && n < held {
		err = invalid("ReservedConcurrentExecutions %d should not be lower than function's total provisioned concurrency %d.", n, held)
	}
	return err
}

// reserved reads a function's reserved concurrency; nil for none.
func reserved(r store.Reader, name string) (*int, error) {
	v, err := load[Reserved](r, reservedKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &v.Count, nil
}

// reservedTotal adds up what all functions have reserved.
func reservedTotal(r store.Reader) (int, error) {
	total := 0
	err := all(r, below("reserved"), func(_ []byte, v *Reserved) error {
		total += v.Count
		return nil
	})
	return total, err
}

// Reserved gives a function's reserved concurrency; nil for none.
func (s *Service) Reserved(ctx context.Context, function string) (*int, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, err
	}
	var n *int
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.function(r, name); err != nil {
			return err
		}
		n, err = reserved(r, name)
		return err
	})
	return n, err
}

// ReservedTotal is what an account's functions have reserved together. It is
// asked for with every call, and answers from memory unless something changed.
func (s *Service) ReservedTotal(account string) int {
	total, err := s.reservations.Get(&s.generation, account, func() (total int, err error) {
		err = s.cfg.Store.View(context.Background(), func(r store.Reader) error {
			total, err = reservedTotal(r)
			return err
		})
		return total, err
	})
	if err != nil { // the call itself will meet the same store
		s.report(context.Background(), "read reserved concurrency", err)
	}
	return total
}
