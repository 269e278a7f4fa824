// Package gateway is the front door: one HTTP handler that gives every request
// an id and a span, finds out which service and operation are meant and who is
// calling, asks whether they may, and hands the decoded input to the operation.
//
// A request goes one of three ways, told in this order:
//
//	a host of its own       a site (Site): function URLs, later buckets
//	/_mayfly/...            a page of Mayfly's own (Page); no bucket can have that name
//	anything else           an operation of an AWS API
//
// and an operation goes through
//
//	auth.Parse      the credential scope of the signature names the service
//	wire  Match     the operation, from X-Amz-Target, the form or the path
//	auth  Admit     is it meant for us, now, by a key we know? only then:
//	read            the body, within a limit of size and time
//	auth  Verify    who is calling
//	wire  Decode    the SDK's input
//	Permissions     may they do this? the operation's access.Rule says what "this" is
//	wire  Serve     and the answer or the fault
//	Auditor         who asked for what, and what became of it
//
// A request that nobody signed ends at the first step in the protocol it seems
// to speak, which X-Amz-Target and the content type tell; unless its operation needs
// no signature, because what it is sent says who calls.
//
// # Who may do what
//
// Nothing runs that was not asked about here. A service says in a table next to its
// operations what each asks of its caller (package access), and an API with an
// operation that isn't in it does not start. Permissions puts together the caller's
// policies, those of the resources, and the circumstances, and package iam/policy
// decides. Whatever is not allowed is denied; the account's root user is refused
// only by the policies of resources. Functions' URLs authenticate by themselves
// and ask the same Permissions.
//
// Of AWS's global condition keys, those about organizations, VPCs and devices (MFA) are
// never there, and aws:CalledVia is not either, for no service calls another in a
// caller's name. aws:SecureTransport is true for TLS alone, wherever the caller is.
//
// What is wrong with a request is answered as AWS's service would answer it. What is wrong
// with us is answered as InternalFailure and logged once, under the request
// id that the answer carries.
package gateway
