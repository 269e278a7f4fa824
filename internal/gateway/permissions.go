package gateway

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/recall"
)

// accessDenied is the code of what a caller may not do.
const accessDenied = "AccessDeniedException"

// Identities knows who callers are, and whose policies count for them.
type Identities interface {
	// Caller answers from memory, and never with what was before a change that was
	// acknowledged. Credentials whose owner is gone are a *fault.Error with the code
	// InvalidClientTokenId.
	Caller(ctx context.Context, p auth.Principal) (*iam.Caller, error)
	// Note is told of every caller that was let in. It is quick.
	Note(p auth.Principal, service string)
}

// ResourcePolicies are the policies of one service's resources.
type ResourcePolicies interface {
	// ResourcePolicy gives the document of the policy of the resource whose ARN it
	// is; nil where there is no such resource, or no policy of it.
	ResourcePolicy(ctx context.Context, arn string) ([]byte, error)
}

// Protected are a service's resources that have policies of their own.
type Protected struct {
	Policies ResourcePolicies
	// MustAllow is set where a resource's policy alone opens it, as those of KMS keys.
	MustAllow bool
}

// PermissionsConfig is what Permissions are made of.
type PermissionsConfig struct {
	Identities Identities
	// Region is the node's.
	Region string
	// Resources are those with policies, by the service in their ARNs.
	Resources map[string]Protected
	// Log takes what is wrong with us; nil discards it.
	Log *slog.Logger
}

// Permissions decides what callers may do: what they ask for is put together with
// their policies, those of the resources, and the circumstances, and evaluated. It is
// safe for concurrent use.
//
// Condition keys are collected only if one of the policies asks for any, or to tell
// later why a caller was refused; most policies of functions ask for none.
type Permissions struct {
	cfg       PermissionsConfig
	compiled  recall.Cache[string, *policy.Policy] // by document
	forever   recall.Generation                    // what a document says never changes
	questions sync.Pool                            // of *question
}

// NewPermissions makes Permissions.
func NewPermissions(c PermissionsConfig) *Permissions {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Permissions{cfg: c, questions: sync.Pool{New: func() any { return new(question) }}}
}

// question is what one decision needs in memory.
type question struct {
	Denial
	resource [1]policy.Attached
}

// want is one thing that somebody wants to do. The service's condition keys are known
// only when asked for.
type want struct {
	action, resource string
	keys             access.Keys
	rule             *access.Rule // makes keys of in; nil if they are made
	in               any
}

// May returns nil if p may do all of needs, and notes the answer for the audit trail.
// A refusal is a *fault.Error with the code AccessDeniedException; any other error is
// a fault of ours.
//
// It is for what is no operation of an API: calls of a function's URL, and what a
// service does on its own (p is then of the kind Service).
func (m *Permissions) May(ctx context.Context, p auth.Principal, needs ...access.Need) error {
	v := visitOf(ctx)
	if v == nil {
		v = &visit{}
	}
	v.principal, v.known = p, v.known || p.Kind != auth.Anonymous
	if len(needs) > 0 {
		v.service, v.operation, _ = strings.Cut(needs[0].Action, ":")
	}
	a, err := m.asker(ctx, v)
	if err != nil {
		return err
	}
	return a.needs(ctx, needs)
}

// authorize returns nil if the visit's principal may do what rule asks for with in.
func (m *Permissions) authorize(ctx context.Context, v *visit, rule access.Rule, in any) error {
	resources := rule.About(ctx, in)
	for _, arn := range resources {
		if arn != "*" {
			v.resources = append(v.resources, arn)
		}
	}
	if v.principal.Kind == auth.Anonymous && !rule.Unsigned {
		return &auth.Refusal{Reason: auth.Missing}
	}
	if !rule.Itself && (rule.Action != "" || rule.Also != nil) {
		a, err := m.asker(ctx, v)
		if err == nil {
			err = a.rule(ctx, &rule, in, resources)
		}
		if err != nil {
			return err
		}
	}
	m.cfg.Identities.Note(v.principal, v.service)
	return nil
}

// asker is somebody who asks, in the course of a visit.
type asker struct {
	*Permissions
	v *visit
	c *iam.Caller
}

func (m *Permissions) asker(ctx context.Context, v *visit) (asker, error) {
	c, err := m.cfg.Identities.Caller(ctx, v.principal)
	if fault.Is(err, "InvalidClientTokenId") {
		err = &auth.Refusal{Reason: auth.InvalidToken}
	}
	return asker{m, v, c}, err
}

