package iam

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// AccessKey is a permanent access key of a user. Its secret is sealed under the
// node's key: signatures are checked with it, so a digest of it would not do.
type AccessKey struct {
	ID, User string // User is the user's id
	Created  time.Time
	Inactive bool
	Sealed   []byte
}

// maxKeys is how many access keys a user may have.
const maxKeys = 2

// Sealer keeps secrets that are stored. auth.NodeKey is one.
type Sealer interface {
	// Seal encrypts; what it returns opens under the same label alone.
	Seal(label string, plain []byte) ([]byte, error)
	// Unseal decrypts what Seal returned.
	Unseal(label string, sealed []byte) ([]byte, error)
}

// keyLabel binds a sealed secret to its access key id.
func keyLabel(accessKeyID string) string { return "access key\n" + accessKeyID }

// createKey makes an access key and gives its secret, for the only time. One
// transaction: after a crash the key and the user's list of it are both there or
// neither; a secret that was not answered is of no use to anybody, and the key can be
// deleted.
func (s *Service) createKey(ctx context.Context, user string) (k *AccessKey, owner *Entity, secret string, err error) {
	secret = auth.NewSecret()
	k = &AccessKey{ID: id.Unique("AKIA", 16), Created: s.now()}
	if k.Sealed, err = s.cfg.Sealer.Seal(keyLabel(k.ID), []byte(secret)); err != nil {
		return nil, nil, "", err
	}
	err = s.alter(ctx, User, user, func(tx store.Tx, e *Entity) error {
		if len(e.Keys) == maxKeys {
			return limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		e.Keys = append(e.Keys, k.ID)
		k.User, owner = e.ID, e
		return save(tx, accessKeyKey(k.ID), k)
	})
	return k, owner, secret, err
}

func noKey(accessKeyID string) error {
	return noSuchEntity("The Access Key with id %s cannot be found.", clip(accessKeyID))
}

// setKeyActive switches an access key of a user's on or off.
func (s *Service) setKeyActive(ctx context.Context, user, accessKeyID string, active bool) error {
	return s.alter(ctx, User, user, func(tx store.Tx, e *Entity) error {
		if !slices.Contains(e.Keys, accessKeyID) {
			return noKey(accessKeyID)
		}
		k, err := load[AccessKey](tx, accessKeyKey(accessKeyID), noKey(accessKeyID))
		if err != nil {
			return err
		}
		k.Inactive = !active
		return save(tx, accessKeyKey(accessKeyID), k)
	})
}

func (s *Service) deleteKey(ctx context.Context, user, accessKeyID string) error {
	return s.alter(ctx, User, user, func(tx store.Tx, e *Entity) error {
		at := slices.Index(e.Keys, accessKeyID)
		if at < 0 {
			return noKey(accessKeyID)
		}
		e.Keys = slices.Delete(e.Keys, at, at+1)
		return errors.Join(tx.Delete(accessKeyKey(accessKeyID)), tx.Delete(usedKey(accessKeyID)))
	})
}

// keysOf gives a user and its access keys.
func (s *Service) keysOf(ctx context.Context, user string, w window) (e *Entity, list []*AccessKey, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if e, err = find(r, User, user); err != nil {
			return err
		}
		list = nil
		for _, id := range e.Keys {
			k, err := load[AccessKey](r, accessKeyKey(id), noKey(id))
			if err != nil {
				return err
			}
			list = append(list, k)
		}
		return nil
	})
	if err != nil {
		return nil, nil, "", err
	}
	list, marker, err = paged("keys of "+e.ID, list, func(k *AccessKey) string { return k.ID }, w)
	return e, list, marker, err
}

// KeyOwner gives the user that has an access key.
func (s *Service) KeyOwner(ctx context.Context, accessKeyID string) (e *Entity, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		k, err := load[AccessKey](r, accessKeyKey(accessKeyID), noKey(accessKeyID))
		if err != nil {
			return err
		}
		e, err = byID(r, k.User)
		return err
	})
	return e, err
}
