package function

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// AsyncSettings is an event invoke config: what becomes of asynchronous calls of
// one version or alias. What is nil has Lambda's default.
type AsyncSettings struct {
	Function, Qualifier  string
	MaxAge               *int // seconds, 60 to 21600
	MaxRetries           *int // 0 to 2
	OnSuccess, OnFailure string
	Modified             time.Time
}

// AsyncChange is a change of AsyncSettings: what is nil stays as it is, or with
// a new setting has its default.
type AsyncChange struct {
	MaxAge, MaxRetries   *int
	OnSuccess, OnFailure *string
}

const (
	defaultMaxAge     = 6 * time.Hour
	defaultMaxRetries = 2
)

// SetAsync sets what becomes of asynchronous calls: all of it, or with merge the
// parts that the change has. One transaction; a crash leaves the old or the new.
func (s *Service) SetAsync(ctx context.Context, function, qualifier string, c AsyncChange, merge bool) (*AsyncSettings, error) {
	name, err := s.parseAsync(function, qualifier)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	var a *AsyncSettings
	err = s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		a = &AsyncSettings{Function: name.Function, Qualifier: name.Qualifier}
		if merge {
			if a, err = s.async(tx, name); err != nil {
				return err
			}
		}
		if c.MaxAge != nil {
			a.MaxAge = c.MaxAge
		}
		if c.MaxRetries != nil {
			a.MaxRetries = c.MaxRetries
		}
		set(&a.OnSuccess, c.OnSuccess)
		set(&a.OnFailure, c.OnFailure)
		a.Modified = s.cfg.Clock.Now().UTC()
		return save(tx, asyncKey(name.Function, name.Qualifier), a)
	})
	return a, err
}

func (c AsyncChange) check() error {
	if c == (AsyncChange{}) {
		return invalid("You must specify at least one of error handling or destination setting.")
	}
	if c.MaxAge != nil {
		if err := within(*c.MaxAge, "maximumEventAgeInSeconds", 60, 21600); err != nil {
			return err
		}
	}
	if c.MaxRetries != nil {
		if err := within(*c.MaxRetries, "maximumRetryAttempts", 0, 2); err != nil {
			return err
		}
	}
	for member, target := range map[string]*string{
		"destinationConfig.onSuccess.destination": c.OnSuccess,
		"destinationConfig.onFailure.destination": c.OnFailure,
	} {
		if target != nil && *target != "" && !targetForm.MatchString(*target) {
			return violates(clip(*target), member, `Member must satisfy regular expression pattern: ^$|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
		}
	}
	return nil
}

// Async gives what is set.
func (s *Service) Async(ctx context.Context, function, qualifier string) (*AsyncSettings, error) {
	name, err := s.parseAsync(function, qualifier)
	if err != nil {
		return nil, err
	}
	var a *AsyncSettings
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if err := s.checkThere(r, name); err != nil {
			return err
		}
		a, err = s.async(r, name)
		return err
	})
	return a, err
}

// ListAsync lists what is set for a function's versions and aliases.
func (s *Service) ListAsync(ctx context.Context, function string, p Page) ([]AsyncSettings, string, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, "", err
	}
	var list []AsyncSettings
	var next string
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.function(r, name); err != nil {
			return err
		}
		list, next, err = scan(r, below("async", name), "async", p, func(AsyncSettings) bool { return true })
		return err
	})
	return list, next, err
}

// DeleteAsync returns a version or alias to the defaults.
func (s *Service) DeleteAsync(ctx context.Context, function, qualifier string) error {
	name, err := s.parseAsync(function, qualifier)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		if _, err := s.async(tx, name); err != nil {
			return err
		}
		return tx.Delete(asyncKey(name.Function, name.Qualifier))
	})
}

// parseAsync reads a name; without a qualifier $LATEST is meant.
func (s *Service) parseAsync(function, qualifier string) (Name, error) {
	n, err := s.Parse(function, qualifier)
	if n.Qualifier == "" {
		n.Qualifier = Latest
	}
	return n, err
}

func (s *Service) async(r store.Reader, n Name) (*AsyncSettings, error) {
	return loadOr[AsyncSettings](r, asyncKey(n.Function, n.Qualifier),
		notFound("The function %s doesn't have an EventInvokeConfig", s.arn(n.Function, n.Qualifier)))
}

// asyncConfig is what is set for calls of a name, with the defaults filled in.
func (s *Service) asyncConfig(r store.Reader, n Name, v *Version) (invoke.AsyncConfig, error) {
	c := invoke.AsyncConfig{MaxAge: defaultMaxAge, MaxRetries: defaultMaxRetries, DeadLetter: v.Settings.DeadLetter}
	if n.Qualifier == "" {
		n.Qualifier = Latest
	}
	a, err := load[AsyncSettings](r, asyncKey(n.Function, n.Qualifier))
	if errors.Is(err, store.ErrNotFound) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if a.MaxAge != nil {
		c.MaxAge = time.Duration(*a.MaxAge) * time.Second
	}
	if a.MaxRetries != nil {
		c.MaxRetries = *a.MaxRetries
	}
	c.OnSuccess, c.OnFailure = a.OnSuccess, a.OnFailure
	return c, nil
}
