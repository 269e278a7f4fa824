package bus

import (
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/schemas"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into its
// outputs.
type api struct{ *Service }

// API lists EventBridge's operations: those served, and those AWS has and this node has
// not, whose callers are told so.
func (s *Service) API() wire.API {
	a := api{s}
	return wire.API{
		Service:   "events",
		Protocols: []wire.Protocol{wire.JSON11},
		Target:    "AWSEvents",
		Errors:    eventbridge.TypeRegistry,
		Access:    a.access(),
		Absent:    absent,
		Operations: []wire.Operation{
			wire.Op(schemas.CreateEventBus, a.createEventBus),
			wire.Op(schemas.DescribeEventBus, a.describeEventBus),
			wire.Op(schemas.UpdateEventBus, a.updateEventBus),
			wire.Op(schemas.DeleteEventBus, a.deleteEventBus),
			wire.Op(schemas.ListEventBuses, a.listEventBuses),
			wire.Op(schemas.PutPermission, a.putPermission),
			wire.Op(schemas.RemovePermission, a.removePermission),

			wire.Op(schemas.PutEvents, a.putEvents),
			wire.Op(schemas.TestEventPattern, a.testEventPattern),

			wire.Op(schemas.PutRule, a.putRule),
			wire.Op(schemas.DescribeRule, a.describeRule),
			wire.Op(schemas.EnableRule, a.enableRule),
			wire.Op(schemas.DisableRule, a.disableRule),
			wire.Op(schemas.DeleteRule, a.deleteRule),
			wire.Op(schemas.ListRules, a.listRules),
			wire.Op(schemas.ListRuleNamesByTarget, a.listRuleNamesByTarget),
			wire.Op(schemas.PutTargets, a.putTargets),
			wire.Op(schemas.RemoveTargets, a.removeTargets),
			wire.Op(schemas.ListTargetsByRule, a.listTargetsByRule),
			wire.Op(schemas.TagResource, a.tagResource),
			wire.Op(schemas.UntagResource, a.untagResource),
			wire.Op(schemas.ListTagsForResource, a.listTagsForResource),

			wire.Op(schemas.CreateArchive, a.createArchive),
			wire.Op(schemas.DescribeArchive, a.describeArchive),
			wire.Op(schemas.UpdateArchive, a.updateArchive),
			wire.Op(schemas.DeleteArchive, a.deleteArchive),
			wire.Op(schemas.ListArchives, a.listArchives),
			wire.Op(schemas.StartReplay, a.startReplay),
			wire.Op(schemas.DescribeReplay, a.describeReplay),
			wire.Op(schemas.CancelReplay, a.cancelReplay),
			wire.Op(schemas.ListReplays, a.listReplays),

			wire.Op(schemas.CreateConnection, a.createConnection),
			wire.Op(schemas.DescribeConnection, a.describeConnection),
			wire.Op(schemas.UpdateConnection, a.updateConnection),
			wire.Op(schemas.DeauthorizeConnection, a.deauthorizeConnection),
			wire.Op(schemas.DeleteConnection, a.deleteConnection),
			wire.Op(schemas.ListConnections, a.listConnections),
			wire.Op(schemas.CreateApiDestination, a.createAPIDestination),
			wire.Op(schemas.DescribeApiDestination, a.describeAPIDestination),
			wire.Op(schemas.UpdateApiDestination, a.updateAPIDestination),
			wire.Op(schemas.DeleteApiDestination, a.deleteAPIDestination),
			wire.Op(schemas.ListApiDestinations, a.listAPIDestinations),
		},
	}
}

// absent are the operations that are not here.
var absent = []*smithy.Schema{
	schemas.ActivateEventSource, schemas.CreatePartnerEventSource, schemas.DeactivateEventSource, schemas.DeletePartnerEventSource,
	schemas.DescribeEventSource, schemas.DescribePartnerEventSource, schemas.ListEventSources, schemas.ListPartnerEventSourceAccounts,
	schemas.ListPartnerEventSources, schemas.PutPartnerEvents,
	schemas.CreateEndpoint, schemas.DeleteEndpoint, schemas.DescribeEndpoint, schemas.ListEndpoints, schemas.UpdateEndpoint,
}

// text makes an optional text of an output: nil for an empty one.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// listing reads what all listings take.
func listing(prefix, token *string, limit *int32) (Listing, error) {
	q := Listing{Prefix: str(prefix), Token: str(token), Limit: 100}
	if limit != nil {
		if *limit < 1 || *limit > 100 {
			return q, violates(*limit, "limit", "Member must have a value between 1 and 100")
		}
		q.Limit = int(*limit)
	}
	return q, nil
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
