package logs_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	gocmp "github.com/google/go-cmp/cmp"
)

// event is one of a test: so many seconds after noon.
type event struct {
	ms      int64
	message string
}

func at(seconds int, message string) event {
	return event{noon.Add(time.Duration(seconds) * time.Second).UnixMilli(), message}
}

func put(t testing.TB, n *node, stream string, events ...event) *cloudwatchlogs.PutLogEventsOutput {
	t.Helper()
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String(group), LogStreamName: &stream}
	for _, e := range events {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: &e.ms, Message: &e.message})
	}
	return ok[cloudwatchlogs.PutLogEventsOutput](t)(n.PutLogEvents(t.Context(), in))
}

// search gives all matching events, page after page.
func search(t testing.TB, n *node, in cloudwatchlogs.FilterLogEventsInput) (got []event) {
	t.Helper()
	in.LogGroupName = aws.String(group)
	ids := map[string]bool{}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(n, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			if ids[*e.EventId] {
				t.Errorf("event id %s twice", *e.EventId)
			}
			ids[*e.EventId] = true
			got = append(got, event{*e.Timestamp, *e.Message})
		}
	}
	return got
}

func stored(t *testing.T, n *node) int64 {
	out := ok[cloudwatchlogs.DescribeLogGroupsOutput](t)(n.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}))
	return *out.LogGroups[0].StoredBytes
}

func TestPut(t *testing.T) {
	n, ctx := start(t), t.Context()
	createStream(t, n, group, "s")
	put(t, n, "s", at(-2, "a"), at(-1, "b"))
	if got := stored(t, n); got != 2*27 {
		t.Errorf("%d bytes stored", got)
	}
	in := func(events ...types.InputLogEvent) *cloudwatchlogs.PutLogEventsInput {
		return &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String(group), LogStreamName: aws.String("s"), LogEvents: events}
	}
	one := func(seconds int, message string) types.InputLogEvent {
		e := at(seconds, message)
		return types.InputLogEvent{Timestamp: &e.ms, Message: &message}
	}
	many := make([]types.InputLogEvent, 10_001)
	for i := range many {
		many[i] = one(0, "x")
	}
	for name, in := range map[string]*cloudwatchlogs.PutLogEventsInput{
		"nothing":          in(),
		"out of order":     in(one(2, "x"), one(1, "x")),
		"an empty message": in(one(1, "")),
		"too large":        in(one(1, strings.Repeat("x", 1<<20))),
		"too many":         in(many...),
		"over 24 hours":    in(one(-100_000, "x"), one(0, "x")),
		"no time":          in(types.InputLogEvent{Message: aws.String("x")}),
	} {
		for i := range in.LogEvents {
			if in.LogEvents[i].Timestamp == nil {
				in.LogEvents[i].Timestamp = aws.Int64(-1) // the SDK insists on one
			}
		}
		if name == "nothing" {
			in.LogEvents = []types.InputLogEvent{}
		}
		_, err := n.PutLogEvents(ctx, in)
		refused(t, name, err, "InvalidParameterException", "")
	}
	missing := in(one(1, "x"))
	missing.LogStreamName = aws.String("none")
	_, err := n.PutLogEvents(ctx, missing)
	refused(t, "no stream", err, "ResourceNotFoundException", "The specified log stream does not exist.")
	if got := search(t, n, cloudwatchlogs.FilterLogEventsInput{}); len(got) != 2 {
		t.Errorf("a refused call has left %v", got)
	}
}

