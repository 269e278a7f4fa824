// Package oidc verifies the identity tokens of OpenID Connect providers: JWTs signed
// with keys that the issuer publishes. It says what a token claims once that is proven;
// whom to trust is for the caller to say.
//
// Keys are fetched over HTTPS by the issuer's discovery document, within limits of time
// and size, and kept for an hour. A key that is not known has them fetched again, once
// a minute at most for each issuer, and one that cannot be reached is asked again after
// five seconds, so that strangers cannot have it hammered. The issuer's certificate must
// be one the machine trusts; thumbprints are not looked at.
//
// Sources: https://openid.net/specs/openid-connect-discovery-1_0.html,
// https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
package oidc
