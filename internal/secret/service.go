package secret

import (
	"context"
	"log/slog"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Keys encrypts the values of secrets.
type Keys interface {
	// Encrypt encrypts plain under the key that keyID means; "" is the account's
	// usual one for secrets. It gives the ARN of the key too.
	Encrypt(ctx context.Context, keyID string, plain []byte, context map[string]string) (blob []byte, keyARN string, err error)
	// Decrypt decrypts what Encrypt made, with the same context.
	Decrypt(ctx context.Context, blob []byte, context map[string]string) ([]byte, error)
	// Need is what a caller must be allowed, "kms:Decrypt" for one, so that the key
	// may be used for it.
	Need(ctx context.Context, action, keyID string, context map[string]string) access.Need
}

// Policies knows what a policy is.
type Policies interface {
	// Check says what is wrong with a policy that is to stand at the resource, nil
	// for nothing. The text of its error is for whoever wrote the policy.
	Check(document []byte, resourceARN string) error
	// Public says whether a policy that Check has nothing against lets everybody in.
	Public(document []byte) bool
}

// Config is what a Service is built from. All but Clock and Log must be set.
type Config struct {
	Store    store.Store
	Keys     Keys
	Policies Policies
	// Account and Region are those of every secret.
	Account, Region string
	Clock           clock.Clock  // default clock.System
	Log             *slog.Logger // default slog.Default()
}

// Service serves Secrets Manager. Its methods are safe for concurrent use.
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

// sweepEvery is how often secrets are erased whose time has come.
const sweepEvery = time.Hour

// Run erases secrets whose recovery window is over, until ctx ends; then it returns
// nil.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "erase deleted secrets", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// arn is the ARN of what is called "NAME-SUFFIX".
func (s *Service) arn(resource string) string {
	return arn.New("secretsmanager", s.cfg.Region, s.cfg.Account, "secret:"+resource).String()
}

// bound is what a value's encryption is bound to.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func (s *Service) bound(sec *Secret, version string) map[string]string {
	return map[string]string{"SecretARN": s.arnOf(sec), "SecretVersionId": version}
}

func (s *Service) arnOf(sec *Secret) string { return s.arn(sec.Name + "-" + sec.Suffix) }
