package sts

import (
	"context"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/oidc"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// Config is what a Service is built from. Identities and Sessions must be set.
type Config struct {
	Identities *iam.Service
	Sessions   *auth.Sessions
	// Tokens verifies those of identity providers; default oidc.New.
	Tokens *oidc.Verifier
	// Keys sets the condition keys that every request has (aws:SourceIp,
	// aws:UserAgent, ...), as far as ctx knows them; nil sets none.
	Keys func(ctx context.Context, k *policy.Keys)
	// Denied is told why somebody may not assume a role; nil is fine. What it is given
	// never changes.
	Denied func(ctx context.Context, r policy.Request, p policy.Policies, d policy.Decision)
	Clock  clock.Clock // default clock.System
}

// Service makes temporary credentials. Its methods are safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Tokens == nil {
		cfg.Tokens = oidc.New(oidc.Config{Clock: cfg.Clock})
	}
	return &Service{cfg}
}

// keys are the condition keys that any request has.
func (s *Service) keys(ctx context.Context) (k policy.Keys) {
	k.Set("aws:CurrentTime", s.cfg.Clock.Now().UTC().Format(time.RFC3339))
	if s.cfg.Keys != nil {
		s.cfg.Keys(ctx, &k)
	}
	return k
}

// denied tells why somebody may not assume a role.
func (s *Service) denied(ctx context.Context, r *policy.Request, p *policy.Policies, d policy.Decision) {
	if s.cfg.Denied != nil {
		s.cfg.Denied(ctx, *r, *p, d)
	}
}

// issue makes credentials, or says that they would carry too much.
func (s *Service) issue(g auth.Grant) (auth.Credentials, int, error) {
	packed := g.Session.Packed()
	if packed > 100 {
		return auth.Credentials{}, packed, tooLarge(packed)
	}
	c, err := s.cfg.Sessions.Issue(g)
	return c, packed, err
}
