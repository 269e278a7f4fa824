package iam

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam/managed"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// simulation is a question: what would these policies decide?
type simulation struct {
	source             string // the ARN of a user, group or role, whose policies count
	policies, boundary []string
	resourcePolicy     string
	actions, resources []string
	caller             string // the ARN of who asks; source if it is empty
	resourceOwner      string
	keys               []conditionKey
}

// outcome is the answer for one action on one resource.
type outcome struct {
	action, resource string
	decision         policy.Decision
	matched          []policy.Source
	boundary         bool // there is a permissions boundary
}

// Bounds of simulations: pairs of an action and a resource, policies, and statements
// that are looked at, over all pairs.
const (
	maxSimulated = 1000
	maxInputs    = 100
	maxLooked    = 200_000
)

// simulate answers a simulation, action by action and resource by resource.
func (s *Service) simulate(ctx context.Context, q simulation) ([]outcome, error) {
	if len(q.resources) == 0 {
		q.resources = []string{"*"}
	}
	if len(q.actions) == 0 || len(q.actions)*len(q.resources) > maxSimulated || len(q.policies)+len(q.boundary) > maxInputs {
		return nil, invalidInput("A simulation takes 1 to %d pairs of an action and a resource, and at most %d policies.", maxSimulated, maxInputs)
	}
	p, err := s.simulated(ctx, q)
	if err != nil {
		return nil, err
	}
	req := policy.Request{Principal: s.simulatedCaller(q), ResourceAccount: s.cfg.Account}
	if a, err := arn.Parse(q.resourceOwner); err == nil {
		req.ResourceAccount = a.Account
	} else if q.resourceOwner != "" {
		req.ResourceAccount = q.resourceOwner
	}
	for _, k := range q.keys {
		req.Keys.Set(k.name, k.value...)
	}
	if req.Keys.Get("aws:PrincipalArn") == nil && req.Principal.ARN != "" {
		req.Keys.Set("aws:PrincipalArn", req.Principal.ARN)
	}
	var list []outcome
	for _, action := range q.actions {
		for _, resource := range q.resources {
			req.Action, req.Resource = action, resource
			x := policy.Explain(&req, &p)
			if pairs := len(q.actions) * len(q.resources); pairs*len(x.Statements) > maxLooked {
				return nil, invalidInput("A simulation looks at no more than %d statements: %d in all policies, for each of %d pairs of an action and a resource, are too many.",
					maxLooked, len(x.Statements), pairs)
			}
			o := outcome{action, resource, x.Decision, nil, len(p.Boundary) > 0}
			for _, v := range x.Statements {
				if v.Applies {
					o.matched = append(o.matched, v.Source)
				}
			}
			list = append(list, o)
		}
	}
	return list, nil
}

// simulated collects the policies that a simulation is about.
func (s *Service) simulated(ctx context.Context, q simulation) (p policy.Policies, err error) {
	if q.source != "" {
		err = s.cfg.Store.View(ctx, func(r store.Reader) error {
			e, err := s.source(r, q.source)
			if err != nil {
				return err
			}
			p.Identity, p.Boundary, err = s.policiesOf(r, e)
			return err
		})
		if err != nil {
			return p, err
		}
	}
	own, err := inputs("PolicyInputList", q.policies, policy.Identity)
	if err != nil {
		return p, err
	}
	p.Identity = append(p.Identity, own...)
	if len(q.boundary) > 0 {
		if p.Boundary, err = inputs("PermissionsBoundaryPolicyInputList", q.boundary, policy.Boundary); err != nil {
			return p, err
		}
	}
	if q.resourcePolicy != "" {
		p.Resource, err = inputs("ResourcePolicy", []string{q.resourcePolicy}, policy.Resource)
	}
	return p, err
}

// source reads the user, group or role whose policies are simulated. Its ARN is taken in
// the one spelling that permission was asked for: nobody learns of an entity by another
// path than its own.
func (s *Service) source(r store.Reader, arn string) (*Entity, error) {
	kind, _, name, ok := s.splitARN(arn)
	if !ok || !slices.Contains([]Kind{User, Group, Role}, Kind(kind)) {
		return nil, invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", clip(arn))
	}
	e, err := find(r, Kind(kind), name)
	if err == nil && s.ARN(e) != arn {
		err = missing(Kind(kind), name)
	}
	return e, err
}

// inputs compiles the documents a caller sent; they are named for their places.
func inputs(list string, docs []string, kind policy.Kind) ([]policy.Attached, error) {
	var all []policy.Attached
	for i, doc := range docs {
		p, err := parse(doc, kind)
		if err != nil {
			return nil, invalidInput("%s: %s", list, fault.As(err).Message)
		}
		all = append(all, policy.Attached{Name: list + "." + strconv.Itoa(i+1), Policy: p})
	}
	return all, nil
}

// simulatedCaller is who is thought to ask.
func (s *Service) simulatedCaller(q simulation) policy.Principal {
	text := q.caller
	if text == "" {
		text = q.source
	}
	p := policy.Principal{Type: policy.User, ARN: text, Account: s.cfg.Account}
	kind, _, name, _ := s.splitARN(text)
	switch Kind(kind) {
	case Role:
		p.Type, p.Issuer = policy.RoleSession, text
		p.ARN = "arn:aws:sts::" + s.cfg.Account + ":assumed-role/" + name + "/simulation"
	case Group, "":
		p.ARN = s.arn(string(User), "/", "simulation")
	}
	return p
}

// sourceType says where a policy of a simulation comes from, in AWS's words.
func sourceType(q simulation, name string) string {
	switch {
	case strings.HasPrefix(name, managed.Prefix):
		return "aws-managed"
	case strings.HasPrefix(name, "arn:"):
		return "user-managed"
	case strings.HasPrefix(name, "ResourcePolicy."):
		return "resource"
	case strings.Contains(name, "InputList."):
		return "none"
	case strings.Contains(q.source, ":role/"):
		return "role"
	case strings.Contains(q.source, ":group/"):
		return "group"
	}
	return "user"
}
