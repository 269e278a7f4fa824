package logs_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/access"
)

const (
	region  = "us-east-1"
	account = "123456789012"
)

func TestNeeds(t *testing.T) {
	n, ctx := start(t), t.Context()
	if _, err := n.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/a/b"), Tags: map[string]string{"team": "x"}}); err != nil {
		t.Fatal(err)
	}
	group := "arn:aws:logs:" + region + ":" + account + ":log-group:/a/b"
	other := "arn:aws:logs:" + region + ":210987654321:log-group:/a/b"
	tags := access.Keys{"aws:ResourceTag/team": {"x"}}
	need := func(action, resource string, keys access.Keys) []access.Need {
		return []access.Need{{Action: "logs:" + action, Resource: resource, Keys: keys}}
	}
	name := aws.String("/a/b")
	born := access.Keys{"aws:RequestTag/k": {"v"}, "aws:TagKeys": {"k"}}
	table := n.service.API().Access
	for what, tt := range map[string]struct {
		op   string
		in   any
		want []access.Need
	}{
		"a group":            {"DeleteLogGroup", &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name}, need("DeleteLogGroup", group+":log-stream:", tags)},
		"a group by its ARN": {"FilterLogEvents", &cloudwatchlogs.FilterLogEventsInput{LogGroupIdentifier: aws.String(group + ":*")}, need("FilterLogEvents", group+":log-stream:", tags)},
		"of another account": {"GetLogEvents", &cloudwatchlogs.GetLogEventsInput{LogGroupIdentifier: &other}, need("GetLogEvents", other+":log-stream:", access.Keys{})},
		"a stream":           {"PutLogEvents", &cloudwatchlogs.PutLogEventsInput{LogGroupName: name, LogStreamName: aws.String("s")}, need("PutLogEvents", group+":log-stream:s", tags)},
		"a new group": {"CreateLogGroup", &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("new"), Tags: map[string]string{"k": "v"}},
			append(need("CreateLogGroup", "arn:aws:logs:"+region+":"+account+":log-group:new:log-stream:", born),
				need("TagResource", "arn:aws:logs:"+region+":"+account+":log-group:new", born)...)},
		"all groups": {"DescribeLogGroups", &cloudwatchlogs.DescribeLogGroupsInput{}, need("DescribeLogGroups", "arn:aws:logs:"+region+":"+account+":log-group::log-stream:", access.Keys{})},
		"tags":       {"ListTagsForResource", &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: &group}, need("ListTagsForResource", group, tags)},
		"many groups": {"StartLiveTail", &cloudwatchlogs.StartLiveTailInput{LogGroupIdentifiers: []string{group, "c", other}},
			append(append(need("StartLiveTail", group+":log-stream:", access.Keys{}), need("StartLiveTail", "arn:aws:logs:"+region+":"+account+":log-group:c:log-stream:", access.Keys{})...),
				need("StartLiveTail", other+":log-stream:", access.Keys{})...)},
		"nothing": {"TestMetricFilter", &cloudwatchlogs.TestMetricFilterInput{}, need("TestMetricFilter", "*", nil)},
	} {
		if d := cmp.Diff(tt.want, table[tt.op].Needs(ctx, tt.in)); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
}
