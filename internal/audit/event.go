package audit

import (
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// Event is one request and its outcome, as the trail is told of it.
type Event struct {
	RequestID string
	// Time is when the request arrived.
	Time      time.Time
	Principal auth.Principal
	// Service is the signing name ("lambda"; "mayfly" for Mayfly's own pages),
	// Operation the operation's ("CreateFunction").
	Service, Operation string
	// SourceIP is the caller's address, UserAgent what it says it is.
	SourceIP, UserAgent string
	Region              string
	// ReadOnly is set for operations that change nothing.
	ReadOnly bool
	// Resources are ARNs of what the request was about.
	Resources []string
	// ErrorCode and ErrorMessage are what the caller was answered; empty where it
	// went well.
	ErrorCode, ErrorMessage string
	// Denial is why the caller was refused permission; nil if it was not.
	Denial *Denial
}

// Denial is a refusal and what it was decided by. What it points to must not change.
type Denial struct {
	Request  policy.Request
	Policies policy.Policies
	Decision policy.Decision
}

// Kind is what sort of event something is. Each is kept in its own measure.
type Kind string

// The kinds of events.
const (
	Change  Kind = "change"
	Read    Kind = "read"
	Refused Kind = "refusal"
)

// kinds are all of them.
var kinds = []Kind{Change, Read, Refused}

// kind says what sort of event e is; ok is false if it is not for the trail.
func (e *Event) kind() (k Kind, ok bool) {
	switch {
	case e.Denial != nil:
		return Refused, true
	case isData(e.Service, e.Operation):
		return "", false
	case e.ReadOnly:
		return Read, true
	}
	return Change, true
}

// waits says whether e has to be durable before its caller is answered.
func (e *Event) waits(k Kind) bool { return k != Read || handedOut[e.Service][e.Operation] }

// size is about what e takes in memory.
func (e *Event) size() int {
	n := 1024 + len(e.UserAgent) + len(e.ErrorMessage) + len(e.RequestID)
	for _, r := range e.Resources {
		n += len(r)
	}
	if e.Denial != nil {
		n += 4096
	}
	return n
}
