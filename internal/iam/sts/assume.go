package sts

import (
	"context"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// assumption is a request for credentials of a role.
type assumption struct {
	wish
	role, name string
	external   string
}

// assumed is a role's session that was made.
type assumed struct {
	credentials auth.Credentials
	arn, id     string
	packed      int
	session     auth.Session
}

// check refuses what no request can have.
func (a *assumption) check() error {
	if len(a.role) < 20 || len(a.role) > 2048 {
		return constraint(clip(a.role), "roleArn", "Member must have length between 20 and 2048")
	}
	if _, err := arn.Parse(a.role); err != nil {
		return validation("%s is invalid", clip(a.role))
	}
	if err := within(a.name, "roleSessionName", 2, 64, nameForm); err != nil {
		return err
	}
	if a.external != "" {
		return within(a.external, "externalId", 2, 1224, externalForm)
	}
	return nil
}

// assumeRole makes credentials of a role for who calls. Nothing is stored.
func (s *Service) assumeRole(ctx context.Context, p auth.Principal, a *assumption) (*assumed, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if p.Kind == auth.RootUser {
		return nil, denied("Roles may not be assumed by root accounts.")
	}
	session, err := s.session(ctx, &a.wish)
	if err != nil {
		return nil, err
	}
	if err := inherit(&session, p); err != nil {
		return nil, err
	}
	caller, err := s.cfg.Identities.Caller(ctx, p)
	if err != nil {
		return nil, err
	}
	role, err := s.role(ctx, a.role)
	if err != nil {
		return nil, err
	}
	req := policy.Request{Principal: caller.Principal, Action: "sts:AssumeRole", Resource: a.role, Keys: s.keys(ctx)}
	caller.SetKeys(&req.Keys)
	if a.external != "" {
		req.Keys.Set("sts:ExternalId", a.external)
	}
	policies := policy.Policies{Identity: caller.Identity, Boundary: caller.Boundary, Session: caller.Session}
	if d := s.trusts(&req, &policies, role, a.name, &session); !d.Allowed {
		s.denied(ctx, &req, &policies, d)
		return nil, untrusted(&req, d)
	}
	life, err := a.lifeOf(role, p)
	if err != nil {
		return nil, err
	}
	return s.mint(role, a.name, life, session)
}

// untrusted is the refusal of a role. What a caller's own policies deny is told; whether
// there is such a role, and why it trusts others, is not for who it doesn't trust to know.
func untrusted(req *policy.Request, d policy.Decision) error {
	if k := d.By.Kind; d.Explicit && (k == policy.Identity || k == policy.Boundary || k == policy.Session) {
		return denied("%s", d.Message(req))
	}
	return denied("User: %s is not authorized to perform: %s on resource: %s", req.Principal.ARN, req.Action, clip(req.Resource))
}

// role finds the role of an ARN; nil if there is none.
func (s *Service) role(ctx context.Context, arn string) (*iam.Entity, error) {
	e, err := s.cfg.Identities.RoleOf(ctx, arn)
	if err != nil && fault.As(err).Code != "InternalFailure" {
		return nil, nil
	}
	return e, err
}

// trusts decides whether a role may be assumed: the action that req names, and those
// that tags and a source identity ask for besides. req is left with the one that was
// refused. A role that is not there (nil) trusts nobody.
func (s *Service) trusts(req *policy.Request, p *policy.Policies, role *iam.Entity, name string, session *auth.Session) policy.Decision {
	p.ResourceMustAllow = true
	if role != nil {
		p.Resource = []policy.Attached{s.cfg.Identities.Trust(role)}
		for k, v := range role.Tags {
			req.Keys.Set("aws:ResourceTag/"+k, v)
			req.Keys.Set("iam:ResourceTag/"+k, v)
		}
	}
	req.ResourceAccount = s.cfg.Identities.Account()
	req.Keys.Set("sts:RoleSessionName", name)
	setKeys(&req.Keys, session)
	d := policy.Evaluate(req, p)
	if d.Allowed && len(session.Tags) > 0 {
		req.Action = "sts:TagSession"
		d = policy.Evaluate(req, p)
	}
	if d.Allowed && session.SourceIdentity != "" {
		req.Action = "sts:SetSourceIdentity"
		d = policy.Evaluate(req, p)
	}
	return d
}

// lifeOf is how long the session shall live, which the role bounds, and chaining.
func (a *assumption) lifeOf(role *iam.Entity, p auth.Principal) (time.Duration, error) {
	life, err := a.life(defaultRole, longestRole)
	switch {
	case err != nil:
		return 0, err
	case life > time.Duration(role.MaxSession)*time.Second:
		return 0, validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	case p.Kind == auth.RoleSession && life > longestChained*time.Second:
		return 0, validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return life, nil
}

// ServiceSession is what a service asks credentials of a role for.
type ServiceSession struct {
	Service string // "lambda.amazonaws.com"
	RoleARN string
	// Name is the session's, and Source the ARN of what will run under it on this node.
	Name, Source string
	Life         time.Duration
}

// ForService makes credentials of a role for something of a service's that runs on this
// node: they end with the process, or when they are revoked. A role that the service
// may not assume, or that is not there, is a fault with the code AccessDenied.
func (s *Service) ForService(ctx context.Context, a ServiceSession) (auth.Credentials, error) {
	role, err := s.trustedBy(ctx, a.Service, a.RoleARN, a.Source)
	if err != nil {
		return auth.Credentials{}, err
	}
	if role == nil {
		return auth.Credentials{}, denied("%s is not authorized to perform: sts:AssumeRole on resource: %s", a.Service, clip(a.RoleARN))
	}
	return s.cfg.Sessions.Issue(auth.Grant{
		Kind: auth.RoleSession, ARN: s.cfg.Identities.ARN(role), ID: role.ID, Name: a.Name, Life: a.Life, Source: a.Source,
	})
}

// mint makes the credentials of a role.
func (s *Service) mint(role *iam.Entity, name string, life time.Duration, session auth.Session) (*assumed, error) {
	c, packed, err := s.issue(auth.Grant{
		Kind: auth.RoleSession, ARN: s.cfg.Identities.ARN(role), ID: role.ID, Name: name, Life: life, Session: session,
	})
	if err != nil {
		return nil, err
	}
	return &assumed{
		credentials: c, packed: packed, session: session, id: role.ID + ":" + name,
		arn: arn.New("sts", "", s.cfg.Identities.Account(), "assumed-role/"+role.Name+"/"+name).String(),
	}, nil
}

// MayAssume says whether a service ("lambda.amazonaws.com") may assume a role for
// source, the ARN of the thing that is to run under it, or empty. A role that is not
// there may not be.
func (s *Service) MayAssume(ctx context.Context, service, roleARN, source string) (bool, error) {
	role, err := s.trustedBy(ctx, service, roleARN, source)
	return role != nil, err
}

// trustedBy gives the role if a service may assume it, else nil.
func (s *Service) trustedBy(ctx context.Context, service, roleARN, source string) (*iam.Entity, error) {
	role, err := s.role(ctx, roleARN)
	if role == nil || err != nil {
		return nil, err
	}
	req := policy.Request{
		Principal: policy.Principal{Type: policy.Service, Service: service},
		Action:    "sts:AssumeRole", Resource: roleARN, Keys: s.keys(ctx),
	}
	req.Keys.Set("aws:PrincipalIsAWSService", "true")
	req.Keys.Set("aws:PrincipalServiceName", service)
	req.Keys.Set("aws:SourceAccount", s.cfg.Identities.Account())
	if source != "" {
		req.Keys.Set("aws:SourceArn", source)
	}
	if !s.trusts(&req, &policy.Policies{}, role, service, &auth.Session{}).Allowed {
		return nil, nil
	}
	return role, nil
}