// TestPutRejects: what is too old or too new is left out, the rest is stored.
func TestPutRejects(t *testing.T) {
	n, ctx := start(t), t.Context()
	createStream(t, n, group, "s")
	const day, hour = 86400, 3600
	old := put(t, n, "s", at(-15*day, "old"), at(-14*day-1, "old"), at(-14*day+60, "ok")).RejectedLogEventsInfo
	if old == nil || *old.TooOldLogEventEndIndex != 2 || old.TooNewLogEventStartIndex != nil {
		t.Errorf("too old: %+v", old)
	}
	new := put(t, n, "s", at(hour, "ok"), at(2*hour+1, "new"), at(3*hour, "new")).RejectedLogEventsInfo
	if new == nil || *new.TooNewLogEventStartIndex != 1 || new.TooOldLogEventEndIndex != nil {
		t.Errorf("too new: %+v", new)
	}
	if _, err := n.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	expired := put(t, n, "s", at(-day-1, "expired"), at(-hour, "ok")).RejectedLogEventsInfo
	if expired == nil || *expired.ExpiredLogEventEndIndex != 1 {
		t.Errorf("expired: %+v", expired)
	}
	var got []string
	for _, e := range search(t, n, cloudwatchlogs.FilterLogEventsInput{}) {
		got = append(got, e.message)
	}
	if diff := gocmp.Diff([]string{"ok", "ok"}, got); diff != "" { // the first has expired since
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGet walks a stream whose chunks overlap in time, forwards and backwards, in
// pages, and follows what comes after the end.
func TestGet(t *testing.T) {
	n, ctx := start(t), t.Context()
	createStream(t, n, group, "s")
	rng := rand.New(rand.NewPCG(1, 1))
	var want []event
	for i := range 40 {
		ms := noon.UnixMilli() - 3000 + rng.Int64N(2000)
		var batch []event
		for j := range 1 + rng.IntN(5) {
			batch = append(batch, event{ms, fmt.Sprintf("%d.%d", i, j)})
			ms += rng.Int64N(900)
		}
		put(t, n, "s", batch...)
		want = append(want, batch...)
	}
	slices.SortStableFunc(want, func(a, b event) int { return cmp.Compare(a.ms, b.ms) })
	get := func(in cloudwatchlogs.GetLogEventsInput) (got []event, out *cloudwatchlogs.GetLogEventsOutput) {
		in.LogGroupName, in.LogStreamName = aws.String(group), aws.String("s")
		out = ok[cloudwatchlogs.GetLogEventsOutput](t)(n.GetLogEvents(ctx, &in))
		for _, e := range out.Events {
			got = append(got, event{*e.Timestamp, *e.Message})
		}
		return got, out
	}
	options := gocmp.AllowUnexported(event{})
	for _, limit := range []int32{1, 7, 1000} {
		var forward, backward []event
		in := cloudwatchlogs.GetLogEventsInput{Limit: &limit, StartFromHead: aws.Bool(true)}
		for {
			got, out := get(in)
			forward = append(forward, got...)
			if in.NextToken != nil && *in.NextToken == *out.NextForwardToken {
				break
			}
			in.NextToken = out.NextForwardToken
		}
		in = cloudwatchlogs.GetLogEventsInput{Limit: &limit}
		for {
			got, out := get(in)
			backward = append(got, backward...)
			if in.NextToken != nil && *in.NextToken == *out.NextBackwardToken {
				break
			}
			in.NextToken = out.NextBackwardToken
		}
		if diff := gocmp.Diff(want, forward, options) + gocmp.Diff(want, backward, options); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	_, end := get(cloudwatchlogs.GetLogEventsInput{})
	if none, _ := get(cloudwatchlogs.GetLogEventsInput{NextToken: end.NextForwardToken}); none != nil {
		t.Errorf("after the end: %v", none)
	}
	put(t, n, "s", at(1, "later"))
	got, out := get(cloudwatchlogs.GetLogEventsInput{NextToken: end.NextForwardToken})
	if diff := gocmp.Diff([]event{at(1, "later")}, got, options); diff != "" {
		t.Errorf("followed: (-want +got):\n%s", diff)
	}
	if got, _ := get(cloudwatchlogs.GetLogEventsInput{NextToken: out.NextBackwardToken, Limit: aws.Int32(1)}); len(got) != 1 || got[0] != want[len(want)-1] {
		t.Errorf("back from there: %v, want %v", got, want[len(want)-1])
	}
	window := cloudwatchlogs.GetLogEventsInput{StartTime: aws.Int64(want[10].ms), EndTime: aws.Int64(want[20].ms)}
	inside := slices.DeleteFunc(slices.Clone(want), func(e event) bool { return e.ms < want[10].ms || e.ms >= want[20].ms })
	if got, _ := get(window); !slices.Equal(got, inside) {
		t.Errorf("window: %v, want %v", got, inside)
	}
	_, err := n.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String(group), LogStreamName: aws.String("s"), NextToken: aws.String("f/1")})
	refused(t, "token", err, "InvalidParameterException", "The specified nextToken is invalid.")
}

// TestGetEmpty: tokens of an empty stream find what comes later.
func TestGetEmpty(t *testing.T) {
	n := start(t)
	createStream(t, n, group, "s")
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String(group), LogStreamName: aws.String("s")}
	out := ok[cloudwatchlogs.GetLogEventsOutput](t)(n.GetLogEvents(t.Context(), in))
	put(t, n, "s", at(1, "later"))
	in.NextToken = out.NextForwardToken
	if got := ok[cloudwatchlogs.GetLogEventsOutput](t)(n.GetLogEvents(t.Context(), in)).Events; len(got) != 1 {
		t.Errorf("found %d events", len(got))
	}
}

