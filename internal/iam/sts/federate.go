package sts

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/iam"
)

// permanent refuses callers with temporary credentials, and gives the bounds of what
// the others may ask for.
func permanent(p auth.Principal, operation string) (usual, longest int, err error) {
	if p.Session != nil || p.Kind != auth.User && p.Kind != auth.RootUser {
		return 0, 0, denied("Cannot call %s with session credentials", operation)
	}
	if p.Kind == auth.RootUser {
		return longestRoot, longestRoot, nil
	}
	return defaultUser, longestUser, nil
}

// sessionToken makes temporary credentials of the caller's own.
func (s *Service) sessionToken(p auth.Principal, w *wish) (auth.Credentials, error) {
	usual, longest, err := permanent(p, "GetSessionToken")
	if err != nil {
		return auth.Credentials{}, err
	}
	if p.Kind == auth.RootUser {
		w.shorten(longest) // AWS takes longer ones from root and gives an hour
	}
	life, err := w.life(usual, longest)
	if err != nil {
		return auth.Credentials{}, err
	}
	c, _, err := s.issue(auth.Grant{Kind: p.Kind, ARN: p.ARN, ID: p.UserID, Life: life})
	return c, err
}

// shorten cuts what is wished for to a longest life.
func (w *wish) shorten(longest int) {
	if w.seconds != nil && int(*w.seconds) > longest {
		seconds := int32(longest)
		w.seconds = &seconds
	}
}

// federated is a federated user's session that was made.
type federated struct {
	credentials auth.Credentials
	arn, id     string
	packed      int
}

// federate makes temporary credentials for somebody the caller vouches for, with what
// both the caller's policies and the session's allow.
func (s *Service) federate(ctx context.Context, p auth.Principal, name string, w *wish) (*federated, error) {
	usual, longest, err := permanent(p, "GetFederationToken")
	if err != nil {
		return nil, err
	}
	if err := within(name, "name", 2, 32, nameForm); err != nil {
		return nil, err
	}
	if p.Kind == auth.RootUser {
		w.shorten(longest)
	}
	life, err := w.life(usual, longest)
	if err != nil {
		return nil, err
	}
	session, err := s.session(ctx, w)
	if err != nil {
		return nil, err
	}
	c, packed, err := s.issue(auth.Grant{Kind: auth.FederatedUser, ARN: p.ARN, ID: p.UserID, Name: name, Life: life, Session: session})
	if err != nil {
		return nil, err
	}
	return &federated{c, federatedARN(s.cfg.Identities, name), p.Account + ":" + name, packed}, nil
}

// federatedARN names a federated user.
func federatedARN(identities *iam.Service, name string) string {
	return "arn:aws:sts::" + identities.Account() + ":federated-user/" + name
}
