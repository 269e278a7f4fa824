package bus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

func archiveOf(t testing.TB, n *node, name, pattern string) {
	t.Helper()
	in := &eb.CreateArchiveInput{ArchiveName: &name, EventSourceArn: aws.String(prefix + "event-bus/default"), RetentionDays: aws.Int32(1)}
	if pattern != "" {
		in.EventPattern = &pattern
	}
	ok[eb.CreateArchiveOutput](t)(n.CreateArchive(ctx, in))
}

func count(t testing.TB, n *node, name string) int64 {
	t.Helper()
	return ok[eb.DescribeArchiveOutput](t)(n.DescribeArchive(ctx, &eb.DescribeArchiveInput{ArchiveName: &name})).EventCount
}

func TestArchives(t *testing.T) {
	n := start(t)
	archiveOf(t, n, "all", "")
	archiveOf(t, n, "some", `{"detail":{"a":[1]}}`)
	n.put(t, entry(`{"a":1}`), entry(`{"a":2}`))
	for name, want := range map[string]int64{"all": 2, "some": 1} {
		if got := count(t, n, name); got != want {
			t.Errorf("%s has %d", name, got)
		}
	}
	ok[eb.UpdateArchiveOutput](t)(n.UpdateArchive(ctx, &eb.UpdateArchiveInput{ArchiveName: aws.String("some"), EventPattern: aws.String(`{"detail":{"a":[2]}}`), Description: aws.String("d")}))
	n.put(t, entry(`{"a":1}`), entry(`{"a":2}`), entry(`{"a":2}`))
	if got := count(t, n, "some"); got != 3 {
		t.Errorf("some has %d", got)
	}
	d := ok[eb.DescribeArchiveOutput](t)(n.DescribeArchive(ctx, &eb.DescribeArchiveInput{ArchiveName: aws.String("some")}))
	if *d.ArchiveArn != prefix+"archive/some" || *d.Description != "d" || *d.RetentionDays != 1 || d.SizeBytes < 500 || d.State != "ENABLED" || !d.CreationTime.Equal(noon) {
		t.Errorf("got %+v", d)
	}
	list := ok[eb.ListArchivesOutput](t)(n.ListArchives(ctx, &eb.ListArchivesInput{EventSourceArn: aws.String(prefix + "event-bus/default")}))
	if len(list.Archives) != 2 || list.Archives[0].EventCount != 5 {
		t.Errorf("got %+v", list.Archives)
	}
	// They forget after a day, by the events' own time.
	n.clock.Advance(25 * time.Hour)
	n.put(t, entry(`{"a":2}`))
	if err := n.service.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"all", "some"} {
		if got := count(t, n, name); got != 1 {
			t.Errorf("%s has %d after a day", name, got)
		}
	}
	ok[eb.DeleteArchiveOutput](t)(n.DeleteArchive(ctx, &eb.DeleteArchiveInput{ArchiveName: aws.String("all")}))
	n.put(t, entry(`{}`))
	archiveOf(t, n, "all", "")
	if got := count(t, n, "all"); got != 0 {
		t.Errorf("a new one has %d", got)
	}
}

// A bus that was deleted takes no events, also not into an archive that is left.
func TestArchiveOfADeletedBus(t *testing.T) {
	n := start(t)
	name := aws.String("b")
	ok[eb.CreateEventBusOutput](t)(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: name}))
	ok[eb.CreateArchiveOutput](t)(n.CreateArchive(ctx, &eb.CreateArchiveInput{ArchiveName: aws.String("a"), EventSourceArn: aws.String(prefix + "event-bus/b")}))
	e := entry("{}")
	e.EventBusName = name
	n.put(t, e)
	ok[eb.DeleteEventBusOutput](t)(n.DeleteEventBus(ctx, &eb.DeleteEventBusInput{Name: name}))
	n.put(t, e)
	if got := count(t, n, "a"); got != 1 {
		t.Errorf("%d archived", got)
	}
}

func TestArchivesRefused(t *testing.T) {
	n := start(t)
	archiveOf(t, n, "a", "")
	create := func(name, bus, pattern string) error {
		return second(n.CreateArchive(ctx, &eb.CreateArchiveInput{ArchiveName: &name, EventSourceArn: &bus, EventPattern: &pattern}))
	}
	bus := prefix + "event-bus/default"
	refused(t, "again", create("a", bus, ""), "ResourceAlreadyExistsException", "Archive a already exists.")
	refused(t, "bus", create("b", prefix+"event-bus/none", ""), "ResourceNotFoundException", "Event bus none does not exist.")
	refused(t, "arn", create("b", "default", ""), "ValidationException", "EventSourceArn")
	refused(t, "pattern", create("b", bus, "{}"), "InvalidEventPatternException", "Empty objects are not allowed")
	refused(t, "name", create("b c", bus, ""), "ValidationException", "archiveName")
	refused(t, "long", create(strings.Repeat("x", 49), bus, ""), "ValidationException", "48")
	refused(t, "describe", second(n.DescribeArchive(ctx, &eb.DescribeArchiveInput{ArchiveName: aws.String("no")})), "ResourceNotFoundException", "Archive no does not exist.")
	refused(t, "update", second(n.UpdateArchive(ctx, &eb.UpdateArchiveInput{ArchiveName: aws.String("no")})), "ResourceNotFoundException", "")
	refused(t, "delete", second(n.DeleteArchive(ctx, &eb.DeleteArchiveInput{ArchiveName: aws.String("no")})), "ResourceNotFoundException", "")
	refused(t, "list", second(n.ListArchives(ctx, &eb.ListArchivesInput{EventSourceArn: aws.String(prefix + "event-bus/no")})), "ResourceNotFoundException", "")
}

