package iam

import (
	"context"
	"errors"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// credential is an access key as authentication needs it.
type credential struct {
	auth.Credential
	inactive bool
}

// Keys are the access keys of users, for authentication.
func (s *Service) Keys() auth.Keys { return userKeys{s} }

type userKeys struct{ *Service }

// Secret implements auth.Keys. It answers from memory, and never with what was before
// a change that this node has acknowledged.
func (u userKeys) Secret(ctx context.Context, accessKeyID, token string) (auth.Credential, error) {
	if !strings.HasPrefix(accessKeyID, "AKIA") {
		return auth.Credential{}, auth.ErrUnknownKey
	}
	accessKeyID = strings.Clone(accessKeyID) // a part of a request's header
	c, err := u.keys.Get(&u.changes, accessKeyID, func() (credential, error) { return u.readCredential(ctx, accessKeyID) })
	switch {
	case err != nil:
		return auth.Credential{}, err
	case c.inactive:
		return auth.Credential{}, auth.ErrUnknownKey
	case token != "":
		return auth.Credential{}, auth.ErrInvalidToken
	}
	return c.Credential, nil
}

func (s *Service) readCredential(ctx context.Context, accessKeyID string) (c credential, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		k, err := load[AccessKey](r, accessKeyKey(accessKeyID), auth.ErrUnknownKey)
		if err != nil {
			return err
		}
		e, err := byID(r, k.User)
		if err != nil {
			return err
		}
		secret, err := s.cfg.Sealer.Unseal(keyLabel(k.ID), k.Sealed)
		if err != nil {
			return err
		}
		c = credential{auth.Credential{Secret: string(secret), Principal: auth.Principal{
			Kind: auth.User, Account: s.cfg.Account, ARN: s.ARN(e), UserID: e.ID, AccessKeyID: k.ID,
		}}, k.Inactive}
		return nil
	})
	return c, err
}

// Owned are the credentials of inner as far as their owners are still there: sessions
// of a role that has been deleted are no longer valid.
func (s *Service) Owned(inner auth.Keys) auth.Keys { return ownedKeys{s, inner} }

type ownedKeys struct {
	*Service
	inner auth.Keys
}

// Secret implements auth.Keys.
func (o ownedKeys) Secret(ctx context.Context, accessKeyID, token string) (auth.Credential, error) {
	c, err := o.inner.Secret(ctx, accessKeyID, token)
	if err != nil {
		return c, err
	}
	if _, err := o.Caller(ctx, c.Principal); errors.Is(err, errGone) {
		return auth.Credential{}, auth.ErrInvalidToken
	} else if err != nil {
		return auth.Credential{}, err
	}
	return c, nil
}
