package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Profile is an instance profile: how a role is handed to a virtual machine. There
// are none of those here; tools that make roles make profiles with them.
type Profile struct {
	Name, Path, ID string
	Created        time.Time
	Tags           map[string]string
	Role           string // its id, or none
}

// maxProfiles is how many instance profiles an account may have.
const maxProfiles = 1000

// filled is a profile with its role, if it has one.
type filled struct {
	*Profile
	role *Entity
}

func noProfile(name string) error {
	return noSuchEntity("Instance Profile %s cannot be found.", clip(name))
}

func findProfile(r store.Reader, name string) (*Profile, error) {
	if err := checkName(name, "instanceProfileName", maxProfileName); err != nil {
		return nil, err
	}
	return load[Profile](r, profileKey(name), noProfile(name))
}

func (s *Service) fill(r store.Reader, p *Profile) (filled, error) {
	if p.Role == "" {
		return filled{p, nil}, nil
	}
	role, err := byID(r, p.Role)
	if err == nil {
		err = s.current(r, role)
	}
	return filled{p, role}, err
}

// createProfile makes an instance profile. One transaction: a crash leaves it there or not.
func (s *Service) createProfile(ctx context.Context, name, path string, tags []Tag) (p *Profile, err error) {
	if err := checkName(name, "instanceProfileName", maxProfileName); err != nil {
		return nil, err
	}
	p = &Profile{Name: name, ID: id.Unique("AIPA", 17), Created: s.now()}
	if p.Path, err = checkPath(path); err != nil {
		return nil, err
	}
	if p.Tags, err = tagged(nil, tags); err != nil {
		return nil, err
	}
	return p, s.change(ctx, func(tx store.Tx) error {
		if there, err := exists(tx, profileKey(name)); there || err != nil {
			return errors.Join(err, alreadyExists("Instance Profile %s already exists.", name))
		}
		return errors.Join(add(tx, "InstanceProfiles", 1, maxProfiles, "InstanceProfilesPerAccount"), save(tx, profileKey(name), p))
	})
}

// alterProfile lets fn alter a profile. One transaction: a crash leaves it as it was or
// as it shall be.
func (s *Service) alterProfile(ctx context.Context, name string, fn func(store.Tx, *Profile) error) error {
	return s.change(ctx, func(tx store.Tx) error {
		p, err := findProfile(tx, name)
		if err != nil {
			return err
		}
		if err := fn(tx, p); err != nil {
			return err
		}
		return save(tx, profileKey(name), p)
	})
}

func (s *Service) deleteProfile(ctx context.Context, name string) error {
	return s.change(ctx, func(tx store.Tx) error {
		p, err := findProfile(tx, name)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		return errors.Join(add(tx, "InstanceProfiles", -1, 0, ""), tx.Delete(profileKey(name)))
	})
}

// addRole gives a profile its one role.
func (s *Service) addRole(ctx context.Context, profile, role string) error {
	return s.alterProfile(ctx, profile, func(tx store.Tx, p *Profile) error {
		e, err := find(tx, Role, role)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		p.Role = e.ID
		return present(tx, carriesKey(e.ID, profile))
	})
}

// removeRole takes a profile's role away.
func (s *Service) removeRole(ctx context.Context, profile, role string) error {
	return s.alterProfile(ctx, profile, func(tx store.Tx, p *Profile) error {
		e, err := find(tx, Role, role)
		if err != nil {
			return err
		}
		if p.Role != e.ID {
			return noSuchEntity("Role %s in Instance Profile %s cannot be found.", e.Name, p.Name)
		}
		p.Role = ""
		return tx.Delete(carriesKey(e.ID, profile))
	})
}

// profile reads one instance profile.
func (s *Service) profile(ctx context.Context, name string) (f filled, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err := findProfile(r, name)
		if err != nil {
			return err
		}
		f, err = s.fill(r, p)
		return err
	})
	return f, err
}

// listProfiles gives the instance profiles whose path begins with prefix.
func (s *Service) listProfiles(ctx context.Context, prefix string, w window) (list []filled, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		found, err := all[Profile](r, below("profile"))
		if err != nil {
			return err
		}
		for i := range found {
			if !strings.HasPrefix(found[i].Path, prefix) {
				continue
			}
			f, err := s.fill(r, &found[i])
			if err != nil {
				return err
			}
			list = append(list, f)
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return paged("profiles "+prefix, list, func(f filled) string { return fold(f.Name) }, w)
}

// profilesOf gives the instance profiles that carry a role.
func (s *Service) profilesOf(ctx context.Context, role string, w window) (list []filled, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		e, err := find(r, Role, role)
		if err == nil {
			err = s.current(r, e)
		}
		if err != nil {
			return err
		}
		list, err = carriers(r, e)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return paged("profiles of "+fold(role), list, func(f filled) string { return fold(f.Name) }, w)
}

// carriers reads the instance profiles that carry a role.
func carriers(r store.Reader, role *Entity) ([]filled, error) {
	names, err := lastParts(r, below("carries", role.ID))
	if err != nil {
		return nil, err
	}
	var list []filled
	for _, name := range names {
		p, err := findProfile(r, name)
		if err != nil {
			return nil, err
		}
		list = append(list, filled{p, role})
	}
	return list, nil
}
