// Package policy is AWS's policy language: it reads policies, and decides requests
// by them. It knows nothing of HTTP, of stores or of services; what it decides is
// handed to it, and so can be decided at any time again.
//
//	p, err := policy.Parse(doc, policy.Identity)     once: compiled, never changes
//	d := policy.Evaluate(&request, &policies)        as often as asked, without allocating
//	d.Message(&request)                              "User: ... is not authorized to perform: ..."
//	policy.Explain(&request, &policies)              why, and what would have to change
//
// # What a request is
//
// Somebody (Principal) wants to do something (Action) to something (Resource), under
// circumstances (Keys). A statement of a policy applies to it if all of its elements
// do: its Action or NotAction, its Resource or NotResource, its Principal or
// NotPrincipal where it has one, and every Condition. A statement that applies has
// an Effect, Allow or Deny.
//
// # How a request is decided
//
// Everything is refused that nothing allows (an implicit deny), and everything is
// refused that one statement denies (an explicit deny), whatever allows it. In
// between, what an Allow is worth depends on the kind of policy it stands in:
//
//	Identity   of the user, its groups, or the role     grants
//	Boundary   of the user or role                      limits what Identity grants
//	Session    of temporary credentials                 limits what the session may do
//	Resource   of what is asked for; names principals   grants, to those it names
//	Trust      the Resource policy of a role            grants, and alone lets in
//
//	                      ┌──────────────────────────┐  yes
//	                      │ does any statement deny? ├───────▶ refused, explicitly
//	                      └────────────┬─────────────┘
//	                                   │ no
//	      anonymous, a service,        ▼              principal and resource
//	      an identity provider   ┌───────────┐        are of two accounts
//	     ┌───────────────────────┤ who asks? ├──────────────────────┐
//	     ▼                       └─────┬─────┘                      ▼
//	 Resource allows?                  │ one account         Identity allows?
//	 yes: allowed                      ▼                     Boundary allows, if any?
//	 no:  refused        by which name does Resource         Session allows, if any?
//	                     let the principal in?               Resource allows, by any name?
//	                                   │                     all: allowed; else refused
//	     ┌─────────────┬───────────────┴───┬───────────────────┐
//	     ▼             ▼                   ▼                   ▼
//	  its own,      its role's, or      its account's       by none
//	  or "*"        its user's if       │                   │
//	     │          it federated        │                   │ a role, or a resource
//	     ▼             ▼                │                   │ whose policy must allow:
//	  allowed       Boundary allows?    │                   ├───▶ refused
//	                Session allows?     ▼                   ▼ any other
//	                both: allowed       Identity allows? Boundary? Session?
//	                                    all: allowed
//
// The root user is allowed by no Identity policy and needs none in its own account.
// A federated user has the permissions of the user it is of, within Session policies
// it must have.
//
// Within an account, so, a resource's policy that names a user or a session opens the
// resource to it, past a boundary; one that names a role opens it as far as the role's
// boundary goes; one that names the account leaves it to the account, whose
// administrators decide by Identity policies, as they could without it. But for roles
// and keys, which nobody enters whom their own policy doesn't let in.
//
// # What is absent
//
// A condition key that the request doesn't have equals nothing: operators that ask for
// equality fail, those that ask for difference hold. IfExists makes both hold, Null
// asks for the absence itself, ForAllValues holds of no values and ForAnyValue
// doesn't. AWS says of variables without a value only that they might make a statement
// invalid; here they count against the caller: an Allow doesn't apply by them, and a
// Deny of all but what they would name is a Deny of all.
//
// A policy that couldn't be read denies everything, since it might have.
//
// # Where things are
//
//	policy.go     kinds of policies, and which apply to a request
//	request.go    principals and requests; context.go their condition keys
//	json.go       documents, strictly; parse.go the grammar; check.go the rules of each
//	              kind; speech.go the words for what is wrong
//	statement.go  what applies; principal.go condition.go operators.go date.go
//	match.go      patterns; arnpattern.go those of ARNs; variables.go what is in them
//	evaluate.go   the drawing above; decision.go its outcome in words
//	explain.go    why; remedy.go what would help
//
// # What it doesn't do
//
// There are no organisations here (service and resource control policies), no
// endpoint policies, access control lists or grants of keys. A policy is read alone: that its
// principals exist, that its actions have such resources and keys, that a trusted
// provider is conditioned on, and that the quotas of where it is stored are kept
// (Size counts for them) is for others to check. A NotPrincipal excepts those it lists by
// every name they have, and never one with a boundary. An identity policy may have an
// Id, which AWS takes though its grammar says otherwise.
//
// Sources, beside those named where they matter:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
package policy
