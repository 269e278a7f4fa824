package policy

// PrincipalType is what sort of caller a principal is.
type PrincipalType uint8

// The types of principal.
const (
	// Anonymous is a caller that didn't sign.
	Anonymous PrincipalType = iota
	// Root is the account's own root user.
	Root
	// User is a user of identity management, with keys of its own or temporary ones.
	User
	// RoleSession is a role, assumed.
	RoleSession
	// FederatedUser is a session made by GetFederationToken.
	FederatedUser
	// Service is a service that acts in its own name: sns.amazonaws.com.
	Service
	// Federated is someone vouched for by an identity provider, who asks for a
	// role: the caller of AssumeRoleWithWebIdentity.
	Federated
)

// Principal is who asks. The zero value is an anonymous caller.
type Principal struct {
	Type PrincipalType
	// ARN names the caller itself: of a user arn:aws:iam::ACCOUNT:user/NAME, of a
	// session arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION or
	// arn:aws:sts::ACCOUNT:federated-user/NAME, of root arn:aws:iam::ACCOUNT:root.
	ARN string
	// Account is the caller's account; empty for Anonymous, Service and Federated.
	Account string
	// Issuer is, for sessions, the ARN of who the session is of: the role, or the
	// user or root user that federated.
	Issuer string
	// ID is the unique id of the user or role (AIDA..., AROA..., without the name of
	// a session). Policies may hold it in place of an ARN.
	ID string
	// Service is the name of a Service: "lambda.amazonaws.com".
	Service string
	// Provider is the identity provider that vouched for a Federated caller, or for
	// the session of a role: its ARN, or a name like "accounts.google.com".
	Provider string
	// CanonicalID is the canonical user id of the caller's account, which bucket
	// policies may name.
	CanonicalID string
}

// Request is what is asked for.
type Request struct {
	Principal Principal
	// Action is "service:Operation"; its case doesn't matter.
	Action string
	// Resource is the ARN the action is to be done to, or "*" for actions that are
	// about no resource.
	Resource string
	// ResourceAccount is the account the resource belongs to. If it is empty, it is
	// the account in the Resource; if there is none either, the caller's own: it must
	// be given for buckets of others, whose ARNs don't tell.
	ResourceAccount string
	// Keys are the condition keys of the request. Those not in it are absent.
	Keys Keys
}
