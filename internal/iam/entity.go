package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Kind is what sort of entity something is; its ARNs begin with it.
type Kind string

// The kinds of entity.
const (
	User  Kind = "user"
	Group Kind = "group"
	Role  Kind = "role"
)

// Entity is a user, a group or a role: what policies belong to. Members of one kind
// alone are empty in the others.
type Entity struct {
	Kind           Kind
	Name, Path, ID string
	Created        time.Time
	Tags           map[string]string // not of groups
	Boundary       string            // the ARN of a managed policy, or none; not of groups
	Inline         map[string]string // documents by their names
	Attached       []string          // ARNs of managed policies

	Groups []string // of users: ids
	Keys   []string // of users: access key ids

	// Of roles: who may assume it (see trust.go), for how many seconds at most, and
	// the service it is linked to, if any.
	Trust, Description string
	Trusted            map[string]string // ids of those that Trust names, by their ARNs in it
	MaxSession         int
	Service            string
}

// rules are what the kinds differ in.
type rules struct {
	title, member string // in messages: "User", "userName"
	prefix        string // of ids
	maxName       int
	maxCount      int // in the account
	maxInline     int // characters of all inline policies
	maxAttached   int
	plural        string // in names of quotas
}

// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
// There may be as many roles, and policies on one, as AWS raises the quotas to, because
// each function should have a role of its own.
var kinds = map[Kind]rules{
	User:  {"User", "userName", "AIDA", 64, 5000, 2048, 10, "Users"},
	Group: {"Group", "groupName", "AGPA", 128, 300, 5120, 10, "Groups"},
	Role:  {"Role", "roleName", "AROA", 64, 10000, 10240, 20, "Roles"},
}

func (e *Entity) rules() rules { return kinds[e.Kind] }

// ARN names an entity of this account.
func (s *Service) ARN(e *Entity) string { return s.arn(string(e.Kind), e.Path, e.Name) }

func missing(k Kind, name string) error {
	return noSuchEntity("The %s with name %s cannot be found.", k, clip(name))
}

// find reads an entity by its name.
func find(r store.Reader, k Kind, name string) (*Entity, error) {
	if err := checkName(name, kinds[k].member, kinds[k].maxName); err != nil {
		return nil, err
	}
	b, err := r.Get(nameKey(k, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing(k, name)
	}
	if err != nil {
		return nil, err
	}
	return load[Entity](r, entityKey(string(b)), missing(k, name))
}

// byID reads an entity that something in the store points to.
func byID(r store.Reader, id string) (*Entity, error) {
	return load[Entity](r, entityKey(id), noSuchEntity("The entity with id %s cannot be found.", clip(id)))
}

// Find reads a user, group or role by its name.
func (s *Service) Find(ctx context.Context, k Kind, name string) (e *Entity, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if e, err = find(r, k, name); err != nil {
			return err
		}
		return s.current(r, e)
	})
	return e, err
}

// create makes an entity whose kind, name and what it is created with are set. One
// transaction: a crash leaves it there whole, with all that points to it, or not at all.
func (s *Service) create(ctx context.Context, e *Entity, tags []Tag) (err error) {
	k := e.rules()
	if err := checkName(e.Name, k.member, k.maxName); err != nil {
		return err
	}
	if e.Path, err = checkPath(e.Path); err != nil {
		return err
	}
	if e.Tags, err = tagged(nil, tags); err != nil {
		return err
	}
	e.ID, e.Created = id.Unique(k.prefix, 17), s.now()
	return s.change(ctx, func(tx store.Tx) error {
		if there, err := exists(tx, nameKey(e.Kind, e.Name)); there || err != nil {
			return errors.Join(err, alreadyExists("%s with name %s already exists.", k.title, e.Name))
		}
		if e.Trusted, err = s.bind(tx, e.Trust); err != nil {
			return err
		}
		if err := add(tx, k.plural, 1, k.maxCount, k.plural+"PerAccount"); err != nil {
			return err
		}
		if e.Boundary != "" {
			if err := s.bound(tx, e, e.Boundary); err != nil {
				return err
			}
		}
		return errors.Join(tx.Set(nameKey(e.Kind, e.Name), []byte(e.ID)), save(tx, entityKey(e.ID), e))
	})
}

// alter lets fn alter an entity. One transaction: a crash leaves it as it was or as
// it shall be.
func (s *Service) alter(ctx context.Context, k Kind, name string, fn func(store.Tx, *Entity) error) error {
	return s.change(ctx, func(tx store.Tx) error {
		e, err := find(tx, k, name)
		if err != nil {
			return err
		}
		if err := fn(tx, e); err != nil {
			return err
		}
		return save(tx, entityKey(e.ID), e)
	})
}

// rename gives an entity another name, another path, or both; empty ones stay.
func (s *Service) rename(tx store.Tx, e *Entity, name, path string) (err error) {
	if path != "" {
		if e.Path, err = checkPath(path); err != nil {
			return err
		}
	}
	if name == "" || name == e.Name {
		return nil
	}
	k := e.rules()
	if err := checkName(name, "new"+k.title+"Name", k.maxName); err != nil {
		return err
	}
	if fold(name) != fold(e.Name) {
		if there, err := exists(tx, nameKey(e.Kind, name)); there || err != nil {
			return errors.Join(err, alreadyExists("%s with name %s already exists.", k.title, name))
		}
	}
	err = tx.Delete(nameKey(e.Kind, e.Name))
	e.Name = name
	return errors.Join(err, tx.Set(nameKey(e.Kind, name), []byte(e.ID)))
}

// remove deletes an entity that check finds free of what must be removed first. One
// transaction: a crash leaves all of it or nothing.
func (s *Service) remove(ctx context.Context, k Kind, name string, check func(store.Tx, *Entity) error) error {
	return s.change(ctx, func(tx store.Tx) error {
		e, err := find(tx, k, name)
		if err != nil {
			return err
		}
		switch {
		case len(e.Attached) > 0:
			return deleteConflict("Cannot delete entity, must detach all policies first.")
		case len(e.Inline) > 0:
			return deleteConflict("Cannot delete entity, must delete policies first.")
		}
		if err := check(tx, e); err != nil {
			return err
		}
		if e.Boundary != "" {
			if err := tx.Delete(boundedKey(e.Boundary, e)); err != nil {
				return err
			}
		}
		return errors.Join(
			add(tx, e.rules().plural, -1, 0, ""),
			tx.Delete(nameKey(k, e.Name)), tx.Delete(entityKey(e.ID)), tx.Delete(usedKey(e.ID)),
		)
	})
}

// listEntities gives entities of a kind whose path begins with prefix, by their
// names, and the marker for more.
func (s *Service) listEntities(ctx context.Context, k Kind, prefix string, w window) (list []*Entity, marker string, err error) {
	limit, err := w.limit()
	if err != nil {
		return nil, "", err
	}
	listing := string(k) + "s " + prefix
	after, err := w.after(listing)
	if err != nil {
		return nil, "", err
	}
	rng := store.Prefix(below("name", string(k)))
	if after != "" {
		rng.Start = append(nameKey(k, after), 0)
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list, marker = nil, ""
		for p, err := range r.Scan(rng) {
			if err != nil {
				return err
			}
			e, err := byID(r, string(p.Value))
			if err == nil {
				err = s.current(r, e)
			}
			if err != nil {
				return err
			}
			if !strings.HasPrefix(e.Path, prefix) {
				continue
			}
			if len(list) == limit {
				marker = page.Token(listing, fold(list[limit-1].Name))
				return nil
			}
			list = append(list, e)
		}
		return nil
	})
	return list, marker, err
}
