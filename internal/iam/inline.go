package iam

import (
	"context"
	"maps"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// putInline gives an entity an inline policy, in place of the one of that name.
func (s *Service) putInline(ctx context.Context, k Kind, name, policyName, document string) error {
	if err := checkName(policyName, "policyName", maxPolicyName); err != nil {
		return err
	}
	if err := checkIdentityDocument(document); err != nil {
		return err
	}
	return s.alter(ctx, k, name, func(_ store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		if e.Inline == nil {
			e.Inline = map[string]string{}
		}
		e.Inline[policyName] = document
		total := 0
		for _, d := range e.Inline {
			total += weight(d)
		}
		if limit := e.rules().maxInline; total > limit {
			return limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", limit, k, e.Name)
		}
		return nil
	})
}

// inline reads one of an entity's inline policies.
func (s *Service) inline(ctx context.Context, k Kind, name, policyName string) (*Entity, string, error) {
	e, err := s.Find(ctx, k, name)
	if err != nil {
		return nil, "", err
	}
	document, ok := e.Inline[policyName]
	if !ok {
		return nil, "", noInline(k, policyName)
	}
	return e, document, nil
}

func noInline(k Kind, policyName string) error {
	return noSuchEntity("The %s policy with name %s cannot be found.", k, clip(policyName))
}

func (s *Service) deleteInline(ctx context.Context, k Kind, name, policyName string) error {
	return s.alter(ctx, k, name, func(_ store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		if _, ok := e.Inline[policyName]; !ok {
			return noInline(k, policyName)
		}
		delete(e.Inline, policyName)
		return nil
	})
}

// listInline names the inline policies of an entity.
func (s *Service) listInline(ctx context.Context, k Kind, name string, w window) ([]string, string, error) {
	e, err := s.Find(ctx, k, name)
	if err != nil {
		return nil, "", err
	}
	return paged("inline policies of "+e.ID, slices.Collect(maps.Keys(e.Inline)), itself, w)
}
