// Package gateway is the front door: one HTTP handler that gives every request
// an id and a span, finds out which service and operation are meant and who is
// calling, asks whether they may, and hands the decoded input to the operation.
//
// The service is told, in this order, by the host (function URLs, buckets), the
// credential scope of the signature, the X-Amz-Target header, the path. Pages of
// Mayfly's own live under /_mayfly/.
package gateway
