package iam

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// maxGroups is how many groups a user may be in.
const maxGroups = 10

// createUser makes a user; boundary is the ARN of a managed policy or empty.
func (s *Service) createUser(ctx context.Context, name, path, boundary string, tags []Tag) (*Entity, error) {
	e := &Entity{Kind: User, Name: name, Path: path, Boundary: boundary}
	return e, s.create(ctx, e, tags)
}

// updateUser renames or moves a user. Its groups, keys and policies go with it.
func (s *Service) updateUser(ctx context.Context, name, newName, newPath string) error {
	return s.alter(ctx, User, name, func(tx store.Tx, e *Entity) error { return s.rename(tx, e, newName, newPath) })
}

func (s *Service) deleteUser(ctx context.Context, name string) error {
	return s.remove(ctx, User, name, func(_ store.Tx, e *Entity) error {
		switch {
		case len(e.Keys) > 0:
			return deleteConflict("Cannot delete entity, must delete access keys first.")
		case len(e.Groups) > 0:
			return deleteConflict("Cannot delete entity, must remove users from group first.")
		}
		return nil
	})
}

// groupsOf gives the groups of a user.
func (s *Service) groupsOf(ctx context.Context, user string, w window) (list []*Entity, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		e, err := find(r, User, user)
		if err != nil {
			return err
		}
		list, err = entities(r, e.Groups)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return paged("groups of "+fold(user), list, entityName, w)
}

// entities reads entities by their ids.
func entities(r store.Reader, ids []string) ([]*Entity, error) {
	list := make([]*Entity, 0, len(ids))
	for _, id := range ids {
		e, err := byID(r, id)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

func entityName(e *Entity) string { return fold(e.Name) }
