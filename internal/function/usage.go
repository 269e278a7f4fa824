package function

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// maxCodeStorage is what all packages of an account may weigh, each version
// counted by itself as AWS counts: 75 GB.
const maxCodeStorage = 80530636800

// Usage is what an account has.
type Usage struct {
	Functions, CodeBytes int64
}

// usage remembers the sum over all packages for a short while, so that creating
// ten thousand functions does not read all of them ten thousand times. What it
// answers is this node's own truth, and another's as of a moment ago.
type usage struct {
	mu    sync.Mutex
	known Usage
	until time.Time
	added int64 // bytes added here since known was read
}

// usageTime is how long a sum is remembered.
const usageTime = 10 * time.Second

func (u *usage) total(ctx context.Context, s *Service) (Usage, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if time.Now().After(u.until) {
		sum, err := s.measure(ctx)
		if err != nil {
			return Usage{}, err
		}
		u.known, u.added, u.until = sum, 0, time.Now().Add(usageTime)
	}
	sum := u.known
	sum.CodeBytes += u.added
	return sum, nil
}

func (u *usage) add(bytes int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.added += bytes
}

// measure adds up the account's packages.
func (s *Service) measure(ctx context.Context) (Usage, error) {
	var sum Usage
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		for p, err := range r.Scan(store.Prefix(below("use"))) {
			if err != nil {
				return err
			}
			parts, err := store.Split(p.Key)
			if err != nil {
				return err
			}
			kind, n := parts[3], parts[5]
			if kind == kindLayers {
				continue // counted with the layer's version
			}
			if kind == kindVersion && n == uint64(0) {
				sum.Functions++
			}
			var use packageUse
			if err := record.Unmarshal(p.Value, &use); err != nil {
				return err
			}
			sum.CodeBytes += use.Bytes
		}
		return nil
	})
	if err != nil {
		return Usage{}, fmt.Errorf("measure code storage: %w", err)
	}
	return sum, nil
}

// Account is the account's limits and what it uses of them.
type Account struct {
	Usage
	// Concurrency is the limit; Unreserved what no function has reserved.
	Concurrency, Unreserved int
}

// Account measures the account.
func (s *Service) Account(ctx context.Context) (Account, error) {
	sum, err := s.measure(ctx)
	if err != nil {
		return Account{}, err
	}
	a := Account{Usage: sum, Concurrency: s.cfg.Concurrency}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		reserved, err := reservedTotal(r)
		a.Unreserved = a.Concurrency - reserved
		return err
	})
	return a, err
}
