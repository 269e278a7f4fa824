package logs

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/mayfly-cloud/mayfly/internal/logs/pattern"
)

func (a api) putLogEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), "")
	if err != nil {
		return nil, err
	}
	list := make([]Event, len(in.LogEvents))
	for i, e := range in.LogEvents {
		if e.Timestamp == nil {
			return nil, constraint("null", "logEvents."+strconv.Itoa(i+1)+".member.timestamp", "Member must not be null")
		}
		list[i] = Event{Time: time.UnixMilli(*e.Timestamp), Message: aws.ToString(e.Message)}
	}
	no, err := a.put(ctx, group, aws.ToString(in.LogStreamName), list)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.PutLogEventsOutput{NextSequenceToken: aws.String(position{time: a.now()}.String())}
	if no != (rejected{-1, -1, -1}) {
		out.RejectedLogEventsInfo = &types.RejectedLogEventsInfo{
			ExpiredLogEventEndIndex: indexOf(no.expired), TooOldLogEventEndIndex: indexOf(no.tooOld), TooNewLogEventStartIndex: indexOf(no.tooNew),
		}
	}
	return out, nil
}

func (a api) getLogEvents(ctx context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), aws.ToString(in.LogGroupIdentifier))
	if err == nil {
		err = checkStream(aws.ToString(in.LogStreamName))
	}
	if err != nil {
		return nil, err
	}
	q := getQuery{from: aws.ToInt64(in.StartTime), to: forever, token: aws.ToString(in.NextToken), fromHead: aws.ToBool(in.StartFromHead)}
	if in.EndTime != nil {
		q.to = min(*in.EndTime, forever)
	}
	if q.limit, err = limitOf(in.Limit, maxEvents, maxEvents); err != nil {
		return nil, err
	}
	got, err := a.get(ctx, group, aws.ToString(in.LogStreamName), q)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.GetLogEventsOutput{
		Events: make([]types.OutputLogEvent, len(got.list)), NextForwardToken: &got.forward, NextBackwardToken: &got.backward,
	}
	for i := range got.list {
		e := &got.list[i]
		out.Events[i] = types.OutputLogEvent{Timestamp: &e.at.time, IngestionTime: &e.ingested, Message: &e.message}
	}
	return out, nil
}

func (a api) filterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), aws.ToString(in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	q := searchQuery{
		streams: in.LogStreamNames, prefix: aws.ToString(in.LogStreamNamePrefix), from: aws.ToInt64(in.StartTime), to: forever,
		token: aws.ToString(in.NextToken), backward: in.StartFromHead != nil && !*in.StartFromHead,
	}
	if in.EndTime != nil {
		q.to = min(*in.EndTime, forever-1) + 1
	}
	switch {
	case q.prefix != "" && len(q.streams) > 0:
		return nil, invalid("Cannot specify both logStreamNames and logStreamNamePrefix parameters.")
	case len(q.streams) > 100:
		return nil, constraint(len(q.streams), "logStreamNames", "Member must have length less than or equal to 100")
	case q.to <= q.from:
		return nil, invalid("endTime must not be before startTime.")
	}
	if q.pattern, err = parsePattern(in.FilterPattern); err != nil {
		return nil, err
	}
	if q.limit, err = limitOf(in.Limit, maxEvents, maxEvents); err != nil {
		return nil, err
	}
	list, token, err := a.search(ctx, group, q)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.FilterLogEventsOutput{
		Events: make([]types.FilteredLogEvent, len(list)), NextToken: optional(token), SearchedLogStreams: []types.SearchedLogStream{},
	}
	for i := range list {
		e := &list[i]
		out.Events[i] = types.FilteredLogEvent{
			EventId: aws.String(e.at.String()), LogStreamName: &e.stream, Timestamp: &e.at.time, IngestionTime: &e.ingested, Message: &e.message,
		}
	}
	return out, nil
}

func (a api) testMetricFilter(_ context.Context, in *cloudwatchlogs.TestMetricFilterInput) (*cloudwatchlogs.TestMetricFilterOutput, error) {
	p, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	if n := len(in.LogEventMessages); n == 0 || n > 50 {
		return nil, constraint(n, "logEventMessages", "Member must have length between 1 and 50")
	}
	out := &cloudwatchlogs.TestMetricFilterOutput{Matches: []types.MetricFilterMatchRecord{}}
	for i, m := range in.LogEventMessages {
		if p.Match(m) {
			out.Matches = append(out.Matches, types.MetricFilterMatchRecord{EventNumber: int64(i + 1), EventMessage: &m, ExtractedValues: map[string]string{}})
		}
	}
	return out, nil
}

func (a api) describeMetricFilters(context.Context, *cloudwatchlogs.DescribeMetricFiltersInput) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	return &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: []types.MetricFilter{}}, nil
}

func (a api) describeSubscriptionFilters(ctx context.Context, in *cloudwatchlogs.DescribeSubscriptionFiltersInput) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
	if _, err := a.group(ctx, aws.ToString(in.LogGroupName)); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{SubscriptionFilters: []types.SubscriptionFilter{}}, nil
}

func parsePattern(text *string) (*pattern.Pattern, error) {
	p, err := pattern.Parse(aws.ToString(text))
	if err != nil {
		return nil, invalid("%v", err)
	}
	return p, nil
}

// limitOf checks the number of items asked for; absent is the usual one.
func limitOf(n *int32, usual, most int) (int, error) {
	if n == nil {
		return usual, nil
	}
	if *n < 1 || int(*n) > most {
		return 0, constraint(*n, "limit", "Member must have value between 1 and "+strconv.Itoa(most))
	}
	return int(*n), nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func indexOf(n int) *int32 {
	if n < 0 {
		return nil
	}
	return aws.Int32(int32(n))
}
