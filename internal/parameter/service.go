package parameter

import (
	"context"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Keys encrypts the values of SecureStrings.
type Keys interface {
	// Encrypt encrypts plain under the key that keyID means; "" is the account's
	// usual one for parameters. It gives the ARN of the key too.
	Encrypt(ctx context.Context, keyID string, plain []byte, context map[string]string) (blob []byte, keyARN string, err error)
	// Decrypt decrypts what Encrypt made, with the same context.
	Decrypt(ctx context.Context, blob []byte, context map[string]string) ([]byte, error)
	// Need is what a caller must be allowed, "kms:Decrypt" for one, so that the key
	// may be used for it.
	Need(ctx context.Context, action, keyID string, context map[string]string) access.Need
}

// Config is what a Service is built from. All but Clock must be set.
type Config struct {
	Store store.Store
	Keys  Keys
	// Account and Region are those of every parameter.
	Account, Region string
	Clock           clock.Clock // default clock.System
}

// Service serves Parameter Store. Its methods are safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	return &Service{cfg}
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// arn is the ARN of the parameter, or the hierarchy, at a path.
func (s *Service) arn(path string) string {
	return arn.New("ssm", s.cfg.Region, s.cfg.Account, "parameter/"+path).String()
}

// bound is what a value's encryption is bound to.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
func (s *Service) bound(path string) map[string]string {
	return map[string]string{"PARAMETER_ARN": s.arn(path)}
}
