package logs

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func (a api) createLogGroup(ctx context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	if in.KmsKeyId != nil {
		return nil, invalid("kmsKeyId is not supported: this node has no encryption keys.")
	}
	if in.LogGroupClass != "" && !slices.Contains(in.LogGroupClass.Values(), in.LogGroupClass) {
		return nil, constraint(in.LogGroupClass, "logGroupClass", "Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]")
	}
	return nil, a.createGroup(ctx, &Group{
		Name: aws.ToString(in.LogGroupName), Class: string(in.LogGroupClass),
		Protected: aws.ToBool(in.DeletionProtectionEnabled), Tags: in.Tags,
	})
}

func (a api) deleteLogGroup(ctx context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), "")
	if err != nil {
		return nil, err
	}
	return nil, a.deleteGroup(ctx, group)
}

func (a api) describeLogGroups(ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePattern != nil && in.LogGroupNamePrefix != nil {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	limit, err := limitOf(in.Limit, 50, 50)
	if err != nil {
		return nil, err
	}
	q := groupQuery{
		prefix: aws.ToString(in.LogGroupNamePrefix), pattern: aws.ToString(in.LogGroupNamePattern),
		class: string(in.LogGroupClass), limit: limit, token: aws.ToString(in.NextToken),
	}
	for _, id := range in.LogGroupIdentifiers {
		group, err := a.groupOf("", id)
		if err != nil {
			return nil, err
		}
		q.names = append(q.names, group)
	}
	list, token, err := a.listGroups(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}, NextToken: optional(token)}
	for _, h := range list {
		arn := a.groupARN(h.Name)
		g := types.LogGroup{
			LogGroupName: &h.Name, LogGroupArn: &arn, Arn: aws.String(arn + ":*"), CreationTime: &h.Created,
			LogGroupClass: types.LogGroupClass(h.Class), StoredBytes: &h.bytes, MetricFilterCount: aws.Int32(0),
			DeletionProtectionEnabled: &h.Protected,
		}
		if h.Retention > 0 {
			g.RetentionInDays = aws.Int32(int32(h.Retention))
		}
		out.LogGroups = append(out.LogGroups, g)
	}
	return out, nil
}

func (a api) putDeletionProtection(ctx context.Context, in *cloudwatchlogs.PutLogGroupDeletionProtectionInput) (*cloudwatchlogs.PutLogGroupDeletionProtectionOutput, error) {
	group, err := a.groupOf("", aws.ToString(in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	return nil, a.changeGroup(ctx, group, func(g *Group) error {
		g.Protected = aws.ToBool(in.DeletionProtectionEnabled)
		return nil
	})
}

func (a api) putRetentionPolicy(ctx context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), "")
	if err != nil {
		return nil, err
	}
	days := int(aws.ToInt32(in.RetentionInDays))
	if days == 0 {
		days = -1 // absent, or no period: refused below
	}
	return nil, a.setRetention(ctx, group, days)
}

func (a api) deleteRetentionPolicy(ctx context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	group, err := a.groupOf(aws.ToString(in.LogGroupName), "")
	if err != nil {
		return nil, err
	}
	return nil, a.setRetention(ctx, group, 0)
}

func (a api) tagResource(ctx context.Context, in *cloudwatchlogs.TagResourceInput) (*cloudwatchlogs.TagResourceOutput, error) {
	group, err := a.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, a.tag(ctx, group, in.Tags)
}

func (a api) untagResource(ctx context.Context, in *cloudwatchlogs.UntagResourceInput) (*cloudwatchlogs.UntagResourceOutput, error) {
	group, err := a.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, a.untag(ctx, group, in.TagKeys)
}

func (a api) listTagsForResource(ctx context.Context, in *cloudwatchlogs.ListTagsForResourceInput) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	group, err := a.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	g, err := a.group(ctx, group)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.ListTagsForResourceOutput{Tags: notNil(g.Tags)}, nil
}

func (a api) tagLogGroup(ctx context.Context, in *cloudwatchlogs.TagLogGroupInput) (*cloudwatchlogs.TagLogGroupOutput, error) {
	return nil, a.tag(ctx, aws.ToString(in.LogGroupName), in.Tags)
}

func (a api) untagLogGroup(ctx context.Context, in *cloudwatchlogs.UntagLogGroupInput) (*cloudwatchlogs.UntagLogGroupOutput, error) {
	return nil, a.untag(ctx, aws.ToString(in.LogGroupName), in.Tags)
}

func (a api) listTagsLogGroup(ctx context.Context, in *cloudwatchlogs.ListTagsLogGroupInput) (*cloudwatchlogs.ListTagsLogGroupOutput, error) {
	g, err := a.group(ctx, aws.ToString(in.LogGroupName))
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.ListTagsLogGroupOutput{Tags: notNil(g.Tags)}, nil
}

// tagged gives the group of an ARN; the tagging calls take nothing else.
func (a api) tagged(arn *string) (string, error) {
	if !strings.HasPrefix(aws.ToString(arn), "arn:") {
		return "", invalid("resourceArn must be the ARN of a log group.")
	}
	return a.groupOf("", *arn)
}

// notNil gives an empty map for none: callers expect the member.
func notNil(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}