// A replay sends what is in its time to the rules it is for, once, and not to archives.
func TestReplays(t *testing.T) {
	n := start(t)
	archiveOf(t, n, "a", "")
	for i := range 120 {
		n.put(t, entry(fmt.Sprintf(`{"i":%d}`, i)))
		n.clock.Advance(time.Second)
	}
	n.rule(t, "here", `{"source":["shop"]}`, types.Target{})
	n.rule(t, "there", `{"source":["shop"]}`, types.Target{})
	from, until := noon.Add(10*time.Second), noon.Add(110*time.Second)
	in := &eb.StartReplayInput{
		ReplayName: aws.String("r"), EventSourceArn: aws.String(prefix + "archive/a"), EventStartTime: &from, EventEndTime: &until,
		Destination: &types.ReplayDestination{Arn: aws.String(prefix + "event-bus/default"), FilterArns: []string{prefix + "rule/here"}},
	}
	started := ok[eb.StartReplayOutput](t)(n.StartReplay(ctx, in))
	if started.State != "STARTING" || *started.ReplayArn != prefix+"replay/r" {
		t.Errorf("got %+v", started)
	}
	running, stop := withCancel()
	done := make(chan error)
	go func() { done <- n.service.Run(running) }()
	eventually(t, func() bool {
		return ok[eb.DescribeReplayOutput](t)(n.DescribeReplay(ctx, &eb.DescribeReplayInput{ReplayName: aws.String("r")})).State == "COMPLETED"
	})
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range n.queue.take(t) {
		if !strings.HasSuffix(string(d.Payload), `,"replay-name":"r"}`) || d.RuleARN != prefix+"rule/here" || seen[d.EventID] {
			t.Errorf("got %s", d.Payload)
		}
		seen[d.EventID] = true
	}
	if len(seen) != 100 || count(t, n, "a") != 120 {
		t.Errorf("%d replayed, %d archived", len(seen), count(t, n, "a"))
	}
	d := ok[eb.DescribeReplayOutput](t)(n.DescribeReplay(ctx, &eb.DescribeReplayInput{ReplayName: aws.String("r")}))
	if !d.EventLastReplayedTime.Equal(until.Add(-time.Second)) || d.ReplayEndTime == nil || d.Destination.FilterArns[0] != prefix+"rule/here" {
		t.Errorf("got %+v", d)
	}
	refused(t, "again", second(n.StartReplay(ctx, in)), "ResourceAlreadyExistsException", "Replay r already exists.")
	refused(t, "cancel", second(n.CancelReplay(ctx, &eb.CancelReplayInput{ReplayName: aws.String("r")})), "IllegalStatusException", "")
	refused(t, "none", second(n.DescribeReplay(ctx, &eb.DescribeReplayInput{ReplayName: aws.String("x")})), "ResourceNotFoundException", "Replay x does not exist.")
	in.ReplayName = aws.String("whole")
	in.Destination.FilterArns = nil
	ok[eb.StartReplayOutput](t)(n.StartReplay(ctx, in))
	for more, err := true, error(nil); more; {
		if more, err = n.service.Replay(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(n.queue.take(t)); got != 200 {
		t.Errorf("%d replayed to two rules", got)
	}
	in.ReplayName = aws.String("stopped")
	ok[eb.StartReplayOutput](t)(n.StartReplay(ctx, in))
	if _, err := n.service.Replay(ctx); err != nil {
		t.Fatal(err)
	}
	ok[eb.CancelReplayOutput](t)(n.CancelReplay(ctx, &eb.CancelReplayInput{ReplayName: aws.String("stopped")}))
	if more, err := n.service.Replay(ctx); more || err != nil {
		t.Errorf("%v, %v", more, err)
	}
	list := ok[eb.ListReplaysOutput](t)(n.ListReplays(ctx, &eb.ListReplaysInput{State: "CANCELLED"}))
	if len(list.Replays) != 1 || *list.Replays[0].ReplayName != "stopped" || len(n.queue.take(t)) != 100 {
		t.Errorf("got %+v", list.Replays)
	}
}

func TestReplaysRefused(t *testing.T) {
	n := start(t)
	archiveOf(t, n, "a", "")
	ok[eb.CreateEventBusOutput](t)(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: aws.String("other")}))
	for what, test := range map[string]struct {
		archive, bus, rule string
		hours              int
		code, words        string
	}{
		"archive":      {"archive/no", "event-bus/default", "", 1, "ResourceNotFoundException", "Archive no does not exist."},
		"no archive":   {"event-bus/default", "event-bus/default", "", 1, "ValidationException", "EventSourceArn"},
		"no bus":       {"archive/a", "rule/x", "", 1, "ValidationException", "Destination"},
		"another bus":  {"archive/a", "event-bus/other", "", 1, "ValidationException", "Cross event bus"},
		"another rule": {"archive/a", "event-bus/default", "rule/other/x", 1, "ValidationException", "FilterArns"},
		"time":         {"archive/a", "event-bus/default", "", 0, "ValidationException", "EventEndTime"},
	} {
		until := noon.Add(time.Duration(test.hours) * time.Hour)
		to := &types.ReplayDestination{Arn: aws.String(prefix + test.bus)}
		if test.rule != "" {
			to.FilterArns = []string{prefix + test.rule}
		}
		_, err := n.StartReplay(ctx, &eb.StartReplayInput{ReplayName: aws.String("r"), EventSourceArn: aws.String(prefix + test.archive), EventStartTime: &noon, EventEndTime: &until, Destination: to})
		refused(t, what, err, test.code, test.words)
	}
}
