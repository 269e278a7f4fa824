// Package iamtest is identity management as it stands in a node, for tests: a store in
// memory, root and session keys, IAM and STS behind one HTTP server that checks
// signatures and asks the access tables as the gateway does.
package iamtest
