package gateway

import (
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// Auditor keeps who asked for what, and what became of it.
type Auditor interface {
	// Record takes one event: one for each request whose caller is known, whatever
	// its outcome, once that is decided, and one for each that needs no signature.
	// It is called on the request's own goroutine, by many at once, and must not
	// wait: what cannot be kept is counted and said by the Auditor, for the request
	// is served. The event is the Auditor's own; what it points to never changes.
	Record(AuditEvent)
}

// AuditEvent is one request and its outcome.
type AuditEvent struct {
	RequestID string
	// Time is when the request arrived.
	Time      time.Time
	Principal auth.Principal
	// Service is the signing name ("lambda"; "mayfly" for pages), Operation the
	// operation's ("CreateFunction").
	Service, Operation string
	// SourceIP is the caller's address as text, UserAgent what it says it is.
	SourceIP, UserAgent string
	Region              string
	// ReadOnly is set for operations that change nothing.
	ReadOnly bool
	// Resources are the ARNs that permission was asked for; none for "*".
	Resources []string
	// ErrorCode and ErrorMessage are what the caller was answered, in its protocol's
	// words; empty where the operation went well.
	ErrorCode, ErrorMessage string
	// Denial is why the caller was refused permission; nil if it was not.
	Denial *Denial
}

// Denial is a refusal with everything that it was decided by, so that policy.Explain
// can tell at any later time why:
//
//	policy.Explain(&d.Request, &d.Policies)
type Denial struct {
	Request  policy.Request
	Policies policy.Policies
	Decision policy.Decision
}
