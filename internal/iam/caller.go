package iam

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/recall"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Caller is what identity management knows of somebody who calls. It is shared by all
// who ask and never changes; a change of identities makes another one.
type Caller struct {
	// Principal is the caller as policies name it.
	Principal policy.Principal
	// Identity are the policies of the user and its groups, or of the role; Boundary
	// the permissions boundary, Session what the session came with.
	Identity, Boundary, Session []policy.Attached
	// Tags are the caller's own, under those of its session.
	Tags map[string]string

	keys []conditionKey
}

type conditionKey struct {
	name  string
	value []string
}

// SetKeys sets the condition keys that are about the principal: aws:PrincipalArn,
// aws:PrincipalTag/KEY, aws:userid, aws:TokenIssueTime and their like.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (c *Caller) SetKeys(k *policy.Keys) {
	for i := range c.keys {
		k.Set(c.keys[i].name, c.keys[i].value...)
	}
}

func (c *Caller) set(name, value string) {
	if value != "" {
		c.keys = append(c.keys, conditionKey{name, []string{value}})
	}
}

// errGone is the fault of credentials whose owner has been deleted.
var errGone = fault.New(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")

// Caller gives what is known of who calls. It answers from memory, and never with
// what was before a change that this node has acknowledged. Credentials whose user or
// role is no more are a *fault.Error with the code InvalidClientTokenId.
func (s *Service) Caller(ctx context.Context, p auth.Principal) (*Caller, error) {
	if p.AccessKeyID == "" {
		return s.readCaller(ctx, p)
	}
	return s.callers.Get(&s.changes, p.AccessKeyID, func() (*Caller, error) { return s.readCaller(ctx, p) })
}

// owner says which user or role is behind a principal: by id, if it is known, else by
// the name and path in its ARN.
func (s *Service) owner(r store.Reader, p auth.Principal) (*Entity, error) {
	kind, text, id := User, p.ARN, p.UserID
	switch {
	case p.Kind == auth.RoleSession:
		kind, text = Role, p.RoleARN
		id, _, _ = strings.Cut(p.UserID, ":")
	case p.Session != nil:
		text, id = p.Session.Owner, p.Session.OwnerID
	}
	resource, path, name, ok := s.splitARN(text)
	if !ok || resource != string(kind) {
		return nil, errGone
	}
	e, err := load[Entity](r, entityKey(id), errGone)
	if err != errGone || kind != Role || id != auth.RoleID(text) {
		return e, err // an id is of one role only, whoever has its name by now
	}
	// What a function that has ended leaves knows its role by its ARN alone. What is
	// older than the role is of another that had this name.
	e, err = find(r, kind, name)
	if err != nil {
		return nil, goneUnless(err)
	}
	if e.Path != path || p.Issued.Before(e.Created) {
		return nil, errGone
	}
	return e, nil
}

// goneUnless is err if it is a fault of ours, else errGone.
func goneUnless(err error) error {
	if err == nil || fault.As(err).Status < http.StatusInternalServerError {
		return errGone
	}
	return err
}

func (s *Service) readCaller(ctx context.Context, p auth.Principal) (c *Caller, err error) {
	c = &Caller{Principal: policy.Principal{ARN: p.ARN, Account: p.Account}}
	switch p.Kind {
	case auth.Service:
		c.Principal.Type, c.Principal.Service, c.Principal.Account = policy.Service, p.ARN, ""
		c.set("aws:PrincipalIsAWSService", "true")
		c.set("aws:PrincipalServiceName", p.ARN)
		return c, nil
	case auth.RootUser:
		c.Principal.Type = policy.Root
		c.setKeys(p, nil)
		return c, nil
	case auth.User, auth.RoleSession, auth.FederatedUser:
	default:
		c.Principal.Account = ""
		c.set("aws:PrincipalType", "Anonymous")
		return c, nil
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		c.Identity, c.Boundary, c.Session, c.Tags, c.keys = nil, nil, nil, nil, nil
		return s.fillCaller(r, c, p)
	})
	return c, err
}

// fillCaller reads the policies of a user, role or federated user.
func (s *Service) fillCaller(r store.Reader, c *Caller, p auth.Principal) error {
	if err := s.fillSession(r, c, p); err != nil {
		return err
	}
	if p.Kind == auth.FederatedUser && p.Session != nil && p.Session.OwnerID == s.cfg.Account { // root's own
		c.Principal.Type, c.Principal.Issuer, c.Tags = policy.FederatedUser, p.Session.Owner, sessionTags(nil, p)
		c.setKeys(p, nil)
		return nil
	}
	e, err := s.owner(r, p)
	if err != nil {
		return err
	}
	c.Principal.ID, c.Tags = e.ID, e.Tags
	switch p.Kind {
	case auth.User:
		c.Principal.Type, c.Principal.ARN = policy.User, s.ARN(e)
	case auth.RoleSession:
		c.Principal.Type, c.Principal.Issuer = policy.RoleSession, s.ARN(e)
		c.Tags = sessionTags(e.Tags, p)
		if p.Session != nil && p.Session.Provider != "" {
			c.Principal.Provider = s.ProviderARN(p.Session.Provider)
		}
	case auth.FederatedUser:
		c.Principal.Type, c.Principal.Issuer, c.Tags = policy.FederatedUser, s.ARN(e), sessionTags(nil, p)
	}
	c.setKeys(p, e)
	c.Identity, c.Boundary, err = s.policiesOf(r, e)
	return err
}

