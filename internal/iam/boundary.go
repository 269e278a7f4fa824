package iam

import (
	"context"
	"errors"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// bound makes the managed policy an entity's permissions boundary.
func (s *Service) bound(tx store.Tx, e *Entity, arn string) error {
	if _, err := s.managed(tx, arn); err != nil {
		return noSuchEntity("Scope ARN: %s does not exist or is not attachable.", clip(arn))
	}
	var err error
	if e.Boundary != "" && e.Boundary != arn {
		err = tx.Delete(boundedKey(e.Boundary, e))
	}
	e.Boundary = arn
	return errors.Join(err, present(tx, boundedKey(arn, e)))
}

// putBoundary sets the permissions boundary of a user or role.
func (s *Service) putBoundary(ctx context.Context, k Kind, name, arn string) error {
	return s.alter(ctx, k, name, func(tx store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		return s.bound(tx, e, arn)
	})
}

// deleteBoundary takes the permissions boundary of a user or role away.
func (s *Service) deleteBoundary(ctx context.Context, k Kind, name string) error {
	return s.alter(ctx, k, name, func(tx store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		if e.Boundary == "" {
			return noSuchEntity("%s %s has no permissions boundary.", e.rules().title, e.Name)
		}
		old := e.Boundary
		e.Boundary = ""
		return tx.Delete(boundedKey(old, e))
	})
}
