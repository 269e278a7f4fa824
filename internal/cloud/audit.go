package cloud

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/audit"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
)

// openAudit opens the audit trail.
func (n *Node) openAudit(context.Context) error {
	n.audit = audit.New(audit.Config{
		Store: n.store, Account: n.root.Account(), Region: n.cfg.Region, MaxEvents: n.cfg.AuditEvents, Clock: clock.System, Log: n.cfg.Log,
	})
	n.run("audit trail", n.audit.Run)
	return nil
}

// auditor is the audit trail as the gateway sees it.
type auditor struct{ *audit.Trail }

func (a auditor) Record(e gateway.AuditEvent) {
	a.Trail.Record(audit.Event{
		RequestID: e.RequestID, Time: e.Time, Principal: e.Principal, Service: e.Service, Operation: e.Operation,
		SourceIP: e.SourceIP, UserAgent: e.UserAgent, Region: e.Region, ReadOnly: e.ReadOnly, Resources: e.Resources,
		ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorMessage, Denial: (*audit.Denial)(e.Denial),
	})
}