func (a asker) rule(ctx context.Context, rule *access.Rule, in any, resources []string) error {
	if rule.Action != "" {
		w := want{action: rule.Action, rule: rule, in: in}
		for _, w.resource = range resources {
			if err := a.ask(ctx, &w); err != nil {
				return err
			}
		}
	}
	if rule.Also == nil {
		return nil
	}
	return a.needs(ctx, rule.Also(ctx, in))
}

func (a asker) needs(ctx context.Context, needs []access.Need) error {
	for i := range needs {
		n := &needs[i]
		if n.Resource != "*" && !slices.Contains(a.v.resources, n.Resource) {
			a.v.resources = append(a.v.resources, n.Resource)
		}
		if err := a.ask(ctx, &want{action: n.Action, resource: n.Resource, keys: n.Keys}); err != nil {
			return err
		}
	}
	return nil
}

// ask decides one thing. A refusal is noted in the visit.
func (a asker) ask(ctx context.Context, w *want) error {
	q := a.questions.Get().(*question)
	defer a.questions.Put(q)
	q.Request.Keys.Reset()
	q.Request = policy.Request{Principal: a.c.Principal, Action: w.action, Resource: w.resource, Keys: q.Request.Keys}
	q.Policies = policy.Policies{Identity: a.c.Identity, Boundary: a.c.Boundary, Session: a.c.Session}
	if err := a.addResource(ctx, q); err != nil {
		return err
	}
	if q.Policies.Ask() {
		a.setKeys(ctx, w, &q.Request.Keys)
	}
	if q.Decision = policy.Evaluate(&q.Request, &q.Policies); q.Decision.Allowed {
		return nil
	}
	d := &Denial{Request: q.Request, Policies: q.Policies, Decision: q.Decision}
	d.Policies.Resource = slices.Clone(q.Policies.Resource) // q is used again
	d.Request.Keys = policy.Keys{}                          // all of them, whether asked for or not
	a.setKeys(ctx, w, &d.Request.Keys)
	a.v.denial = d
	return fault.New(http.StatusForbidden, accessDenied, "%s", d.Decision.Message(&d.Request))
}

// addResource adds the policy of the resource that is asked for.
func (m *Permissions) addResource(ctx context.Context, q *question) error {
	service, ok := serviceOf(q.Request.Resource)
	if !ok {
		return nil
	}
	protected, ok := m.cfg.Resources[service]
	if !ok {
		return nil
	}
	doc, err := protected.Policies.ResourcePolicy(ctx, q.Request.Resource)
	if err != nil || doc == nil {
		return err
	}
	text := string(doc)
	p, err := m.compiled.Get(&m.forever, text, func() (*policy.Policy, error) { return policy.Parse(doc, policy.Resource) })
	if err != nil { // nil denies everything: what cannot be read might have
		m.cfg.Log.ErrorContext(ctx, "a resource's policy cannot be read: it denies everything", "resource", q.Request.Resource, "error", err)
	}
	q.resource[0] = policy.Attached{Name: q.Request.Resource, Policy: p}
	q.Policies.Resource, q.Policies.ResourceMustAllow = q.resource[:], protected.MustAllow
	return nil
}

// serviceOf is the third part of an ARN.
func serviceOf(arn string) (string, bool) {
	rest, ok := strings.CutPrefix(arn, "arn:")
	if !ok {
		return "", false
	}
	_, rest, ok = strings.Cut(rest, ":")
	service, _, _ := strings.Cut(rest, ":")
	return service, ok
}

// setKeys sets all condition keys that a request has.
func (a asker) setKeys(ctx context.Context, w *want, k *policy.Keys) {
	SetKeys(ctx, k)
	region := a.cfg.Region
	if a.v.service == "iam" {
		region = "us-east-1" // where AWS has services without regions
	}
	k.Set("aws:RequestedRegion", region)
	k.Set("aws:ViaAWSService", strconv.FormatBool(a.v.principal.Kind == auth.Service))
	a.c.SetKeys(k)
	if w.rule != nil && w.rule.Keys != nil {
		w.keys = w.rule.Keys(ctx, w.in)
	}
	w.rule = nil // they are made
	for _, name := range slices.Sorted(maps.Keys(w.keys)) {
		k.Set(name, w.keys[name]...) // of tags that differ in case alone, the same counts each time
	}
}
