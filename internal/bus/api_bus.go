package bus

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// date is an optional time of an output.
func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func queueOf(c *types.DeadLetterConfig) string {
	if c == nil {
		return ""
	}
	return str(c.Arn)
}

func deadLetter(queue string) *types.DeadLetterConfig {
	if queue == "" {
		return nil
	}
	return &types.DeadLetterConfig{Arn: &queue}
}

// refuseBus refuses what a bus can have with AWS and not here.
func refuseBus(source, key *string, log *types.LogConfig) error {
	switch {
	case str(source) != "":
		return unsupported("EventSourceName")
	case str(key) != "":
		return unsupported("KmsKeyIdentifier")
	case log != nil && log.Level != "" && log.Level != types.LevelOff:
		return unsupported("LogConfig")
	}
	return nil
}

func (a api) createEventBus(ctx context.Context, in *eventbridge.CreateEventBusInput) (*eventbridge.CreateEventBusOutput, error) {
	if err := refuseBus(in.EventSourceName, in.KmsKeyIdentifier, in.LogConfig); err != nil {
		return nil, err
	}
	b, err := a.CreateBus(ctx, Bus{Name: str(in.Name), Description: str(in.Description), DeadLetter: queueOf(in.DeadLetterConfig)}, tagsOf(in.Tags))
	if err != nil {
		return nil, err
	}
	return &eventbridge.CreateEventBusOutput{
		EventBusArn: aws.String(a.busARN(b.Name)), Description: text(b.Description), DeadLetterConfig: deadLetter(b.DeadLetter),
	}, nil
}

func (a api) describeEventBus(ctx context.Context, in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
	b, err := a.Bus(ctx, str(in.Name))
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeEventBusOutput{
		Arn: aws.String(a.busARN(b.Name)), Name: &b.Name, Description: text(b.Description), Policy: text(b.Policy),
		CreationTime: date(b.Created), LastModifiedTime: date(b.Changed), DeadLetterConfig: deadLetter(b.DeadLetter),
	}, nil
}

func (a api) updateEventBus(ctx context.Context, in *eventbridge.UpdateEventBusInput) (*eventbridge.UpdateEventBusOutput, error) {
	if err := refuseBus(nil, in.KmsKeyIdentifier, in.LogConfig); err != nil {
		return nil, err
	}
	b, err := a.ChangeBus(ctx, str(in.Name), func(b *Bus) error {
		set(&b.Description, in.Description)
		if in.DeadLetterConfig != nil {
			b.DeadLetter = queueOf(in.DeadLetterConfig)
		}
		return checkDescription(b.Description)
	})
	if err != nil {
		return nil, err
	}
	return &eventbridge.UpdateEventBusOutput{
		Arn: aws.String(a.busARN(b.Name)), Name: &b.Name, Description: text(b.Description), DeadLetterConfig: deadLetter(b.DeadLetter),
	}, nil
}

func (a api) deleteEventBus(ctx context.Context, in *eventbridge.DeleteEventBusInput) (*eventbridge.DeleteEventBusOutput, error) {
	return nil, a.DeleteBus(ctx, str(in.Name))
}

func (a api) listEventBuses(ctx context.Context, in *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
	q, err := listing(in.NamePrefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, token, err := a.Buses(ctx, q)
	out := &eventbridge.ListEventBusesOutput{EventBuses: []types.EventBus{}, NextToken: text(token)}
	for _, b := range list {
		out.EventBuses = append(out.EventBuses, types.EventBus{
			Arn: aws.String(a.busARN(b.Name)), Name: &b.Name, Description: text(b.Description), Policy: text(b.Policy),
			CreationTime: date(b.Created), LastModifiedTime: date(b.Changed),
		})
	}
	return out, err
}

func (a api) putPermission(ctx context.Context, in *eventbridge.PutPermissionInput) (*eventbridge.PutPermissionOutput, error) {
	if in.Policy != nil {
		if in.Action != nil || in.Principal != nil || in.StatementId != nil || in.Condition != nil {
			return nil, invalid("Parameter Policy can't be given together with Action, Principal, StatementId or Condition.")
		}
		return nil, a.SetPolicy(ctx, str(in.EventBusName), *in.Policy)
	}
	p := Permission{Sid: str(in.StatementId), Principal: str(in.Principal), Action: str(in.Action)}
	if c := in.Condition; c != nil {
		if str(c.Type) != "StringEquals" || str(c.Key) != "aws:PrincipalOrgID" || str(c.Value) == "" {
			return nil, invalid("Parameter Condition is not valid. Reason: only StringEquals of aws:PrincipalOrgID is supported.")
		}
		p.Organization = *c.Value
	}
	return nil, a.Permit(ctx, str(in.EventBusName), p)
}

func (a api) removePermission(ctx context.Context, in *eventbridge.RemovePermissionInput) (*eventbridge.RemovePermissionOutput, error) {
	return nil, a.Forbid(ctx, str(in.EventBusName), str(in.StatementId), in.RemoveAllPermissions)
}

func tagsOf(list []types.Tag) []Tag {
	tags := make([]Tag, len(list))
	for i, t := range list {
		tags[i] = Tag{str(t.Key), str(t.Value)}
	}
	return tags
}

func (a api) tagResource(ctx context.Context, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	return nil, a.ChangeTags(ctx, str(in.ResourceARN), tagsOf(in.Tags), nil)
}

func (a api) untagResource(ctx context.Context, in *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error) {
	return nil, a.ChangeTags(ctx, str(in.ResourceARN), nil, in.TagKeys)
}

func (a api) listTagsForResource(ctx context.Context, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
	tags, err := a.Tags(ctx, str(in.ResourceARN))
	out := &eventbridge.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, t := range tags {
		out.Tags = append(out.Tags, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return out, err
}
