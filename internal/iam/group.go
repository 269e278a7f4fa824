package iam

import (
	"context"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// addToGroup puts a user into a group; being there already is fine.
func (s *Service) addToGroup(ctx context.Context, group, user string) error {
	return s.alter(ctx, User, user, func(tx store.Tx, u *Entity) error {
		g, err := find(tx, Group, group)
		if err != nil || slices.Contains(u.Groups, g.ID) {
			return err
		}
		if len(u.Groups) == maxGroups {
			return limitExceeded("Cannot exceed quota for GroupsPerUser: %d", maxGroups)
		}
		u.Groups = append(u.Groups, g.ID)
		return present(tx, memberKey(g.ID, u.ID))
	})
}

// removeFromGroup takes a user out of a group.
func (s *Service) removeFromGroup(ctx context.Context, group, user string) error {
	return s.alter(ctx, User, user, func(tx store.Tx, u *Entity) error {
		g, err := find(tx, Group, group)
		if err != nil {
			return err
		}
		at := slices.Index(u.Groups, g.ID)
		if at < 0 {
			return noSuchEntity("User %s is not in group %s", u.Name, g.Name)
		}
		u.Groups = slices.Delete(u.Groups, at, at+1)
		return tx.Delete(memberKey(g.ID, u.ID))
	})
}

// createGroup makes a group.
func (s *Service) createGroup(ctx context.Context, name, path string) (*Entity, error) {
	e := &Entity{Kind: Group, Name: name, Path: path}
	return e, s.create(ctx, e, nil)
}

// updateGroup renames or moves a group. Its members and policies go with it.
func (s *Service) updateGroup(ctx context.Context, name, newName, newPath string) error {
	return s.alter(ctx, Group, name, func(tx store.Tx, e *Entity) error { return s.rename(tx, e, newName, newPath) })
}

func (s *Service) deleteGroup(ctx context.Context, name string) error {
	return s.remove(ctx, Group, name, func(tx store.Tx, e *Entity) error {
		members, err := lastParts(tx, below("member", e.ID))
		if err == nil && len(members) > 0 {
			err = deleteConflict("Cannot delete entity, must remove users from group first.")
		}
		return err
	})
}

// members gives a group and its users.
func (s *Service) members(ctx context.Context, group string, w window) (g *Entity, list []*Entity, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if g, err = find(r, Group, group); err != nil {
			return err
		}
		ids, err := lastParts(r, below("member", g.ID))
		if err != nil {
			return err
		}
		list, err = entities(r, ids)
		return err
	})
	if err != nil {
		return nil, nil, "", err
	}
	list, marker, err = paged("members of "+fold(group), list, entityName, w)
	return g, list, marker, err
}
