package gateway

import (
	"context"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

// Auditor keeps who asked for what, and what became of it.
type Auditor interface {
	// Record takes one event: one for each request whose caller is known, whatever
	// its outcome, once that is decided; one for each that needs no signature; and
	// one for each call of a function's URL that was refused permission.
	// It is called on the request's own goroutine, by many at once, and may wait a
	// little for what must not be lost, changes and refusals: their callers wait too.
	// What cannot be kept is counted and said by the Auditor, for the request is
	// served. The event is the Auditor's own; what it points to never changes.
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

// audit hands a request that has ended, well or with err, to the audit trail.
func (g *Gateway) audit(ctx context.Context, w *answer, err error) {
	v := &w.visit
	if g.cfg.Audit == nil || !v.known && v.denial == nil {
		return
	}
	e := AuditEvent{
		RequestID: id.Request(ctx), Time: v.at, Principal: v.principal, Service: v.service, Operation: v.operation,
		SourceIP: v.sourceIP(), UserAgent: v.r.UserAgent(), Region: g.cfg.Region, ReadOnly: readOnly(v.operation),
		Resources: v.resources, Denial: v.denial,
	}
	if err == nil && v.denial != nil { // a site answers by itself
		err = fault.New(w.status, accessDenied, "%s", v.denial.Decision.Message(&v.denial.Request))
	}
	if err != nil && !(w.begun() && isConnection(err)) {
		f := fault.As(inDialect(err, w.protocol(v.r)))
		e.ErrorCode, e.ErrorMessage = f.Code, f.Message
	}
	g.cfg.Audit.Record(e)
}

// reading are the first words of operations that change nothing.
var reading = []string{"Get", "List", "Describe", "BatchGet", "Head", "Lookup", "Filter", "Simulate", "Test", "Validate", "Query", "Scan"}

// alsoReading change nothing either, as CloudTrail has it: what is made is not kept.
var alsoReading = map[string]bool{
	"AssumeRole": true, "AssumeRoleWithWebIdentity": true, "StartLiveTail": true,
	"Decrypt": true, "Encrypt": true, "ReEncrypt": true, "GenerateDataKey": true, "GenerateDataKeyWithoutPlaintext": true, "GenerateRandom": true,
}

func readOnly(operation string) bool {
	for _, word := range reading {
		if strings.HasPrefix(operation, word) {
			return true
		}
	}
	return alsoReading[operation]
}
