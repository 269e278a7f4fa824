package iam

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Used is when and for what an access key or a role was last used.
type Used struct {
	At              time.Time
	Region, Service string
}

// uses are those that are not stored yet. They are for people to read, so a crash may
// lose the last minute's.
type uses struct {
	mu      sync.Mutex
	pending map[string]Used
}

const (
	// useGrain is how exactly a use is kept.
	useGrain = time.Minute
	// maxUses bounds how many uses wait to be stored; beyond it they are not noted.
	maxUses = 1 << 14
)

// Note notes that a principal has used a service. It is called for every request
// that was let in, and stores nothing itself.
func (s *Service) Note(p auth.Principal, service string) {
	id := p.AccessKeyID
	switch p.Kind {
	case auth.User:
		if !strings.HasPrefix(id, "AKIA") {
			return // a session of the user's, which is no key of its own
		}
	case auth.RoleSession:
		id, _, _ = strings.Cut(p.UserID, ":")
	default:
		return
	}
	now := s.cfg.Clock.Now()
	s.used.mu.Lock()
	defer s.used.mu.Unlock()
	last, ok := s.used.pending[id]
	if ok && last.Service == service && now.Sub(last.At) < useGrain || !ok && len(s.used.pending) >= maxUses {
		return
	}
	if s.used.pending == nil {
		s.used.pending = map[string]Used{}
	}
	s.used.pending[id] = Used{now.UTC().Truncate(time.Second), s.cfg.Region, service}
}

// storeUses stores what was noted every minute, and at the end.
func (s *Service) storeUses(ctx context.Context) error {
	tick := time.NewTicker(useGrain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			s.flushUses(last)
			return nil
		case <-tick.C:
			s.flushUses(ctx)
		}
	}
}

// flushUses stores what was noted. What cannot be stored now waits for the next time.
func (s *Service) flushUses(ctx context.Context) {
	s.used.mu.Lock()
	noted := s.used.pending
	s.used.pending = nil
	s.used.mu.Unlock()
	if len(noted) == 0 {
		return
	}
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		for id, u := range noted {
			role, err := exists(tx, entityKey(id))
			key, err2 := exists(tx, accessKeyKey(id))
			if role || key { // it may have been deleted meanwhile
				err2 = errors.Join(err2, save(tx, usedKey(id), u))
			}
			if err := errors.Join(err, err2); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	s.cfg.Log.WarnContext(ctx, "what was last used could not be stored", "error", err)
	s.used.mu.Lock()
	defer s.used.mu.Unlock()
	if s.used.pending == nil {
		s.used.pending = noted
	}
}

// lastUsed gives when an access key, or a role by its id, was last used; nil if never.
func (s *Service) lastUsed(r store.Reader, id string) (*Used, error) {
	s.used.mu.Lock()
	u, ok := s.used.pending[id]
	s.used.mu.Unlock()
	if ok {
		return &u, nil
	}
	found, err := load[Used](r, usedKey(id), store.ErrNotFound)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return found, err
}
