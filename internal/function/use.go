package function

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// The kinds of owner: a version uses its code and its layers, a layer's version
// its content.
const (
	kindVersion = "version"
	kindLayers  = "layers"
	kindLayer   = "lversion"
)

// owner is who uses a blob.
type owner struct {
	kind, name string
	n          uint64
}

// packageUse is the row of one user of a blob.
type packageUse struct{ Bytes int64 }

// unusedPackage marks a blob that nobody uses.
type unusedPackage struct {
	Since time.Time
	// ID tells one mark of a blob from a later one: in between it was swept.
	ID string
	// Deleting since then; zero while it is only unused.
	Deleting time.Time
}

// announce marks a package that is about to be put, unless it is in use. It
// gives the mark's id.
func (s *Service) announce(tx store.Tx, d blob.Digest) (string, error) {
	used, err := isUsed(tx, d)
	if err != nil || used {
		return "", err
	}
	m, err := load[unusedPackage](tx, unusedKey(d))
	switch {
	case errors.Is(err, store.ErrNotFound):
		m = &unusedPackage{ID: id.UUID()}
	case err != nil:
		return "", err
	case !m.Deleting.IsZero() && s.cfg.Clock.Now().Sub(m.Deleting) < deleteTime:
		return "", errSwept
	case !m.Deleting.IsZero():
		m = &unusedPackage{ID: id.UUID()} // whoever was deleting it is dead
	}
	m.Since = s.cfg.Clock.Now()
	return m.ID, save(tx, unusedKey(d), m)
}

// reliable says whether a blob that was put after its announcement is still
// there. Another mark than the announced one doesn't do: somebody else may be
// about to put what was swept.
func (s *Service) reliable(tx store.Tx, d blob.Digest, mark string) (bool, error) {
	m, err := load[unusedPackage](tx, unusedKey(d))
	if err == nil {
		return m.ID == mark && m.Deleting.IsZero(), nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	return isUsed(tx, d)
}

// isUsed says whether a blob has users.
func isUsed(r store.Reader, d blob.Digest) (bool, error) {
	users := store.Prefix(below("use", string(d)))
	users.Limit = 1
	for _, err := range r.Scan(users) {
		return err == nil, err
	}
	return false, nil
}

// use counts a user of a blob that the transaction may rely on.
func (s *Service) use(tx store.Tx, p Package, who owner) error {
	if err := tx.Delete(unusedKey(p.Digest)); err != nil {
		return err
	}
	return save(tx, useKey(p.Digest, who), packageUse{p.Bytes})
}

// drop takes a user away; the last one leaves the mark of an unused blob.
func (s *Service) drop(tx store.Tx, d blob.Digest, who owner) error {
	if err := tx.Delete(useKey(d, who)); err != nil {
		return err
	}
	used, err := isUsed(tx, d)
	if err != nil || used {
		return err
	}
	return save(tx, unusedKey(d), unusedPackage{Since: s.cfg.Clock.Now(), ID: id.UUID()})
}

// useLayers counts a version as the user of its layers, which were others before.
func (s *Service) useLayers(tx store.Tx, is, was []LayerUse, who owner) error {
	who.kind = kindLayers
	for _, l := range is {
		if err := s.use(tx, Package{Digest: l.Package, Bytes: l.Bytes}, who); err != nil {
			return err
		}
	}
	for _, l := range was {
		kept := slices.ContainsFunc(is, func(x LayerUse) bool { return x.Package == l.Package })
		if kept {
			continue
		}
		if err := s.drop(tx, l.Package, who); err != nil {
			return err
		}
	}
	return nil
}

// disuse drops everything that a version uses.
func (s *Service) disuse(tx store.Tx, v *Version) error {
	who := owner{kindVersion, v.Function, v.Number}
	if err := s.drop(tx, v.Package.Digest, who); err != nil {
		return err
	}
	return s.useLayers(tx, nil, v.Settings.Layers, who)
}

const (
	// graceTime is how long an unused package stays: a call that was resolved
	// before an update may still want the old one, and AWS lets it end.
	graceTime = time.Hour
	// deleteTime is how long the deletion of one blob may take before others take
	// its node for dead; the node itself gives up at half of it.
	deleteTime = 30 * time.Second
)

// Sweep deletes the packages that nothing has used for an hour. Any number of
// nodes may sweep at the same time; a crash leaves marks that a later sweep
// goes on from.
func (s *Service) Sweep(ctx context.Context) error {
	var found []blob.Digest
	now := s.cfg.Clock.Now()
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		return all(r, below("unused"), func(key []byte, m *unusedPackage) error {
			parts, err := store.Split(key)
			if err != nil {
				return err
			}
			if now.Sub(m.Since) >= graceTime {
				found = append(found, blob.Digest(parts[2].(string)))
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("find unused packages: %w", err)
	}
	for _, d := range found {
		if err := s.sweep(ctx, d, now); err != nil {
			return fmt.Errorf("sweep %s: %w", d, err)
		}
	}
	return nil
}

func (s *Service) sweep(ctx context.Context, d blob.Digest, now time.Time) error {
	var mine *unusedPackage
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		mine = nil
		m, err := load[unusedPackage](tx, unusedKey(d))
		if errors.Is(err, store.ErrNotFound) {
			return nil // used again
		}
		if err != nil || !m.Deleting.IsZero() && now.Sub(m.Deleting) < deleteTime {
			return err
		}
		m.Deleting, mine = now, m
		return save(tx, unusedKey(d), m)
	})
	if err != nil || mine == nil {
		return err
	}
	if err := s.deleteBlob(ctx, d); err != nil {
		return err
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		m, err := load[unusedPackage](tx, unusedKey(d))
		if errors.Is(err, store.ErrNotFound) || err == nil && m.ID != mine.ID {
			return nil // another node took over
		}
		if err != nil {
			return err
		}
		return tx.Delete(unusedKey(d))
	})
}

func (s *Service) deleteBlob(ctx context.Context, d blob.Digest) error {
	ctx, cancel := context.WithTimeout(ctx, deleteTime/2)
	defer cancel()
	return s.cfg.Blobs.Delete(ctx, d)
}
