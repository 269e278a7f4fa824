// Package access is how a service says what a caller must be allowed to do before
// one of its operations runs. Every service lists, next to its operations, the
// action, the resources and the condition keys of each, in a Table of its own; the
// gateway asks for what the table says, and serves no operation that is not in it.
//
// The names are AWS's:
// https://docs.aws.amazon.com/service-authorization/latest/reference/
package access
