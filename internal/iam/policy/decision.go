package policy

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
	Index  int    // the statement's place in the policy, from 0
}

// Message says why the request was refused, in AWS's words: "User: ARN is not
// authorized to perform: ACTION on resource: ARN because no identity-based policy
// allows the ACTION action". It is empty if the request was allowed.
func (d Decision) Message(r *Request) string { return "" }
