package function

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// targets caches what names resolve to. An entry counts only for the generation
// it was read in, and every change begins another one before it is acknowledged:
// who has seen an update answered never meets what was there before.
type targets struct {
	generation atomic.Uint64
	mu         sync.RWMutex
	known      map[Name]*target // by function and qualifier as callers spell them
}

// target is one resolved name. other gets weight of the calls, when not zero.
type target struct {
	generation   uint64
	first, other invoke.Target
	weight       float64
}

// maxTargets bounds the cache; beyond it starts anew.
const maxTargets = 1 << 14

func (t *targets) forget() { t.generation.Add(1) }

func (t *targets) get(n Name) *target {
	t.mu.RLock()
	known := t.known[n]
	t.mu.RUnlock()
	if known == nil || known.generation != t.generation.Load() {
		return nil
	}
	return known
}

func (t *targets) put(n Name, known *target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= maxTargets {
		t.known = make(map[Name]*target)
	}
	t.known[n] = known
}

// Resolve says what a call of a function runs. With an alias that has weights
// every call is decided anew. The maps and slices of a target are shared and
// must not be changed.
func (s *Service) Resolve(ctx context.Context, function, qualifier string) (invoke.Target, error) {
	key := Name{function, qualifier}
	t := s.targets.get(key)
	if t == nil {
		var err error
		if t, err = s.resolve(ctx, function, qualifier); err != nil {
			return invoke.Target{}, err
		}
		s.targets.put(key, t)
	}
	if t.weight > 0 && rand.Float64() < t.weight {
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
	// Before the read: a change that comes after it makes this entry stale.
	t := &target{generation: s.targets.generation.Load()}
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
		Reserved: -1, Async: async,
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
