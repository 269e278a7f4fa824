package auth

import (
	"context"
	"time"
)

// Kind is what sort of caller a principal is.
type Kind string

// The kinds of principal.
const (
	Anonymous   Kind = "anonymous"    // nobody signed
	RootUser    Kind = "root"         // the account's own credentials
	User        Kind = "user"         // a user of identity management
	RoleSession Kind = "role-session" // temporary credentials of a role
	// FederatedUser has temporary credentials that a user or root made by GetFederationToken.
	FederatedUser Kind = "federated-user"
	Service       Kind = "service" // Mayfly itself, on behalf of a service
)

// Principal is who is calling. The zero value is not a principal: Nobody is.
type Principal struct {
	Kind    Kind
	Account string
	// ARN names the principal in policies and messages:
	// arn:aws:iam::ACCOUNT:root, arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION.
	ARN string
	// UserID is AWS's unique id: the account for root, AROA...:SESSION for a role.
	UserID string
	// AccessKeyID that signed; for a session it is the session's id.
	AccessKeyID string

	// RoleARN, SessionName and Expires are set for role sessions. SourceARN is the
	// thing that runs under the session (a function), empty for people.
	RoleARN, SessionName, SourceARN string
	Expires                         time.Time

	// Issued is when temporary credentials were made, zero for permanent ones.
	Issued time.Time
	// Session is what temporary credentials were made with, nil for nothing. It is
	// shared and must not be changed.
	Session *Session
}

// Nobody is the principal of a request that nobody signed.
var Nobody = Principal{Kind: Anonymous, ARN: "anonymous"}

type principalKey struct{}

// With returns a context that carries p.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, &p)
}

// From returns the principal ctx carries; Nobody if there is none.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(principalKey{}).(*Principal); ok {
		return *p
	}
	return Nobody
}