// sessionTags are an owner's tags under those of a session.
func sessionTags(own map[string]string, p auth.Principal) map[string]string {
	if p.Session == nil || len(p.Session.Tags) == 0 {
		return own
	}
	tags := make(map[string]string, len(own)+len(p.Session.Tags))
	maps.Copy(tags, own)
	for k, v := range p.Session.Tags {
		maps.DeleteFunc(tags, func(have, _ string) bool { return strings.EqualFold(have, k) })
		tags[k] = v
	}
	return tags
}

// Sessions that users make for themselves or for others cannot be used for identity
// management, nor to make more of themselves.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
const (
	userSession = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},` +
		`{"Effect":"Deny","Action":["iam:*","sts:GetFederationToken","sts:GetSessionToken"],"Resource":"*"}]}`
	federatedSession = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":["iam:*","sts:Assume*","sts:GetFederationToken","sts:GetSessionToken"],"Resource":"*"}}`
)

// fillSession compiles the policies that a session came with.
func (s *Service) fillSession(r store.Reader, c *Caller, p auth.Principal) error {
	if p.Session == nil {
		return nil
	}
	if p.Kind == auth.User {
		c.Session = append(c.Session, s.compile("temporary credentials", userSession))
	}
	if p.Session.Policy != "" {
		c.Session = append(c.Session, s.compile("session policy", p.Session.Policy))
	}
	for _, arn := range p.Session.PolicyARNs {
		a, err := s.compileManaged(r, arn)
		if err != nil {
			return err
		}
		c.Session = append(c.Session, a)
	}
	if p.Kind == auth.FederatedUser { // whatever the policies of resources say of it
		c.Session = append(c.Session, s.compile("temporary credentials", federatedSession))
	}
	return nil
}

// policiesOf compiles the policies of an entity: its own, those of its groups, and
// its boundary.
func (s *Service) policiesOf(r store.Reader, e *Entity) (identity, boundary []policy.Attached, err error) {
	holders := []*Entity{e}
	groups, err := entities(r, e.Groups)
	if err != nil {
		return nil, nil, err
	}
	for _, h := range append(holders, groups...) {
		for _, name := range slices.Sorted(maps.Keys(h.Inline)) {
			identity = append(identity, s.compile(name, h.Inline[name]))
		}
		for _, arn := range h.Attached {
			a, err := s.compileManaged(r, arn)
			if err != nil {
				return nil, nil, err
			}
			identity = append(identity, a)
		}
	}
	if e.Boundary != "" {
		a, err := s.compileManaged(r, e.Boundary)
		if err != nil {
			return nil, nil, err
		}
		boundary = append(boundary, a)
	}
	return identity, boundary, nil
}

// compileManaged compiles the default version of a managed policy. One that is gone
// denies everything: it might have.
func (s *Service) compileManaged(r store.Reader, arn string) (policy.Attached, error) {
	p, err := s.managed(r, arn)
	if fault.Is(err, "NoSuchEntity") || fault.Is(err, "ValidationError") {
		return policy.Attached{Name: arn}, nil
	}
	if err != nil {
		return policy.Attached{}, err
	}
	v, err := document(r, p, p.Default)
	if err != nil {
		return policy.Attached{}, err
	}
	return s.compile(arn, v.Document), nil
}

// compile compiles a document that was found good when it was stored. Should it be
// so no longer, the policy is nil, which denies everything.
func (s *Service) compile(name, doc string) policy.Attached {
	return s.compileAs(&s.compiled, name, doc, policy.Identity)
}

// never is the generation of what is compiled: a document always means the same.
var never recall.Generation

func (s *Service) compileAs(c *recall.Cache[string, *policy.Policy], name, doc string, kind policy.Kind) policy.Attached {
	p, err := c.Get(&never, doc, func() (*policy.Policy, error) { return policy.Parse([]byte(doc), kind) })
	if err != nil {
		s.cfg.Log.Error("a stored policy cannot be read: it denies everything", "policy", name, "error", err)
		return policy.Attached{Name: name}
	}
	return policy.Attached{Name: name, Policy: p}
}

// setKeys computes the condition keys about a principal; e is its user or role, nil
// for root.
func (c *Caller) setKeys(p auth.Principal, e *Entity) {
	kind := map[auth.Kind]string{auth.RootUser: "Account", auth.User: "User", auth.RoleSession: "AssumedRole", auth.FederatedUser: "FederatedUser"}
	principal := c.Principal.ARN
	if p.Kind == auth.RoleSession {
		principal = c.Principal.Issuer
	}
	c.set("aws:PrincipalArn", principal)
	c.set("aws:PrincipalAccount", p.Account)
	c.set("aws:PrincipalType", kind[p.Kind])
	c.set("aws:PrincipalIsAWSService", "false")
	c.set("aws:userid", p.UserID)
	if p.Kind == auth.User && e != nil {
		c.set("aws:username", e.Name)
	}
	for _, k := range slices.Sorted(maps.Keys(c.Tags)) {
		c.keys = append(c.keys, conditionKey{"aws:PrincipalTag/" + k, []string{c.Tags[k]}})
	}
	if !p.Issued.IsZero() {
		c.set("aws:TokenIssueTime", p.Issued.UTC().Format(time.RFC3339))
		c.set("aws:MultiFactorAuthPresent", "false")
	}
	if strings.HasPrefix(p.SourceARN, "arn:aws:lambda:") {
		// https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
		c.set("lambda:SourceFunctionArn", p.SourceARN)
	}
	if p.Session != nil {
		c.set("aws:SourceIdentity", p.Session.SourceIdentity)
		if p.Session.Provider != "" {
			c.set("aws:FederatedProvider", c.Principal.Provider)
		}
	}
}
