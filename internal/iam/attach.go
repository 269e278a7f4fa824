package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// attach attaches a managed policy to an entity; being attached already is fine.
func (s *Service) attach(ctx context.Context, k Kind, name, arn string) error {
	return s.alter(ctx, k, name, func(tx store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		if _, err := s.managed(tx, arn); err != nil {
			return err
		}
		if slices.Contains(e.Attached, arn) {
			return nil
		}
		if r := e.rules(); len(e.Attached) == r.maxAttached {
			return limitExceeded("Cannot exceed quota for PoliciesPer%s: %d", r.title, r.maxAttached)
		}
		e.Attached = append(e.Attached, arn)
		return present(tx, attachedKey(arn, e))
	})
}

// detach takes a managed policy away from an entity.
func (s *Service) detach(ctx context.Context, k Kind, name, arn string) error {
	return s.alter(ctx, k, name, func(tx store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		at := slices.Index(e.Attached, arn)
		if at < 0 {
			return noSuchEntity("Policy %s was not found.", clip(arn))
		}
		e.Attached = slices.Delete(e.Attached, at, at+1)
		return tx.Delete(attachedKey(arn, e))
	})
}

// listAttached gives the managed policies attached to an entity, those whose path
// begins with prefix.
func (s *Service) listAttached(ctx context.Context, k Kind, name, prefix string, w window) ([]string, string, error) {
	e, err := s.Find(ctx, k, name)
	if err != nil {
		return nil, "", err
	}
	arns := slices.DeleteFunc(slices.Clone(e.Attached), func(arn string) bool {
		path, _ := policyPath(arn)
		return !strings.HasPrefix(path, prefix)
	})
	return paged("policies of "+e.ID+prefix, arns, itself, w)
}

// policyPath splits the ARN of a managed policy into its path and its name.
func policyPath(arn string) (path, name string) {
	_, resource, _ := strings.Cut(arn, ":policy/")
	at := strings.LastIndexByte(resource, '/') + 1
	return "/" + resource[:at], resource[at:]
}

// holder is an entity that has a managed policy, attached or as its boundary.
type holder struct {
	*Entity
	boundary bool
}

// holders gives the entities that have a managed policy.
func (s *Service) holders(r store.Reader, arn string) ([]holder, error) {
	var list []holder
	for _, how := range []string{"attached", "bounded"} {
		ids, err := lastParts(r, below(how, arn))
		if err != nil {
			return nil, err
		}
		found, err := entities(r, ids)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			list = append(list, holder{e, how == "bounded"})
		}
	}
	return list, nil
}

// usage counts the entities that have a managed policy.
func usage(r store.Reader, arn string) (attached, bounded int, err error) {
	for n, how := range map[*int]string{&attached: "attached", &bounded: "bounded"} {
		for _, err := range r.Scan(store.Prefix(below(how, arn))) {
			if err != nil {
				return 0, 0, err
			}
			*n++
		}
	}
	return attached, bounded, nil
}

// holderQuery says which holders are listed: of one kind, below a path, and by how
// they have the policy; empty members say nothing.
type holderQuery struct {
	kind   Kind
	prefix string
	use    string // PermissionsPolicy or PermissionsBoundary
}

// listHolders gives the entities that have a managed policy.
func (s *Service) listHolders(ctx context.Context, arn string, q holderQuery, w window) (list []holder, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.managed(r, arn); err != nil {
			return policyNotFound(arn)
		}
		list, err = s.holders(r, arn)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	list = slices.DeleteFunc(list, func(h holder) bool {
		return q.kind != "" && q.kind != h.Kind || !strings.HasPrefix(h.Path, q.prefix) ||
			q.use != "" && (q.use == "PermissionsBoundary") != h.boundary
	})
	key := func(h holder) string {
		if h.boundary {
			return string(h.Kind) + "/" + entityName(h.Entity) + "/boundary"
		}
		return string(h.Kind) + "/" + entityName(h.Entity)
	}
	return paged("entities of "+arn+string(q.kind)+q.prefix+q.use, list, key, w)
}
