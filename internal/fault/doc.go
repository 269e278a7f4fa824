// Package fault is the one error a caller of Mayfly's API ever sees: an AWS
// error code, its HTTP status and a message, as AWS's services answer them.
//
// Services return *fault.Error (or an error that wraps one) for everything the
// caller can act on; any other error is a fault of ours and is answered as
// InternalFailure, its text kept out of the answer and written to our own log. A
// full disk alone is named, since whoever runs the node can make room.
// The wire package renders the fault in the protocol of the request.
package fault
