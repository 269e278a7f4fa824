package logs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func (a api) createLogStream(ctx context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), "")
	if err != nil {
		return nil, err
	}
	return nil, a.createStream(ctx, group, aws.ToString(in.LogStreamName))
}

func (a api) deleteLogStream(ctx context.Context, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), "")
	if err == nil {
		err = checkStream(aws.ToString(in.LogStreamName))
	}
	if err != nil {
		return nil, err
	}
	return nil, a.deleteStream(ctx, group, aws.ToString(in.LogStreamName))
}

func (a api) describeLogStreams(ctx context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), aws.ToString(in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 50, 50)
	if err != nil {
		return nil, err
	}
	list, token, err := a.listStreams(ctx, group, streamQuery{
		prefix: aws.ToString(in.LogStreamNamePrefix), byTime: in.OrderBy == types.OrderByLastEventTime,
		descending: aws.ToBool(in.Descending), limit: limit, token: aws.ToString(in.NextToken),
	})
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: optional(token)}
	for _, st := range list {
		d := types.LogStream{
			LogStreamName: &st.Name, Arn: aws.String(a.streamARN(group, st.Name)), CreationTime: &st.Created,
			StoredBytes: aws.Int64(0), UploadSequenceToken: aws.String(position{time: st.LastIngestion}.String()),
		}
		if st.LastIngestion > 0 {
			d.FirstEventTimestamp, d.LastEventTimestamp, d.LastIngestionTime = &st.First, &st.Last, &st.LastIngestion
		}
		out.LogStreams = append(out.LogStreams, d)
	}
	return out, nil
}
