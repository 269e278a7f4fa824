package bus

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

func (a api) createArchive(ctx context.Context, in *eventbridge.CreateArchiveInput) (*eventbridge.CreateArchiveOutput, error) {
	if str(in.KmsKeyIdentifier) != "" {
		return nil, unsupported("KmsKeyIdentifier")
	}
	ar, err := a.CreateArchive(ctx, Archive{
		Name: str(in.ArchiveName), Description: str(in.Description), Pattern: str(in.EventPattern), Days: int(aws.ToInt32(in.RetentionDays)),
	}, str(in.EventSourceArn))
	if err != nil {
		return nil, err
	}
	return &eventbridge.CreateArchiveOutput{ArchiveArn: aws.String(a.archiveARN(ar.Name)), CreationTime: &ar.Created, State: types.ArchiveStateEnabled}, nil
}

func (a api) describeArchive(ctx context.Context, in *eventbridge.DescribeArchiveInput) (*eventbridge.DescribeArchiveOutput, error) {
	ar, tally, err := a.Archive(ctx, str(in.ArchiveName))
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeArchiveOutput{
		ArchiveArn: aws.String(a.archiveARN(ar.Name)), ArchiveName: &ar.Name, Description: text(ar.Description), EventPattern: text(ar.Pattern),
		EventSourceArn: aws.String(a.busARN(ar.Bus)), RetentionDays: aws.Int32(int32(ar.Days)), CreationTime: &ar.Created,
		EventCount: tally.Events, SizeBytes: tally.Bytes, State: types.ArchiveStateEnabled,
	}, nil
}

func (a api) updateArchive(ctx context.Context, in *eventbridge.UpdateArchiveInput) (*eventbridge.UpdateArchiveOutput, error) {
	if str(in.KmsKeyIdentifier) != "" {
		return nil, unsupported("KmsKeyIdentifier")
	}
	ar, err := a.UpdateArchive(ctx, str(in.ArchiveName), in.Description, in.EventPattern, number(in.RetentionDays))
	if err != nil {
		return nil, err
	}
	return &eventbridge.UpdateArchiveOutput{ArchiveArn: aws.String(a.archiveARN(ar.Name)), CreationTime: &ar.Created, State: types.ArchiveStateEnabled}, nil
}

func (a api) deleteArchive(ctx context.Context, in *eventbridge.DeleteArchiveInput) (*eventbridge.DeleteArchiveOutput, error) {
	return nil, a.DeleteArchive(ctx, str(in.ArchiveName))
}

func (a api) listArchives(ctx context.Context, in *eventbridge.ListArchivesInput) (*eventbridge.ListArchivesOutput, error) {
	filters := 0
	for _, given := range []bool{in.NamePrefix != nil, in.EventSourceArn != nil, in.State != ""} {
		if given {
			filters++
		}
	}
	if filters > 1 {
		return nil, invalid("At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.")
	}
	q, err := listing(in.NamePrefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListArchivesOutput{Archives: []types.Archive{}}
	if in.State != "" && in.State != types.ArchiveStateEnabled {
		return out, nil // archives are in no other state
	}
	list, token, err := a.Archives(ctx, str(in.EventSourceArn), q)
	if err != nil {
		return nil, err
	}
	out.NextToken = text(token)
	for _, ar := range list {
		_, tally, err := a.Archive(ctx, ar.Name)
		if err != nil && !isCode(err, "ResourceNotFoundException") {
			return nil, err
		}
		out.Archives = append(out.Archives, types.Archive{
			ArchiveName: &ar.Name, EventSourceArn: aws.String(a.busARN(ar.Bus)), RetentionDays: aws.Int32(int32(ar.Days)), CreationTime: &ar.Created,
			EventCount: tally.Events, SizeBytes: tally.Bytes, State: types.ArchiveStateEnabled,
		})
	}
	return out, nil
}

func (a api) startReplay(ctx context.Context, in *eventbridge.StartReplayInput) (*eventbridge.StartReplayOutput, error) {
	to := in.Destination
	if to == nil || in.EventStartTime == nil || in.EventEndTime == nil {
		return nil, invalid("Parameters Destination, EventStartTime and EventEndTime must be specified.")
	}
	r, err := a.StartReplay(ctx, Replay{
		Name: str(in.ReplayName), Description: str(in.Description), From: *in.EventStartTime, Until: *in.EventEndTime,
	}, str(in.EventSourceArn), str(to.Arn), to.FilterArns)
	if err != nil {
		return nil, err
	}
	return &eventbridge.StartReplayOutput{ReplayArn: aws.String(a.replayARN(r.Name)), ReplayStartTime: &r.Started, State: types.ReplayState(r.State)}, nil
}

func (a api) describeReplay(ctx context.Context, in *eventbridge.DescribeReplayInput) (*eventbridge.DescribeReplayOutput, error) {
	r, err := a.ReplayOf(ctx, str(in.ReplayName))
	if err != nil {
		return nil, err
	}
	to := &types.ReplayDestination{Arn: aws.String(a.busARN(r.Bus))}
	for _, name := range r.Rules {
		to.FilterArns = append(to.FilterArns, a.ruleARN(r.Bus, name))
	}
	return &eventbridge.DescribeReplayOutput{
		ReplayArn: aws.String(a.replayARN(r.Name)), ReplayName: &r.Name, Description: text(r.Description), State: types.ReplayState(r.State),
		EventSourceArn: aws.String(a.archiveARN(r.Archive)), Destination: to, EventStartTime: &r.From, EventEndTime: &r.Until,
		ReplayStartTime: date(r.Started), ReplayEndTime: date(r.Ended), EventLastReplayedTime: date(r.Last),
	}, nil
}

func (a api) cancelReplay(ctx context.Context, in *eventbridge.CancelReplayInput) (*eventbridge.CancelReplayOutput, error) {
	r, err := a.CancelReplay(ctx, str(in.ReplayName))
	if err != nil {
		return nil, err
	}
	return &eventbridge.CancelReplayOutput{ReplayArn: aws.String(a.replayARN(r.Name)), State: types.ReplayState(r.State)}, nil
}

func (a api) listReplays(ctx context.Context, in *eventbridge.ListReplaysInput) (*eventbridge.ListReplaysOutput, error) {
	q, err := listing(in.NamePrefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, token, err := a.Replays(ctx, str(in.EventSourceArn), string(in.State), q)
	out := &eventbridge.ListReplaysOutput{Replays: []types.Replay{}, NextToken: text(token)}
	for _, r := range list {
		out.Replays = append(out.Replays, types.Replay{
			ReplayName: &r.Name, State: types.ReplayState(r.State), EventSourceArn: aws.String(a.archiveARN(r.Archive)), EventStartTime: &r.From,
			EventEndTime: &r.Until, ReplayStartTime: date(r.Started), ReplayEndTime: date(r.Ended), EventLastReplayedTime: date(r.Last),
		})
	}
	return out, err
}
