package sts

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/oidc"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// webAssumed is a role's session that was made for a subject of a provider's.
type webAssumed struct {
	*assumed
	audience, provider, subject string
}

// errNotTrusted says no more: whoever asks has no name here.
var errNotTrusted = denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")

// assumeWithToken makes credentials of a role for who holds a provider's token.
func (s *Service) assumeWithToken(ctx context.Context, a *assumption, token string) (*webAssumed, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if len(token) < 4 {
		return nil, constraint(clip(token), "webIdentityToken", "Member must have length greater than or equal to 4")
	}
	provider, claims, err := s.claims(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := a.add(claims); err != nil {
		return nil, err
	}
	session, err := s.session(ctx, &a.wish)
	if err != nil {
		return nil, err
	}
	session.Provider, session.Subject = provider.URL, claims.Subject
	role, err := s.role(ctx, a.role)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, errNotTrusted
	}
	req := policy.Request{
		Principal: policy.Principal{Type: policy.Federated, Provider: s.cfg.Identities.ProviderARN(provider.URL)},
		Action:    "sts:AssumeRoleWithWebIdentity", Resource: a.role, Keys: s.keys(ctx),
	}
	audience := setClaims(&req.Keys, provider.URL, claims)
	req.Keys.Set("aws:FederatedProvider", req.Principal.Provider)
	var policies policy.Policies
	if d := s.trusts(&req, &policies, role, a.name, &session); !d.Allowed {
		s.denied(ctx, &req, &policies, d)
		return nil, errNotTrusted
	}
	life, err := a.lifeOf(role, auth.Nobody)
	if err != nil {
		return nil, err
	}
	made, err := s.mint(role, a.name, life, session)
	if err != nil {
		return nil, err
	}
	return &webAssumed{made, audience, s.cfg.Identities.ProviderARN(provider.URL), claims.Subject}, nil
}

// claims proves a token: it is signed by a provider that the account knows, for a
// client that the provider was registered with, and it counts now.
func (s *Service) claims(ctx context.Context, token string) (*iam.Provider, *oidc.Claims, error) {
	issuer, err := oidc.Issuer(token)
	if err != nil {
		return nil, nil, invalidToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	url, ok := strings.CutPrefix(issuer, "https://")
	if !ok {
		return nil, nil, invalidToken("The token's issuer is not an https URL.")
	}
	provider, err := s.cfg.Identities.Provider(ctx, strings.TrimSuffix(url, "/"))
	if fault.Is(err, "NoSuchEntity") {
		return nil, nil, invalidToken("No OpenIDConnect provider found in your account for %s", clip(issuer))
	}
	if err != nil {
		return nil, nil, err
	}
	claims, err := s.cfg.Tokens.Verify(ctx, token, issuer)
	switch {
	case errors.Is(err, oidc.ErrExpired):
		return nil, nil, fault.New(http.StatusBadRequest, "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
	case errors.Is(err, oidc.ErrUnreachable):
		return nil, nil, fault.New(http.StatusBadRequest, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	case err != nil:
		return nil, nil, invalidToken("%w", err)
	}
	meant := claims.Audience
	if claims.Party != "" {
		meant = []string{claims.Party}
	}
	if !slices.ContainsFunc(meant, func(c string) bool { return slices.Contains(provider.Clients, c) }) {
		return nil, nil, invalidToken("Incorrect token audience")
	}
	return provider, claims, nil
}

// setClaims sets the condition keys of a provider's, which begin with its URL, and
// gives the audience.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
func setClaims(k *policy.Keys, url string, c *oidc.Claims) string {
	audience := c.Audience
	if c.Party != "" {
		k.Set(url+":oaud", c.Audience...)
		audience = []string{c.Party}
	}
	k.Set(url+":aud", audience...)
	k.Set(url+":sub", c.Subject)
	k.Set(url+":amr", c.Methods...)
	if len(audience) == 0 {
		return ""
	}
	return audience[0]
}

// Claims that carry session tags and a source identity.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
const (
	tagsClaim   = "https://aws.amazon.com/tags"
	sourceClaim = "https://aws.amazon.com/source_identity"
)

// add takes the tags and the source identity that a token carries into the wish.
func (w *wish) add(c *oidc.Claims) error {
	if raw, ok := c.Raw[sourceClaim]; ok {
		if err := json.Unmarshal(raw, &w.source); err != nil {
			return invalidToken("The claim %s is not a text.", sourceClaim)
		}
	}
	raw, ok := c.Raw[tagsClaim]
	if !ok {
		return nil
	}
	var tags struct {
		Principal  map[string][]string `json:"principal_tags"`
		Transitive []string            `json:"transitive_tag_keys"`
	}
	if err := json.Unmarshal(raw, &tags); err != nil {
		return invalidToken("The claim %s is malformed.", tagsClaim)
	}
	for k, v := range tags.Principal {
		if len(v) != 1 {
			return invalidToken("The tag %s in the token has not one value.", clip(k))
		}
		w.tags = append(w.tags, iam.Tag{Key: k, Value: v[0]})
	}
	w.transitive = tags.Transitive
	return nil
}
