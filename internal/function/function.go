package function

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Function is what there is one of for all versions of a function.
type Function struct {
	Name string
	// Published is the number of the last version; numbers are not used again.
	Published uint64
	Tags      map[string]string
	// Recursion is "Terminate" or "Allow".
	Recursion string
	// RuntimeUpdates says by qualifier when the runtime may be updated.
	RuntimeUpdates map[string]RuntimeUpdate
	Created        time.Time
}

// RuntimeUpdate is a runtime management setting.
type RuntimeUpdate struct{ On, VersionARN string }

// Creation is a request for a new function.
type Creation struct {
	Name    string
	Source  Source
	Change  Change
	Tags    map[string]string
	Publish bool
}

// Create makes a function. What it answers is $LATEST, or with Publish version 1.
//
// The package is kept first and the function written after it, in one
// transaction: a crash in between leaves a package that Sweep removes.
func (s *Service) Create(ctx context.Context, c Creation) (*Version, error) {
	name, err := s.parseUnqualified(c.Name)
	if err != nil {
		return nil, err
	}
	latest := &Version{Function: name, Settings: defaults(name)}
	if err := c.Change.apply(&latest.Settings); err != nil {
		return nil, err
	}
	if err := checkTags(c.Tags); err != nil {
		return nil, err
	}
	if err := s.checkSettings(ctx, name, c.Change); err != nil {
		return nil, err
	}
	// Before the upload is looked at: the usual mistake should be cheap.
	if err := s.checkFree(ctx, name); err != nil {
		return nil, err
	}
	u, err := s.receive(ctx, c.Source)
	if err != nil {
		return nil, err
	}
	defer u.close()
	latest.Package = u.pkg
	s.touch(latest)
	answer := latest
	err = s.keep(ctx, u, func(tx store.Tx) error {
		if there, err := exists(tx, functionKey(name)); err != nil || there {
			return orConflict(err, name)
		}
		if err := s.resolveLayers(tx, c.Change, latest); err != nil {
			return err
		}
		f := &Function{Name: name, Tags: c.Tags, Recursion: "Terminate", Created: latest.Modified}
		if err := s.saveLatest(tx, f, nil, latest); err != nil {
			return err
		}
		if c.Publish {
			answer, err = s.publish(tx, f, latest, nil)
		}
		return err
	})
	s.prime(ctx, latest, err)
	return answer, err
}

func (s *Service) checkFree(ctx context.Context, name string) error {
	return s.cfg.Store.View(ctx, func(r store.Reader) error {
		if there, err := exists(r, functionKey(name)); err != nil || there {
			return orConflict(err, name)
		}
		return nil
	})
}

func orConflict(err error, name string) error {
	if err != nil {
		return err
	}
	return conflict("Function already exist: %s", name)
}

// saveLatest writes a function and its $LATEST, and counts the use of packages:
// was is what $LATEST has been, nil for a new function.
func (s *Service) saveLatest(tx store.Tx, f *Function, was, is *Version) error {
	who := owner{kindVersion, f.Name, 0}
	var layers []LayerUse
	if was != nil {
		layers = was.Settings.Layers
		if was.Package.Digest != is.Package.Digest {
			if err := s.drop(tx, was.Package.Digest, who); err != nil {
				return err
			}
		}
	}
	if err := s.use(tx, is.Package, who); err != nil {
		return err
	}
	if err := s.useLayers(tx, is.Settings.Layers, layers, who); err != nil {
		return err
	}
	if err := save(tx, versionKey(f.Name, 0), is); err != nil {
		return err
	}
	return save(tx, functionKey(f.Name), f)
}

// Description is everything Get tells about one version of a function.
type Description struct {
	Name     Name // as the caller has named it
	Version  *Version
	Tags     map[string]string
	Reserved *int
}

// Get describes the version that a name stands for; an alias with weights
// stands for its first.
func (s *Service) Get(ctx context.Context, function, qualifier string) (*Description, error) {
	n, err := s.Parse(function, qualifier)
	if err != nil {
		return nil, err
	}
	var d *Description
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		f, err := loadOr[Function](r, functionKey(n.Function), functionNotFound(s.arn(n.Function, n.Qualifier)))
		if err != nil {
			return err
		}
		v, err := s.version(r, n)
		if err != nil {
			return err
		}
		d = &Description{Name: n, Version: v, Tags: f.Tags}
		d.Reserved, err = reserved(r, n.Function)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// CodeUpdate is a request for other code.
type CodeUpdate struct {
	Source       Source
	Architecture *string
	Publish      bool
	DryRun       bool   // check all, change nothing
	Revision     string // where not empty, must be $LATEST's
}

// UpdateCode gives $LATEST other code, as Create does for a new function.
func (s *Service) UpdateCode(ctx context.Context, function string, c CodeUpdate) (*Version, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.View(ctx, func(r store.Reader) error { _, err := s.function(r, name); return err }); err != nil {
		return nil, err
	}
	u, err := s.receive(ctx, c.Source)
	if err != nil {
		return nil, err
	}
	defer u.close()
	var answer *Version
	update := func(tx store.Tx) error {
		f, v, err := s.update(tx, name, c.Revision, func(v *Version) error {
			v.Package = u.pkg
			change := Change{Architecture: c.Architecture}
			if err := change.apply(&v.Settings); err != nil {
				return err
			}
			return s.resolveLayers(tx, change, v)
		})
		if err == nil && c.Publish {
			v, err = s.publish(tx, f, v, nil)
		}
		answer = v
		return err
	}
	if c.DryRun {
		err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
			if err := update(tx); err != nil {
				return err
			}
			return errDryRun
		})
		if errors.Is(err, errDryRun) {
			err = nil
		}
		return answer, err
	}
	err = s.keep(ctx, u, update)
	s.prime(ctx, answer, err)
	return answer, err
}

// errDryRun undoes the transaction of a dry run.
var errDryRun = errors.New("dry run")

// UpdateSettings changes how $LATEST runs.
func (s *Service) UpdateSettings(ctx context.Context, function string, c Change, revision string) (*Version, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, err
	}
	if err := s.checkSettings(ctx, name, c); err != nil {
		return nil, err
	}
	var v *Version
	// One transaction: a crash leaves the function as it was or as it shall be.
	err = s.change(ctx, func(tx store.Tx) error {
		_, v, err = s.update(tx, name, revision, func(v *Version) error {
			if err := c.apply(&v.Settings); err != nil {
				return err
			}
			return s.resolveLayers(tx, c, v)
		})
		return err
	})
	return v, err
}

// update changes $LATEST inside of a transaction.
func (s *Service) update(tx store.Tx, name, revision string, fn func(*Version) error) (*Function, *Version, error) {
	f, was, err := s.latest(tx, name)
	if err != nil {
		return nil, nil, err
	}
	if revision != "" && revision != was.Revision {
		return nil, nil, stale("GetFunction")
	}
	is := *was
	if err := fn(&is); err != nil {
		return nil, nil, err
	}
	s.touch(&is)
	return f, &is, s.saveLatest(tx, f, was, &is)
}