func TestSearch(t *testing.T) {
	n := start(t)
	createStream(t, n, group, "a1")
	for _, name := range []string{"a2", "b"} {
		if _, err := n.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(group), LogStreamName: aws.String(name)}); err != nil {
			t.Fatal(err)
		}
	}
	var all []event
	for i := range 30 {
		e := at(i, fmt.Sprintf(`{"n":%d,"level":"%s"}`, i, []string{"INFO", "ERROR"}[i%2]))
		put(t, n, []string{"a1", "a2", "b"}[i%3], e)
		all = append(all, e)
	}
	pick := func(keep func(i int) bool) (want []event) {
		for i, e := range all {
			if keep(i) {
				want = append(want, e)
			}
		}
		return want
	}
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	tests := map[string]struct {
		in   cloudwatchlogs.FilterLogEventsInput
		want []event
	}{
		"all":       {cloudwatchlogs.FilterLogEventsInput{}, all},
		"pages":     {cloudwatchlogs.FilterLogEventsInput{Limit: aws.Int32(4)}, all},
		"backwards": {cloudwatchlogs.FilterLogEventsInput{Limit: aws.Int32(4), StartFromHead: aws.Bool(false)}, backwards},
		"pattern":   {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`{ $.level = "ERROR" && $.n >= 10 }`)}, pick(func(i int) bool { return i%2 == 1 && i >= 10 })},
		"matches in pages": {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("ERROR"), Limit: aws.Int32(2)},
			pick(func(i int) bool { return i%2 == 1 })},
		"one stream":    {cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"b"}, Limit: aws.Int32(3)}, pick(func(i int) bool { return i%3 == 2 })},
		"two streams":   {cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"b", "a1"}}, pick(func(i int) bool { return i%3 != 1 })},
		"streams":       {cloudwatchlogs.FilterLogEventsInput{LogStreamNamePrefix: aws.String("a")}, pick(func(i int) bool { return i%3 != 2 })},
		"time":          {cloudwatchlogs.FilterLogEventsInput{StartTime: &all[5].ms, EndTime: &all[9].ms}, all[5:10]},
		"nothing there": {cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("absent")}, nil},
	}
	for name, test := range tests {
		if diff := gocmp.Diff(test.want, search(t, n, test.in), gocmp.AllowUnexported(event{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, in := range map[string]cloudwatchlogs.FilterLogEventsInput{
		"pattern": {FilterPattern: aws.String("{ $.a")},
		"both":    {LogStreamNames: []string{"a"}, LogStreamNamePrefix: aws.String("a")},
		"time":    {StartTime: aws.Int64(2), EndTime: aws.Int64(1)},
		"limit":   {Limit: aws.Int32(10_001)},
		"token":   {NextToken: aws.String("x")},
	} {
		in.LogGroupName = aws.String(group)
		_, err := n.FilterLogEvents(t.Context(), &in)
		refused(t, name, err, "InvalidParameterException", "")
	}
	_, err := n.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("none")})
	refused(t, "no group", err, "ResourceNotFoundException", "The specified log group does not exist.")
}

// TestLargePages: an answer holds at most 1 MiB; the rest is on the next page.
func TestLargePages(t *testing.T) {
	n := start(t)
	createStream(t, n, group, "s")
	for i := range 10 {
		put(t, n, "s", at(i, strings.Repeat("x", 300<<10)))
	}
	out := ok[cloudwatchlogs.FilterLogEventsOutput](t)(n.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group)}))
	if len(out.Events) != 3 || out.NextToken == nil {
		t.Errorf("%d events on a page", len(out.Events))
	}
	if got := search(t, n, cloudwatchlogs.FilterLogEventsInput{}); len(got) != 10 {
		t.Errorf("%d events on all pages", len(got))
	}
}

// TestRetention: what has expired is not shown any more, and then removed.
func TestRetention(t *testing.T) {
	n, ctx := start(t), t.Context()
	createStream(t, n, group, "old")
	if _, err := n.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(group), LogStreamName: aws.String("new")}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		put(t, n, "old", at(i, "old"))
	}
	if _, err := n.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(24*time.Hour + 10*time.Second)
	put(t, n, "new", event{noon.Add(24 * time.Hour).UnixMilli(), "new"})
	if got := len(search(t, n, cloudwatchlogs.FilterLogEventsInput{})); got != 21 {
		t.Errorf("%d events are shown, want 20 and a new one", got)
	}
	if err := n.service.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, n); got < 21*29 || got > 22*29 {
		t.Errorf("%d bytes are stored", got)
	}
	n.clock.Advance(time.Hour)
	if err := n.service.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	streams := ok[cloudwatchlogs.DescribeLogStreamsOutput](t)(n.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String(group)})).LogStreams
	if len(streams) != 1 || *streams[0].LogStreamName != "new" || stored(t, n) != 29 {
		t.Errorf("%d streams are left, with %d bytes", len(streams), stored(t, n))
	}
}

func TestMetricFilters(t *testing.T) {
	n, ctx := start(t), t.Context()
	createGroup(t, n, group)
	out := ok[cloudwatchlogs.TestMetricFilterOutput](t)(n.TestMetricFilter(ctx, &cloudwatchlogs.TestMetricFilterInput{
		FilterPattern: aws.String("ERROR"), LogEventMessages: []string{"[ERROR] a", "[INFO] b"},
	}))
	if len(out.Matches) != 1 || out.Matches[0].EventNumber != 1 {
		t.Errorf("matches: %+v", out.Matches)
	}
	ok[cloudwatchlogs.DescribeMetricFiltersOutput](t)(n.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(group)}))
	ok[cloudwatchlogs.DescribeSubscriptionFiltersOutput](t)(n.DescribeSubscriptionFilters(ctx, &cloudwatchlogs.DescribeSubscriptionFiltersInput{LogGroupName: aws.String(group)}))
}
