package logs_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
)

const group = "/aws/lambda/hello"

func TestGroup(t *testing.T) {
	n, ctx := start(t), t.Context()
	_, err := n.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{
		LogGroupName: aws.String(group), Tags: map[string]string{"team": "a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)})
	refused(t, "create again", err, "ResourceAlreadyExistsException", "The specified log group already exists")
	if _, err := n.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(7)}); err != nil {
		t.Fatal(err)
	}
	_, err = n.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(8)})
	refused(t, "8 days", err, "InvalidParameterException", "")

	out := ok[cloudwatchlogs.DescribeLogGroupsOutput](t)(n.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{}))
	if len(out.LogGroups) != 1 || out.NextToken != nil {
		t.Fatalf("groups: %+v", out)
	}
	g := out.LogGroups[0]
	got := []any{*g.LogGroupName, *g.Arn, *g.LogGroupArn, *g.CreationTime, *g.RetentionInDays, *g.StoredBytes, g.LogGroupClass}
	arn := "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/hello"
	want := []any{group, arn + ":*", arn, noon.UnixMilli(), int32(7), int64(0), types.LogGroupClassStandard}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := n.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String(group)}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		t.Fatal(err)
	}
	_, err = n.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)})
	refused(t, "delete again", err, "ResourceNotFoundException", "The specified log group does not exist.")
}

func TestGroupNames(t *testing.T) {
	n := start(t)
	for _, name := range []string{"", "a b", "a:b", "ä", fmt.Sprintf("%0513d", 0)} {
		_, err := n.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name})
		refused(t, fmt.Sprintf("%.20q", name), err, "InvalidParameterException", "")
	}
	createGroup(t, n, "a.-_/#Z9")
}

func TestGroupProtected(t *testing.T) {
	n, ctx := start(t), t.Context()
	_, err := n.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group), DeletionProtectionEnabled: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)})
	refused(t, "delete", err, "OperationAbortedException", "")
	if _, err = n.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: aws.String(group), DeletionProtectionEnabled: aws.Bool(false),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err = n.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		t.Error(err)
	}
}

func TestListGroups(t *testing.T) {
	n := start(t)
	for i := range 7 {
		createGroup(t, n, fmt.Sprintf("/app/%d", i))
	}
	createGroup(t, n, "/other/app")
	tests := map[string]struct {
		in   cloudwatchlogs.DescribeLogGroupsInput
		want int
	}{
		"all":         {cloudwatchlogs.DescribeLogGroupsInput{}, 8},
		"prefix":      {cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/app")}, 7},
		"pages":       {cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/app/"), Limit: aws.Int32(3)}, 7},
		"pattern":     {cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePattern: aws.String("app")}, 8},
		"identifiers": {cloudwatchlogs.DescribeLogGroupsInput{LogGroupIdentifiers: []string{"/app/1", "arn:aws:logs:us-east-1:123456789012:log-group:/app/2:*"}}, 2},
		"nothing":     {cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("x")}, 0},
	}
	for name, test := range tests {
		seen := map[string]bool{}
		pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(n, &test.in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, g := range page.LogGroups {
				seen[*g.LogGroupName] = true
			}
		}
		if len(seen) != test.want {
			t.Errorf("%s: %d groups, want %d", name, len(seen), test.want)
		}
	}
	_, err := n.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{NextToken: aws.String("made up")})
	refused(t, "token", err, "InvalidParameterException", "The specified nextToken is invalid.")
}

