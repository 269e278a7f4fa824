package policy

import (
	"slices"
	"strings"
)

// Kind is what a policy is attached to, which decides what it may contain and what
// an Allow in it is worth.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#access_policy-types
type Kind uint8

// The kinds of policy.
const (
	// Identity policies are attached to users, groups and roles, and grant.
	Identity Kind = iota + 1
	// Boundary policies limit what a user's or a role's identity policies grant.
	Boundary
	// Session policies come with temporary credentials and limit them.
	Session
	// Resource policies are attached to resources and name who may use them.
	Resource
	// Trust policies are the resource policies of roles: who may assume them.
	Trust
	// Managed policies stand on their own and are attached as Identity, Boundary or
	// Session policies. To Parse they differ in having to be of Version2012.
	Managed
)

// String names the kind as AWS's messages do: "identity-based policy".
func (k Kind) String() string {
	switch k {
	case Identity, Managed:
		return "identity-based policy"
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case Resource:
		return "resource-based policy"
	case Trust:
		return "role trust policy"
	}
	return "policy"
}

// namesPrincipals: policies of resources say whom they are about; those of
// identities are about who they are attached to.
func (k Kind) namesPrincipals() bool { return k == Resource || k == Trust }

// The versions of the language. Policies that name none are of the older one,
// in which ${...} is plain text.
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// Policy is a policy, read and compiled. It never changes, and may be used by many
// goroutines at once.
type Policy struct {
	kind       Kind
	version    string
	statements []statement
	denies     bool // one of its statements is a Deny
}

// Kind is the kind the policy was parsed as.
func (p *Policy) Kind() Kind { return p.kind }

// Version is the version of the language the policy asks for.
func (p *Policy) Version() string { return p.version }

// ContextKeys lists the condition keys that the policy asks for, in conditions and
// as variables, in order; of names that differ in case alone, the first.
func (p *Policy) ContextKeys() []string {
	var list []string
	add := func(key string) {
		if !slices.ContainsFunc(list, func(k string) bool { return strings.EqualFold(k, key) }) {
			list = append(list, key)
		}
	}
	for i := range p.statements {
		c := p.statements[i].written
		values := c.resource.values
		for _, t := range c.conditions {
			add(t.key)
			values = append(values[:len(values):len(values)], t.values...)
		}
		for _, v := range values {
			for _, chunk := range pieces(v, syntax{variables: p.version == Version2012}) {
				for _, q := range chunk {
					if q.op == variablePiece {
						add(q.key.text)
					}
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// Attached is a policy and the name it goes by where it is attached: the ARN of a
// managed policy, the name of an inline one. The name is for decisions to quote.
//
// An Attached without a Policy denies everything: what could not be read might have
// denied the request.
type Attached struct {
	Name   string
	Policy *Policy
}

// Policies are all policies that apply to a request, collected by the caller. Each
// is judged by the list it stands in. One that was parsed with Principals (Resource,
// Trust) in a list of policies without, or the reverse, denies everything.
type Policies struct {
	// Identity are the policies of the user and its groups, or of the role.
	Identity []Attached
	// Boundary holds the permissions boundary of the user or role, or nothing.
	Boundary []Attached
	// Session holds the policies that came with the session, or nothing.
	Session []Attached
	// Resource holds the policy of the resource, or nothing. For sts:AssumeRole and
	// its like it is the role's trust policy.
	Resource []Attached
	// ResourceMustAllow is set for resources that identity policies alone never open
	// in their own account, as KMS keys: their own policy has to name the caller, or
	// the account, which then decides by its identity policies. It is always so with
	// trust policies.
	ResourceMustAllow bool
}
