package logs

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into
// its outputs.
type api struct{ *Service }

// API lists CloudWatch Logs' operations.
func (s *Service) API() wire.API {
	a := api{s}
	return wire.API{
		Service:   "logs",
		Protocols: []wire.Protocol{wire.JSON11, wire.CBOR},
		Target:    "Logs_20140328",
		Errors:    cloudwatchlogs.TypeRegistry,
		Unions: []wire.Union{wire.Variants[types.StartLiveTailResponseStream](
			&types.StartLiveTailResponseStreamMemberSessionStart{},
			&types.StartLiveTailResponseStreamMemberSessionUpdate{},
		)},
		Operations: []wire.Operation{
			wire.Op(schemas.CreateLogGroup, a.createLogGroup),
			wire.Op(schemas.DeleteLogGroup, a.deleteLogGroup),
			wire.Op(schemas.DescribeLogGroups, a.describeLogGroups),
			wire.Op(schemas.PutLogGroupDeletionProtection, a.putDeletionProtection),
			wire.Op(schemas.PutRetentionPolicy, a.putRetentionPolicy),
			wire.Op(schemas.DeleteRetentionPolicy, a.deleteRetentionPolicy),

			wire.Op(schemas.TagResource, a.tagResource),
			wire.Op(schemas.UntagResource, a.untagResource),
			wire.Op(schemas.ListTagsForResource, a.listTagsForResource),
			wire.Op(schemas.TagLogGroup, a.tagLogGroup),
			wire.Op(schemas.UntagLogGroup, a.untagLogGroup),
			wire.Op(schemas.ListTagsLogGroup, a.listTagsLogGroup),

			wire.Op(schemas.CreateLogStream, a.createLogStream),
			wire.Op(schemas.DeleteLogStream, a.deleteLogStream),
			wire.Op(schemas.DescribeLogStreams, a.describeLogStreams),

			wire.Op(schemas.PutLogEvents, a.putLogEvents),
			wire.Op(schemas.GetLogEvents, a.getLogEvents),
			wire.Op(schemas.FilterLogEvents, a.filterLogEvents),
			wire.Stream(schemas.StartLiveTail, a.startLiveTail),
			wire.Op(schemas.TestMetricFilter, a.testMetricFilter),

			wire.Op(schemas.DescribeMetricFilters, a.describeMetricFilters),
			wire.Op(schemas.DescribeSubscriptionFilters, a.describeSubscriptionFilters),
		},
		Access: a.access(),
	}
}
