// Package sts is the Security Token Service: it makes temporary credentials of roles,
// for users and for whoever an identity provider vouches for, and says who is calling.
//
// A role is assumed if its trust policy and the caller's own policies allow it, by the
// rules of resource policies. Passing tags or a source identity asks for a permission
// of its own (sts:TagSession, sts:SetSourceIdentity). Credentials carry all that the
// session was made with, sealed into their token; how much that may be is reported
// as PackedPolicySize and bounded.
//
// Not here: AssumeRoleWithSAML, AssumeRoot, DecodeAuthorizationMessage (refusals are
// in plain words), tokens for other clouds, MFA codes (a request with one is refused),
// contexts of identity centers, roles of other accounts.
//
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/
package sts
