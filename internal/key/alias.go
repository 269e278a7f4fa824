package key

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Alias is another name of a key.
type Alias struct {
	Name             string // "alias/payroll"
	Key              string // its id; empty for an AWS managed key nobody has used yet
	Created, Updated time.Time
}

const (
	aliasPrefix = "alias/"
	maxAlias    = 256 // with the prefix
	// maxAliases is how many aliases a key may have.
	// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
	maxAliases = 50
)

// CreateAlias names a key. A crash leaves the alias, and the key's list of it, or
// neither; so do UpdateAlias and DeleteAlias.
func (s *Service) CreateAlias(ctx context.Context, alias, ref string) error {
	if err := checkAlias(alias); err != nil {
		return err
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if there, err := exists(tx, aliasKey(alias)); err != nil || there {
			return orElse(err, refuse("AlreadyExistsException", "An alias with the name %s already exists", s.arn(alias)))
		}
		k, err := s.aliasable(tx, ref)
		if err != nil {
			return err
		}
		now := s.now()
		return putAlias(tx, &Alias{Name: alias, Key: k.ID, Created: now, Updated: now})
	})
}

// UpdateAlias has an alias name another key.
func (s *Service) UpdateAlias(ctx context.Context, alias, ref string) error {
	if err := checkAlias(alias); err != nil {
		return err
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, err := load[Alias](tx, aliasKey(alias), noAlias(s.arn(alias)))
		if err != nil {
			return err
		}
		if err := tx.Delete(aliasOfKey(a.Key, alias)); err != nil {
			return err
		}
		k, err := s.aliasable(tx, ref)
		if err != nil {
			return err
		}
		a.Key, a.Updated = k.ID, s.now()
		return putAlias(tx, a)
	})
}

// DeleteAlias takes a name away; the key stays.
func (s *Service) DeleteAlias(ctx context.Context, alias string) error {
	if err := checkAlias(alias); err != nil {
		return err
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, err := load[Alias](tx, aliasKey(alias), noAlias(s.arn(alias)))
		if err != nil {
			return err
		}
		return errors.Join(tx.Delete(aliasKey(alias)), tx.Delete(aliasOfKey(a.Key, alias)))
	})
}

// ListAliases gives aliases after one, in order of their names, of one key only
// unless ref is empty.
func (s *Service) ListAliases(ctx context.Context, ref, after string, limit int) (list []Alias, more bool, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list, more = nil, false
		var all []Alias
		if ref != "" {
			k, err := s.findByID(r, ref)
			if err != nil {
				return err
			}
			if all, err = aliasesOf(r, k.ID); err != nil {
				return err
			}
		} else {
			for a, err := range scan[Alias](r, below("alias")) {
				if err != nil {
					return err
				}
				all = append(all, *a)
			}
			all = withUnused(all)
		}
		for _, a := range all {
			if a.Name <= after {
				continue
			}
			if more = len(list) == limit; more {
				return nil
			}
			list = append(list, a)
		}
		return nil
	})
	return list, more, err
}

// aliasable gives the key an alias may name.
func (s *Service) aliasable(tx store.Tx, ref string) (*Key, error) {
	k, err := s.findByID(tx, ref)
	if err != nil {
		return nil, err
	}
	if k.Service != "" {
		return nil, refuse("AccessDeniedException", "%s is an AWS managed key, which can't be given an alias.", s.keyARN(k.ID))
	}
	if err := alive(s, k); err != nil {
		return nil, err
	}
	have, err := aliasesOf(tx, k.ID)
	if err == nil && len(have) >= maxAliases {
		err = refuse("LimitExceededException", "%s has %d aliases, which is the most.", s.keyARN(k.ID), maxAliases)
	}
	return k, err
}

func putAlias(tx store.Tx, a *Alias) error {
	return errors.Join(save(tx, aliasKey(a.Name), a), tx.Set(aliasOfKey(a.Key, a.Name), nil))
}

// aliasesOf lists the aliases of a key.
func aliasesOf(r store.Reader, keyID string) ([]Alias, error) {
	var list []Alias
	for p, err := range r.Scan(below("aliasof", keyID)) {
		if err != nil {
			return nil, err
		}
		parts, err := store.Split(p.Key)
		if err != nil {
			return nil, err
		}
		a, err := load[Alias](r, aliasKey(parts[len(parts)-1].(string)), nil)
		if err != nil {
			return nil, err
		}
		list = append(list, *a)
	}
	return list, nil
}

// checkAlias checks the name of an alias of a customer's.
func checkAlias(alias string) error {
	rest, ok := strings.CutPrefix(alias, aliasPrefix)
	switch {
	case !ok:
		return invalid("Invalid identifier: the name of an alias begins with alias/.")
	case strings.HasPrefix(rest, "aws/"):
		return refuse("NotAuthorizedException", "Names that begin with alias/aws/ are those of AWS managed keys.")
	case rest == "" || len(alias) > maxAlias || strings.ContainsFunc(rest, notInAlias):
		return violates(clip(alias), "aliasName", "Member must have 1 to 256 characters of [a-zA-Z0-9/_-]")
	}
	return nil
}

func notInAlias(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '/' || c == '_' || c == '-')
}

// orElse is the error, or otherwise for none.
func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
