package function

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// target is one resolved name. other gets weight of the calls, when not zero.
type target struct {
	first, other invoke.Target
	weight       float64
}

// Resolve says what a call of a function runs. With an alias that has weights
// every call is decided anew. The maps and slices of a target are shared and
// must not be changed. It answers from memory until the next change.
func (s *Service) Resolve(ctx context.Context, function, qualifier string) (invoke.Target, error) {
	t, err := s.targets.Get(&s.generation, Name{function, qualifier}, func() (*target, error) {
		return s.resolve(ctx, function, qualifier)
	})
	switch {
	case err != nil:
		return invoke.Target{}, err
	case t.weight > 0 && rand.Float64() < t.weight:
		return t.other, nil
	}
	return t.first, nil
}

// resolve reads what a name stands for.
func (s *Service) resolve(ctx context.Context, function, qualifier string) (*target, error) {
	n, err := s.Parse(function, qualifier)
	if err != nil {
		return nil, err
	}
	t := new(target)
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		v, err := s.version(r, n)
		if err != nil {
			return err
		}
		if t.first, err = s.target(r, v, n); err != nil {
			return err
		}
		if _, isVersion := versionNumber(n.Qualifier); isVersion {
			return nil
		}
		a, err := s.alias(r, n)
		if err != nil || a.Weight == 0 {
			return err
		}
		other, err := load[Version](r, versionKey(n.Function, a.Other))
		if err != nil {
			return fmt.Errorf("read version %d of alias: %w", a.Other, err)
		}
		t.weight = a.Weight
		t.other, err = s.target(r, other, n)
		return err
	})
	return t, err
}

func (s *Service) target(r store.Reader, v *Version, n Name) (invoke.Target, error) {
	async, err := s.asyncConfig(r, n, v)
	if err != nil {
		return invoke.Target{}, err
	}
	t := invoke.Target{
		Version: s.runnable(v), InvokedARN: s.arn(n.Function, n.Qualifier),
		Reserved: -1, Traced: v.Settings.Tracing == "Active", Async: async,
	}
	own, err := reserved(r, n.Function)
	if err == nil && own != nil {
		t.Reserved = *own
	}
	return t, err
}

// runnable is a version as a worker runs it.
func (s *Service) runnable(v *Version) worker.Version {
	layers := make([]blob.Digest, 0, len(v.Settings.Layers))
	for _, l := range v.Settings.Layers {
		layers = append(layers, l.Package)
	}
	set := &v.Settings
	functionARN := s.arn(v.Function, "")
	return worker.Version{
		Key:         functionARN + ":" + number(v.Number) + ":" + v.Revision,
		FunctionARN: functionARN, Name: v.Function, Number: number(v.Number),
		Account: s.cfg.Account, Region: s.cfg.Region,
		Runtime: set.Runtime, Handler: set.Handler, Architecture: set.Architecture, Role: set.Role,
		Code: v.Package.Digest, Layers: layers, Environment: set.Environment,
		MemoryMiB: set.MemoryMiB, TmpMiB: set.TmpMiB, Timeout: time.Duration(set.Timeout) * time.Second,
		LogGroup: set.Logging.Group, LogFormat: set.Logging.Format,
		ApplicationLogLevel: set.Logging.Application, SystemLogLevel: set.Logging.System,
	}
}
