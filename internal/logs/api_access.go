package logs

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// access is what each operation asks of its caller.
//
// Policies name a log group with ":*" at its end, which stands for what comes after
// its name: what is about a group is asked for as the group's stream without a name,
// as AWS does and says in its refusals. Only the tagging calls that take an ARN are
// about the plain one.
// Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html,
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
func (a api) access() access.Table {
	t := access.Table{}
	for _, group := range []struct {
		about func(context.Context, any) []string
		ops   string
	}{
		{a.aboutStream, `CreateLogGroup DeleteLogGroup PutLogGroupDeletionProtection PutRetentionPolicy DeleteRetentionPolicy
			TagLogGroup UntagLogGroup ListTagsLogGroup CreateLogStream DeleteLogStream DescribeLogStreams PutLogEvents GetLogEvents
			FilterLogEvents DescribeMetricFilters DescribeSubscriptionFilters`},
		{a.aboutGroups, `DescribeLogGroups`},
		{a.aboutTailed, `StartLiveTail`},
		{a.aboutTagged, `TagResource UntagResource ListTagsForResource`},
		{nil, `TestMetricFilter`},
	} {
		for op := range strings.FieldsSeq(group.ops) {
			r := access.Rule{Action: "logs:" + op, Resources: group.about}
			if group.about != nil {
				r.Keys = a.keys
			}
			t[op] = r
		}
	}
	create := t["CreateLogGroup"]
	create.Also = a.createToo
	t["CreateLogGroup"] = create
	return t
}

// named is the group that an input names; "" for none that can be.
func (a api) named(in any) string {
	identifier := access.Text(in, "LogGroupIdentifier")
	if identifier == "" {
		identifier = access.Text(in, "ResourceArn")
	}
	name := access.Text(in, "LogGroupName")
	if group, err := a.groupOf(name, identifier); err == nil {
		return group
	}
	return name // the operation refuses it
}

// aboutStream is the stream that is named, or the group by its stream without a name.
func (a api) aboutStream(_ context.Context, in any) []string {
	if other, ok := a.elsewhere(access.Text(in, "LogGroupIdentifier")); ok {
		return []string{other + ":log-stream:"}
	}
	return []string{a.streamARN(a.named(in), access.Text(in, "LogStreamName"))}
}

// elsewhere: the ARN of a group that is not of this account and region is asked for as
// it is.
func (a api) elsewhere(identifier string) (string, bool) {
	if !arn.Is(identifier) {
		return "", false
	}
	if _, err := a.groupOf("", identifier); err == nil {
		return "", false
	}
	return strings.TrimSuffix(identifier, ":*"), true
}

// aboutGroups: a listing is about the group without a name, as AWS has it.
func (a api) aboutGroups(context.Context, any) []string { return []string{a.streamARN("", "")} }

func (a api) aboutTailed(_ context.Context, in any) (list []string) {
	tail, ok := in.(*cloudwatchlogs.StartLiveTailInput)
	if !ok {
		return nil
	}
	for _, identifier := range tail.LogGroupIdentifiers[:min(len(tail.LogGroupIdentifiers), 10)] { // more are refused
		if other, ok := a.elsewhere(identifier); ok {
			list = append(list, other+":log-stream:")
			continue
		}
		group, err := a.groupOf("", identifier)
		if err != nil {
			group = identifier
		}
		list = append(list, a.streamARN(group, ""))
	}
	return list
}

func (a api) aboutTagged(_ context.Context, in any) []string {
	if other, ok := a.elsewhere(access.Text(in, "ResourceArn")); ok {
		return []string{other}
	}
	return []string{a.groupARN(a.named(in))}
}

// keys are the tags of the group, and those of the request.
func (a api) keys(ctx context.Context, in any) access.Keys {
	keys := access.Keys{}
	if g, err := a.group(ctx, a.named(in)); err == nil {
		for k, v := range g.Tags {
			keys["aws:ResourceTag/"+k] = []string{v}
		}
	}
	switch in := in.(type) {
	case *cloudwatchlogs.CreateLogGroupInput:
		addTags(keys, in.Tags)
	case *cloudwatchlogs.TagResourceInput:
		addTags(keys, in.Tags)
	case *cloudwatchlogs.TagLogGroupInput:
		addTags(keys, in.Tags)
	case *cloudwatchlogs.UntagResourceInput:
		keys["aws:TagKeys"] = in.TagKeys
	case *cloudwatchlogs.UntagLogGroupInput:
		keys["aws:TagKeys"] = in.Tags
	}
	return keys
}

func addTags(keys access.Keys, tags map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		keys["aws:RequestTag/"+k] = []string{tags[k]}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], k)
	}
}

// createToo: a group that is born with tags may be tagged.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
func (a api) createToo(ctx context.Context, in any) []access.Need {
	c, ok := in.(*cloudwatchlogs.CreateLogGroupInput)
	if !ok || len(c.Tags) == 0 {
		return nil
	}
	return []access.Need{{Action: "logs:TagResource", Resource: a.groupARN(a.named(in)), Keys: a.keys(ctx, in)}}
}
