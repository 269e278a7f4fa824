// Package auth finds out who is calling: it verifies AWS Signature Version 4
// the way AWS's own services do, keeps the account's root credentials, and mints
// temporary credentials: those that functions run under, and those that the security
// token service issues. What a session carries is sealed into its token.
//
// A request is verified in three steps, because the first tells the gateway which
// service is meant, the second says whether the body is worth reading, and the third
// needs the body:
//
//	Parse(r)                what the request claims: key, scope, date, signature
//	Verifier.Admit          is it meant for us, now, by a key we know?
//	Admission.Verify        is it true? for services whose body is read whole
//	Admission.Open          the same for S3, whose body is checked as it is read
//
// # What is refused
//
// Every refusal is a *Refusal, which each protocol family answers with its own
// code and status (Dialect). Refused are: a request without a signature, one that
// cannot be parsed, a scope of another region or service, an unknown key, a session
// token that is forged, expired, revoked or another key's, a date too far from the
// clock, a presigned URL past its end, and a signature that does not match because
// anything under it (method, path, query, signed headers, body) was changed.
// X-Amz-* headers must be under the signature, so none can be added either.
//
// # Replays
//
// A replay is refused by its date and nothing else, as AWS does it: the same signed
// bytes sent again within the window (five minutes either way, fifteen for S3, the
// chosen life of a presigned URL) are the same request and are accepted again.
// Retries of SDKs and load balancers depend on it; what must happen once
// carries a token of its own (ClientToken, IfMatch, RevisionId). Outside
// the window no replay is accepted, and inside it nothing of the request can differ.
//
// # Canonical form
//
// The path is encoded once more than it was sent, except for S3, where it is brought
// to its one encoding. A path with empty or dot segments is verified as sent,
// and as RFC 3986 normalises it, because signers differ: the second answers only for
// the normalised path, which is then left in the request. Header values are
// joined with commas, trimmed, and runs of spaces become one. Query parameters are
// sorted by encoded name, then by encoded value, duplicates kept.
//
// Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html,
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
package auth
