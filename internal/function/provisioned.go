package function

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// Provisioned is how many environments of a version or alias a caller wants
// initialised ahead of calls.
type Provisioned struct {
	Function, Qualifier string
	Requested           int
	Modified            time.Time
}

// ProvisionStatus is a setting and how far it has come.
type ProvisionStatus struct {
	Provisioned
	// Allocated environments are initialised; of them Available can take a call.
	Allocated, Available int
	// Status is AWS's: "IN_PROGRESS", "READY" or, with a Reason, "FAILED".
	Status, Reason string
}

// SetProvisioned asks for n environments of a version or alias. A crash leaves
// the old setting or the new one; the next start provisions what is set.
func (s *Service) SetProvisioned(ctx context.Context, function, qualifier string, n int) (*ProvisionStatus, error) {
	name, err := s.parseProvisioned(function, qualifier)
	if err != nil {
		return nil, err
	}
	if s.cfg.Provisioner == nil {
		return nil, unsupported("ProvisionedConcurrentExecutions")
	}
	if n < 1 {
		return nil, violates(n, "provisionedConcurrentExecutions", "Member must have value greater than or equal to 1")
	}
	p := Provisioned{name.Function, name.Qualifier, n, s.cfg.Clock.Now().UTC()}
	err = s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		if err := s.checkProvisioned(tx, name, n); err != nil {
			return err
		}
		return save(tx, provisionKey(name.Function, name.Qualifier), p)
	})
	if err != nil {
		return nil, err
	}
	s.provision(ctx)
	return s.GetProvisioned(ctx, function, qualifier)
}

// checkProvisioned holds a new setting against the function's other ones: a
// version has one, and together they fit into what is reserved, or is left.
func (s *Service) checkProvisioned(tx store.Tx, name Name, n int) error {
	version, err := s.version(tx, name)
	if err != nil {
		return err
	}
	if version.Number == 0 {
		return invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	total := n
	err = all(tx, below("provision", name.Function), func(_ []byte, p *Provisioned) error {
		if p.Qualifier == name.Qualifier {
			return nil
		}
		total += p.Requested
		other, err := s.version(tx, Name{p.Function, p.Qualifier})
		if err == nil && other.Number == version.Number {
			err = conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
		return err
	})
	if err != nil {
		return err
	}
	own, err := reserved(tx, name.Function)
	if err != nil {
		return err
	}
	if own != nil {
		if total > *own {
			return invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
		}
		return nil
	}
	others, err := reservedTotal(tx)
	if err == nil && s.cfg.Concurrency-others-total < s.minUnreserved() {
		err = invalid("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [%d].", s.cfg.Concurrency-others)
	}
	return err
}

func noProvisioned() *fault.Error {
	return user(http.StatusNotFound, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
}

// GetProvisioned tells how far a setting has come.
func (s *Service) GetProvisioned(ctx context.Context, function, qualifier string) (*ProvisionStatus, error) {
	name, err := s.parseProvisioned(function, qualifier)
	if err != nil {
		return nil, err
	}
	var status *ProvisionStatus
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if err := s.checkThere(r, name); err != nil {
			return err
		}
		p, err := loadOr[Provisioned](r, provisionKey(name.Function, name.Qualifier), noProvisioned())
		if err != nil {
			return err
		}
		status, err = s.provisionStatus(r, *p)
		return err
	})
	return status, err
}

func (s *Service) provisionStatus(r store.Reader, p Provisioned) (*ProvisionStatus, error) {
	v, err := s.version(r, Name{p.Function, p.Qualifier})
	if err != nil {
		return nil, err
	}
	status := &ProvisionStatus{Provisioned: p, Status: "IN_PROGRESS"}
	if s.cfg.Provisioner == nil {
		return status, nil
	}
	now := s.cfg.Provisioner.Provisioned(s.runnable(v).Key)
	status.Allocated, status.Available = now.Allocated, now.Available
	switch {
	case now.Allocated >= p.Requested:
		status.Status = "READY"
	case now.Failing:
		status.Status, status.Reason = "FAILED", "FUNCTION_ERROR"
	}
	return status, nil
}

// ListProvisioned lists a function's settings.
func (s *Service) ListProvisioned(ctx context.Context, function string, p Page) ([]ProvisionStatus, string, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, "", err
	}
	var list []ProvisionStatus
	var next string
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.function(r, name); err != nil {
			return err
		}
		settings, after, err := scan(r, below("provision", name), "provisioned", p, func(Provisioned) bool { return true })
		if err != nil {
			return err
		}
		for _, setting := range settings {
			status, err := s.provisionStatus(r, setting)
			if err != nil {
				return err
			}
			list = append(list, *status)
		}
		next = after
		return nil
	})
	return list, next, err
}

// DeleteProvisioned takes a setting away. One that is not there is no error.
func (s *Service) DeleteProvisioned(ctx context.Context, function, qualifier string) error {
	name, err := s.parseProvisioned(function, qualifier)
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		return tx.Delete(provisionKey(name.Function, name.Qualifier))
	})
	if err == nil {
		s.provision(ctx)
	}
	return err
}

func (s *Service) parseProvisioned(function, qualifier string) (Name, error) {
	n, err := s.Parse(function, qualifier)
	if err != nil {
		return n, err
	}
	if n.Qualifier == "" || n.Qualifier == Latest {
		return n, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	return n, nil
}

func provisionedTotal(r store.Reader, name string) (int, error) {
	total := 0
	err := all(r, below("provision", name), func(_ []byte, p *Provisioned) error {
		total += p.Requested
		return nil
	})
	return total, err
}

// held is what the Provisioner was last told to keep, by version key.
type held struct {
	mu       sync.Mutex
	versions map[string]*worker.Version
}

// provision has the Provisioner keep what is set now, and no more of what was
// set before. What fails is logged: the setting is kept, and its status tells.
func (s *Service) provision(ctx context.Context) {
	if s.cfg.Provisioner == nil {
		return
	}
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	counts, versions, err := s.wanted(ctx)
	if err != nil {
		s.report(ctx, "read provisioned concurrency", err)
		return
	}
	for key, v := range s.held.versions {
		if versions[key] == nil {
			if err := s.cfg.Provisioner.Provision(v, 0); err != nil {
				s.report(ctx, "end provisioned environments", err)
			}
		}
	}
	for key, v := range versions {
		if err := s.cfg.Provisioner.Provision(v, counts[key]); err != nil {
			s.report(ctx, "provision environments", err)
		}
	}
	s.held.versions = versions
}

// wanted reads how many environments of which versions are set to be kept.
func (s *Service) wanted(ctx context.Context) (map[string]int, map[string]*worker.Version, error) {
	counts, versions := map[string]int{}, map[string]*worker.Version{}
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		return all(r, below("provision"), func(_ []byte, p *Provisioned) error {
			v, err := s.version(r, Name{p.Function, p.Qualifier})
			if err != nil {
				return err
			}
			run := s.runnable(v)
			versions[run.Key] = &run
			counts[run.Key] += p.Requested
			return nil
		})
	})
	return counts, versions, err
}

// prime has the node get ready for calls of a version that was just deployed.
func (s *Service) prime(ctx context.Context, v *Version, err error) {
	if err != nil || s.cfg.Provisioner == nil {
		return
	}
	run := s.runnable(v)
	if err := s.cfg.Provisioner.Prime(&run); err != nil {
		s.report(ctx, "prepare for first calls", err)
	}
}
