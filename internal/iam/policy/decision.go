package policy

import "strings"

// Decision is whether a request is allowed, and because of what.
type Decision struct {
	Allowed bool
	// Explicit is set if a Deny statement refused the request. A refusal that is not
	// explicit means that nothing allowed it.
	Explicit bool
	// By is what decided. Of a refusal that is not explicit, only the Kind is known:
	// the kind of policy that would have had to allow the request, and didn't.
	// Nothing of it is known where the root user was allowed without a policy.
	By Source
}

// Source is a statement of a policy.
type Source struct {
	Kind   Kind
	Policy string // its name, as Attached has it
	Sid    string // the statement's id, which may be empty
	// Index is the statement's place in the policy, from 0; -1 if there is none: no
	// statement decided, or the policy couldn't be read.
	Index int
}

// Message says why the request was refused, in AWS's words: "User: ARN is not
// authorized to perform: ACTION on resource: ARN because no identity-based policy
// allows the ACTION action". It is empty if the request was allowed.
//
// The name of the policy that denies is told if it is an ARN, to callers of its own
// account; those of resources and roles are not theirs to know.
//
// Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html,
// https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
func (d Decision) Message(r *Request) string {
	if d.Allowed {
		return ""
	}
	if d.strangersRole(r) {
		return "Cross-account pass role is not allowed."
	}
	var b strings.Builder
	b.WriteString("User: ")
	b.WriteString(r.Principal.name())
	b.WriteString(" is not authorized to perform: ")
	b.WriteString(r.Action)
	if r.Resource != "" {
		b.WriteString(" on resource: ")
		b.WriteString(r.Resource)
	}
	if !d.Explicit {
		b.WriteString(" because no ")
		b.WriteString(d.By.Kind.String())
		b.WriteString(" allows the ")
		b.WriteString(r.Action)
		b.WriteString(" action")
		return b.String()
	}
	b.WriteString(" with an explicit deny in ")
	b.WriteString(d.By.Kind.article())
	b.WriteString(d.By.Kind.String())
	if !d.By.Kind.namesPrincipals() && strings.HasPrefix(d.By.Policy, "arn:") {
		b.WriteString(": ")
		b.WriteString(d.By.Policy)
	}
	return b.String()
}

// strangersRole says whether a role of another account was to be passed, which no
// policy can allow: roles have none that would.
func (d Decision) strangersRole(r *Request) bool {
	return !d.Explicit && d.By.Kind == Resource && strings.EqualFold(r.Action, "iam:PassRole")
}

func (k Kind) article() string {
	switch k {
	case Identity:
		return "an "
	case Trust:
		return "the "
	}
	return "a "
}

// name is what messages call the principal.
func (p *Principal) name() string {
	switch p.Type {
	case Service:
		return p.Service
	case Federated:
		return p.Provider
	}
	if p.ARN == "" {
		return "anonymous"
	}
	return p.ARN
}
