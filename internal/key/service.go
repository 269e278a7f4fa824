package key

import (
	"context"
	"log/slog"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Policies knows what a policy is.
type Policies interface {
	// Check says what is wrong with a policy that is to stand at the resource, nil
	// for nothing. The text of its error is for whoever wrote the policy.
	Check(document []byte, resourceARN string) error
}

// Vault seals what is stored under the node's key.
type Vault interface {
	// Seal encrypts plain; only Unseal with the same label opens it.
	Seal(label string, plain []byte) ([]byte, error)
	// Unseal decrypts what Seal made, and refuses what was changed.
	Unseal(label string, sealed []byte) ([]byte, error)
}

// Config is what a Service is built from. All but Clock and Log must be set.
type Config struct {
	Store    store.Store
	Vault    Vault // seals the material of keys
	Policies Policies
	// Account and Region are those of every key.
	Account, Region string
	Clock           clock.Clock  // default clock.System
	Log             *slog.Logger // default slog.Default()
}

// Service serves KMS. Its methods are safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service. What is due for deletion is erased while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Service{cfg}
}

// sweepEvery is how often keys are erased whose time has come.
const sweepEvery = time.Hour

// Run erases keys whose waiting period is over, until ctx ends; then it returns nil.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "erase deleted keys", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// arn is the ARN of a key or, by "alias/payroll", an alias.
func (s *Service) arn(resource string) string {
	return arn.New("kms", s.cfg.Region, s.cfg.Account, resource).String()
}

func (s *Service) keyARN(id string) string { return s.arn("key/" + id) }
