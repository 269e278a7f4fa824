package function

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Version is what a call runs: $LATEST, which changes, or a published version,
// which never does.
type Version struct {
	Function string
	Number   uint64 // 0 is $LATEST
	Settings Settings
	Package  Package
	Modified time.Time
	// Revision is another one after every change.
	Revision string
}

// Package is a version's code.
type Package struct {
	Digest          blob.Digest
	Bytes, Unpacked int64
}

// touch marks a version as changed.
func (s *Service) touch(v *Version) {
	v.Modified, v.Revision = s.cfg.Clock.Now().UTC(), id.UUID()
}

// Publication is a request to publish what $LATEST is.
type Publication struct {
	// Description of the version; nil takes over the function's.
	Description *string
	// CodeSha256 and Revision, where not empty, must be $LATEST's.
	CodeSha256, Revision string
}

// Publish makes a version of what $LATEST is. When nothing has changed since
// the last version that one is given.
func (s *Service) Publish(ctx context.Context, function string, p Publication) (*Version, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, err
	}
	if p.Description != nil {
		if err := shorter(*p.Description, "description", maxDescription); err != nil {
			return nil, err
		}
	}
	var published *Version
	// One transaction: the version, the function's count and the use of the
	// package. A crash leaves all of it or nothing.
	err = s.change(ctx, func(tx store.Tx) error {
		f, latest, err := s.latest(tx, name)
		if err != nil {
			return err
		}
		if p.Revision != "" && p.Revision != latest.Revision {
			return stale("GetFunction")
		}
		if have := latest.Package.Digest.Base64(); p.CodeSha256 != "" && p.CodeSha256 != have {
			return invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.",
				clip(p.CodeSha256), have)
		}
		published, err = s.publish(tx, f, latest, p.Description)
		return err
	})
	return published, err
}

// publish makes the next version inside of a transaction.
func (s *Service) publish(tx store.Tx, f *Function, latest *Version, description *string) (*Version, error) {
	last, err := load[Version](tx, versionKey(f.Name, f.Published))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil && f.Published > 0 && same(last, latest) {
		return last, nil
	}
	f.Published++
	v := *latest
	v.Number = f.Published
	set(&v.Settings.Description, description)
	s.touch(&v)
	if err := s.use(tx, v.Package, owner{kindVersion, f.Name, v.Number}); err != nil {
		return nil, err
	}
	if err := s.useLayers(tx, v.Settings.Layers, nil, owner{kindVersion, f.Name, v.Number}); err != nil {
		return nil, err
	}
	if err := save(tx, versionKey(f.Name, v.Number), v); err != nil {
		return nil, err
	}
	return &v, save(tx, functionKey(f.Name), f)
}

// same says whether two versions run the same: a description doesn't.
func same(a, b *Version) bool {
	x, y := a.Settings, b.Settings
	x.Description, y.Description = "", ""
	return a.Package.Digest == b.Package.Digest && reflect.DeepEqual(x, y)
}

// Versions lists $LATEST and the published versions, in order.
func (s *Service) Versions(ctx context.Context, function string, p Page) ([]Version, string, error) {
	n, err := s.Parse(function, "")
	if err != nil {
		return nil, "", err
	}
	var list []Version
	var next string
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.function(r, n.Function); err != nil {
			return err
		}
		list, next, err = scan(r, below("version", n.Function), "versions", p, func(Version) bool { return true })
		return err
	})
	return list, next, err
}

// deleteVersion deletes one published version that no alias names.
func (s *Service) deleteVersion(ctx context.Context, name, qualifier string) error {
	n, ok := versionNumber(qualifier)
	if !ok {
		return invalid("Deletion of aliases is not currently supported.")
	}
	if n == 0 {
		return invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	// One transaction, as in Delete. A version that is not there is no error,
	// as with AWS, if its function is.
	return s.change(ctx, func(tx store.Tx) error {
		if _, err := s.function(tx, name); err != nil {
			return err
		}
		v, err := load[Version](tx, versionKey(name, n))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := checkNotAliased(tx, name, n); err != nil {
			return err
		}
		if err := s.disuse(tx, v); err != nil {
			return err
		}
		for _, key := range [][]byte{
			versionKey(name, n), policyKey(name, qualifier), asyncKey(name, qualifier), provisionKey(name, qualifier),
		} {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}
