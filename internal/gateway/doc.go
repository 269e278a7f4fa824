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
//	Authorizer      may they do this?
//	wire  Decode    the SDK's input, Serve, and the answer or the fault
//
// A request that nobody signed ends at the first step in the protocol it seems
// to speak, which X-Amz-Target and the content type tell.
//
// What is wrong with a request is answered as AWS's service would answer it. What is wrong
// with us is answered as InternalFailure and logged once, under the request
// id that the answer carries.
package gateway
