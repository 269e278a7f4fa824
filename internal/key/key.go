package key

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// State is whether a key can be used.
type State string

// The states of a key.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
const (
	Enabled         State = "Enabled"
	Disabled        State = "Disabled"
	PendingDeletion State = "PendingDeletion"
)

// Key is an encryption key, without its material.
type Key struct {
	ID          string
	Description string
	Created     time.Time
	State       State
	// Service is whose AWS managed key this is ("ssm"); empty for a customer's.
	Service string
	Policy  string
	Tags    map[string]string
	// Deleted is when a key that is PendingDeletion is gone; Window the days it waits.
	Deleted time.Time
	Window  int
	// Generation numbers the newest material, from 1.
	Generation int
	Rotation   Rotation
}

const maxDescription = 8192

// Draft is what a new key is made of.
type Draft struct {
	Description string
	Policy      string // "" is the usual one
	Tags        []Tag
}

// Create makes a key. A crash leaves it whole, with its material, or not at all.
func (s *Service) Create(ctx context.Context, d Draft) (*Key, error) {
	if err := checkDescription(d.Description); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, d.Tags)
	if err != nil {
		return nil, err
	}
	k := &Key{ID: id.UUID(), Description: d.Description, Policy: d.Policy, Tags: tags}
	if k.Policy == "" {
		k.Policy = s.usualPolicy()
	} else if err := s.checkPolicy(k); err != nil {
		return nil, err
	}
	return k, s.cfg.Store.Update(ctx, func(tx store.Tx) error { return s.add(tx, k) })
}

// add writes a new key and its first material.
func (s *Service) add(tx store.Tx, k *Key) error {
	k.Created, k.State, k.Generation = s.now(), Enabled, 1
	m, err := s.makeMaterial(k.ID, 1)
	if err != nil {
		return err
	}
	return errors.Join(save(tx, materialKey(k.ID, 1), m), save(tx, keyKey(k.ID), k))
}

// Key gives a key by its id, its ARN, or an alias's name or ARN.
func (s *Service) Key(ctx context.Context, ref string) (k *Key, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		k, err = s.find(r, ref)
		return err
	})
	return k, err
}

// describe is Key, but makes an AWS managed key that is asked for by its alias, as
// AWS's DescribeKey does.
func (s *Service) describe(ctx context.Context, ref string) (*Key, error) {
	n, err := s.parse(ref)
	if err != nil {
		return nil, err
	}
	if service := managedBy(n.alias); service != "" {
		return s.managed(ctx, service)
	}
	return s.Key(ctx, ref)
}

// List gives the ids of all keys after one, in order, at most limit; more says
// whether there are others.
func (s *Service) List(ctx context.Context, after string, limit int) (ids []string, more bool, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		ids, more = nil, false
		within := below("key")
		if after != "" {
			within.Start = append(keyKey(after), 0)
		}
		for k, err := range scan[Key](r, within) {
			if err != nil {
				return err
			}
			if s.gone(k) {
				continue
			}
			if more = len(ids) == limit; more {
				return nil
			}
			ids = append(ids, k.ID)
		}
		return nil
	})
	return ids, more, err
}

// SetEnabled enables or disables a key.
func (s *Service) SetEnabled(ctx context.Context, ref string, enabled bool) error {
	return s.change(ctx, ref, alive, func(_ store.Tx, k *Key) error {
		k.State = Disabled
		if enabled {
			k.State = Enabled
		}
		return nil
	})
}

// SetDescription changes a key's description.
func (s *Service) SetDescription(ctx context.Context, ref, description string) error {
	if err := checkDescription(description); err != nil {
		return err
	}
	return s.change(ctx, ref, alive, func(_ store.Tx, k *Key) error {
		k.Description = description
		return nil
	})
}

func checkDescription(d string) error {
	if len(d) > maxDescription || !utf8.ValidString(d) {
		return violates(clip(d), "description", "Member must have length less than or equal to 8192")
	}
	return nil
}

// change alters a key of a customer's, named by id or ARN, if ready has nothing
// against its state. It is one transaction: a crash leaves all or nothing of it.
func (s *Service) change(ctx context.Context, ref string, ready func(*Service, *Key) error, fn func(store.Tx, *Key) error) error {
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		k, err := s.findByID(tx, ref)
		if err != nil {
			return err
		}
		if k.Service != "" {
			return refuse("AccessDeniedException", "%s is an AWS managed key: only AWS's service %s can change it.", s.keyARN(k.ID), k.Service)
		}
		if err := ready(s, k); err != nil {
			return err
		}
		if err := fn(tx, k); err != nil {
			return err
		}
		return save(tx, keyKey(k.ID), k)
	})
}

// alive refuses a key that waits to be deleted.
func alive(s *Service, k *Key) error {
	if k.State == PendingDeletion {
		return pending(s.keyARN(k.ID))
	}
	return nil
}

// usable refuses a key that can't encrypt.
func usable(s *Service, k *Key) error {
	if k.State == Disabled {
		return disabled(s.keyARN(k.ID))
	}
	return alive(s, k)
}

// anyState refuses none.
func anyState(*Service, *Key) error { return nil }
