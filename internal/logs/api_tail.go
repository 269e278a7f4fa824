package logs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) startLiveTail(ctx context.Context, in *cloudwatchlogs.StartLiveTailInput, stream *wire.EventStream[cloudwatchlogs.StartLiveTailOutput]) error {
	q := tailQuery{streams: in.LogStreamNames, prefixes: in.LogStreamNamePrefixes}
	if n := len(in.LogGroupIdentifiers); n == 0 || n > 10 {
		return constraint(n, "logGroupIdentifiers", "Member must have length between 1 and 10")
	}
	if len(q.streams)+len(q.prefixes) > 0 && len(in.LogGroupIdentifiers) > 1 {
		return invalid("Log streams can only be specified for a single log group.")
	}
	for _, identifier := range in.LogGroupIdentifiers {
		group, err := a.groupOf("", identifier)
		if err != nil {
			return err
		}
		if _, err := a.group(ctx, group); err != nil {
			return err
		}
		q.groups = append(q.groups, group)
	}
	var err error
	if q.pattern, err = parsePattern(in.LogEventFilterPattern); err != nil {
		return err
	}
	t, err := a.beginTail(ctx, q) // before the start is sent: whoever has seen it misses nothing
	if err != nil {
		return err
	}
	session := id.UUID()
	err = stream.Send(&types.StartLiveTailResponseStreamMemberSessionStart{Value: types.LiveTailSessionStart{
		SessionId: &session, RequestId: &session, LogGroupIdentifiers: in.LogGroupIdentifiers, LogStreamNames: in.LogStreamNames,
		LogStreamNamePrefixes: in.LogStreamNamePrefixes, LogEventFilterPattern: in.LogEventFilterPattern,
	}})
	if err != nil {
		return err
	}
	return a.tail(ctx, q, t, func(list []shown, sampled bool) error {
		update := types.LiveTailSessionUpdate{
			SessionMetadata: &types.LiveTailSessionMetadata{Sampled: sampled}, SessionResults: make([]types.LiveTailSessionLogEvent, len(list)),
		}
		for i := range list {
			e := &list[i]
			update.SessionResults[i] = types.LiveTailSessionLogEvent{
				LogGroupIdentifier: aws.String(a.cfg.Account + ":" + e.group), LogStreamName: &e.stream,
				Message: &e.message, Timestamp: &e.at.time, IngestionTime: &e.ingested,
			}
		}
		return stream.Send(&types.StartLiveTailResponseStreamMemberSessionUpdate{Value: update})
	})
}
