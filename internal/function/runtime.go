package function

import (
	"context"
	"regexp"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Settings that tools read after creating a function. They are kept and shown;
// what they govern at AWS (patching of runtimes, stopping of loops between
// services) has no counterpart here yet.

var runtimeARNForm = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}::runtime:.+$`)

// SetRuntimeUpdates sets when the runtime of $LATEST or a version may be updated.
func (s *Service) SetRuntimeUpdates(ctx context.Context, function, qualifier string, u RuntimeUpdate) (Name, error) {
	name, err := s.Parse(function, qualifier)
	if err != nil {
		return name, err
	}
	if err := oneOf(u.On, "updateRuntimeOn", "Auto", "FunctionUpdate", "Manual"); err != nil {
		return name, err
	}
	if u.On == "Manual" && u.VersionARN == "" {
		return name, invalid("Runtime version ARN is required when UpdateRuntimeOn is Manual.")
	}
	if u.On != "Manual" && u.VersionARN != "" {
		return name, invalid("You must leave the runtime version ARN empty unless UpdateRuntimeOn is Manual.")
	}
	if u.VersionARN != "" && !runtimeARNForm.MatchString(u.VersionARN) {
		return name, violates(clip(u.VersionARN), "runtimeVersionArn", "Member must satisfy regular expression pattern: %s", runtimeARNForm)
	}
	return name, s.changeFunction(ctx, name, func(f *Function) {
		if f.RuntimeUpdates == nil {
			f.RuntimeUpdates = map[string]RuntimeUpdate{}
		}
		f.RuntimeUpdates[orLatest(name.Qualifier)] = u
	})
}

// RuntimeUpdates gives what SetRuntimeUpdates has set; Auto if nothing.
func (s *Service) RuntimeUpdates(ctx context.Context, function, qualifier string) (Name, RuntimeUpdate, error) {
	name, f, err := s.functionOf(ctx, function, qualifier)
	if err != nil {
		return name, RuntimeUpdate{}, err
	}
	u, ok := f.RuntimeUpdates[orLatest(name.Qualifier)]
	if !ok {
		u.On = "Auto"
	}
	return name, u, nil
}

// SetRecursion sets what becomes of a function that calls itself in a loop.
func (s *Service) SetRecursion(ctx context.Context, function, mode string) error {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return err
	}
	if err := oneOf(mode, "recursiveLoop", "Allow", "Terminate"); err != nil {
		return err
	}
	return s.changeFunction(ctx, Name{Function: name}, func(f *Function) { f.Recursion = mode })
}

// Recursion gives what SetRecursion has set.
func (s *Service) Recursion(ctx context.Context, function string) (string, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return "", err
	}
	_, f, err := s.functionOf(ctx, name, "")
	if err != nil {
		return "", err
	}
	return f.Recursion, nil
}

// functionOf reads the function that a name is about, which must stand for
// something.
func (s *Service) functionOf(ctx context.Context, function, qualifier string) (Name, *Function, error) {
	name, err := s.Parse(function, qualifier)
	if err != nil {
		return name, nil, err
	}
	var f *Function
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if err := s.checkThere(r, name); err != nil {
			return err
		}
		f, err = s.function(r, name.Function)
		return err
	})
	return name, f, err
}

// changeFunction changes what a function has one of. One transaction; a crash
// leaves the old or the new.
func (s *Service) changeFunction(ctx context.Context, name Name, fn func(*Function)) error {
	return s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		f, err := s.function(tx, name.Function)
		if err != nil {
			return err
		}
		fn(f)
		return save(tx, functionKey(name.Function), f)
	})
}

func orLatest(qualifier string) string {
	if qualifier == "" {
		return Latest
	}
	return qualifier
}