func TestTags(t *testing.T) {
	n, ctx := start(t), t.Context()
	createGroup(t, n, group)
	arn := aws.String("arn:aws:logs:us-east-1:123456789012:log-group:" + group)
	if _, err := n.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.TagLogGroup(ctx, &cloudwatchlogs.TagLogGroupInput{LogGroupName: aws.String(group), Tags: map[string]string{"b": "3", "c": "4"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.UntagResource(ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a", "never"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.UntagLogGroup(ctx, &cloudwatchlogs.UntagLogGroupInput{LogGroupName: aws.String(group), Tags: []string{"c"}}); err != nil {
		t.Fatal(err)
	}
	got := ok[cloudwatchlogs.ListTagsForResourceOutput](t)(n.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: arn})).Tags
	legacy := ok[cloudwatchlogs.ListTagsLogGroupOutput](t)(n.ListTagsLogGroup(ctx, &cloudwatchlogs.ListTagsLogGroupInput{LogGroupName: aws.String(group)})).Tags
	want := map[string]string{"b": "3"}
	if diff := cmp.Diff(want, got) + cmp.Diff(want, legacy); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err := n.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"aws:x": ""}})
	refused(t, "reserved tag", err, "InvalidParameterException", "")
	many := map[string]string{}
	for i := range 60 {
		many[fmt.Sprint(i)] = ""
	}
	_, err = n.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: many})
	refused(t, "60 tags", err, "TooManyTagsException", "")
	_, err = n.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:logs:us-east-1:123456789012:log-group:none")})
	refused(t, "tags of no group", err, "ResourceNotFoundException", "The specified log group does not exist.")
}

func TestStreams(t *testing.T) {
	n, ctx := start(t), t.Context()
	createGroup(t, n, group)
	for i := range 5 {
		name := fmt.Sprintf("2026/05/04/[$LATEST]%d", i)
		in := &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(group), LogStreamName: &name}
		if _, err := n.CreateLogStream(ctx, in); err != nil {
			t.Fatal(err)
		}
		_, err := n.CreateLogStream(ctx, in)
		refused(t, "create again", err, "ResourceAlreadyExistsException", "The specified log stream already exists")
		put(t, n, name, at(10-i, "event"))
	}
	list := func(in cloudwatchlogs.DescribeLogStreamsInput) (last string) {
		in.LogGroupName, in.Limit = aws.String(group), aws.Int32(2)
		pages := cloudwatchlogs.NewDescribeLogStreamsPaginator(n, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range page.LogStreams {
				last += (*st.LogStreamName)[len(*st.LogStreamName)-1:]
			}
		}
		return last
	}
	got := []string{
		list(cloudwatchlogs.DescribeLogStreamsInput{}),
		list(cloudwatchlogs.DescribeLogStreamsInput{Descending: aws.Bool(true)}),
		list(cloudwatchlogs.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime}),
		list(cloudwatchlogs.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)}),
		list(cloudwatchlogs.DescribeLogStreamsInput{LogStreamNamePrefix: aws.String("2026/05/04/[$LATEST]3")}),
	}
	if diff := cmp.Diff([]string{"01234", "43210", "43210", "01234", "3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out := ok[cloudwatchlogs.DescribeLogStreamsOutput](t)(n.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupIdentifier: aws.String(group), Limit: aws.Int32(1)}))
	st := out.LogStreams[0]
	if *st.FirstEventTimestamp != at(10, "").ms || *st.LastEventTimestamp != at(10, "").ms || *st.LastIngestionTime != noon.UnixMilli() ||
		*st.Arn != "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/hello:log-stream:2026/05/04/[$LATEST]0" {
		t.Errorf("stream: %+v", st)
	}
	del := &cloudwatchlogs.DeleteLogStreamInput{LogGroupName: aws.String(group), LogStreamName: st.LogStreamName}
	if _, err := n.DeleteLogStream(ctx, del); err != nil {
		t.Fatal(err)
	}
	_, err := n.DeleteLogStream(ctx, del)
	refused(t, "delete again", err, "ResourceNotFoundException", "The specified log stream does not exist.")
	if got := len(search(t, n, cloudwatchlogs.FilterLogEventsInput{})); got != 4 {
		t.Errorf("%d events after a stream of five was deleted", got)
	}
	if got := stored(t, n); got != 4*(5+26) {
		t.Errorf("%d bytes stored", got)
	}
	_, err = n.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(group), LogStreamName: aws.String("a:b")})
	refused(t, "a stream's name with a colon", err, "InvalidParameterException", "")
	_, err = n.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("none"), LogStreamName: aws.String("a")})
	refused(t, "a stream in no group", err, "ResourceNotFoundException", "The specified log group does not exist.")
}
