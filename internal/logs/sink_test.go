package logs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mayfly-cloud/mayfly/internal/logs"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

func line(second int, message string) logs.Event {
	return logs.Event{Time: noon.Add(time.Duration(second) * time.Second), Message: message}
}

// run runs a node's service until the test ends.
func run(t testing.TB, n *node) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.service.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestAppend: group and stream are made, and lines soon there, in order.
func TestAppend(t *testing.T) {
	n := start(t)
	run(t, n)
	begin := time.Now()
	n.service.Append(group, "s", []logs.Event{line(1, "b"), line(0, "a")})
	n.service.Append(group, "s", []logs.Event{line(2, "c")})
	for {
		out, err := n.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group)})
		var none *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &none) {
			t.Fatal(err)
		}
		if err == nil && len(out.Events) == 3 {
			if *out.Events[0].Message+*out.Events[1].Message+*out.Events[2].Message != "abc" {
				t.Errorf("order: %v", out.Events)
			}
			break
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the lines did not come")
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("seen after %v", time.Since(begin))
}

// TestAppendWithinAMillisecond: lines of one millisecond stay in the order they came in,
// however fine the clocks were that they have their times from.
func TestAppendWithinAMillisecond(t *testing.T) {
	n := start(t)
	n.service.Append(group, "s", []logs.Event{
		{Time: noon.Add(700 * time.Microsecond), Message: "START"}, {Time: noon, Message: "what the code said"}, {Time: noon.Add(800 * time.Microsecond), Message: "END"},
	})
	if err := n.service.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, e := range search(t, n, cloudwatchlogs.FilterLogEventsInput{}) {
		got += e.message + "; "
	}
	if want := "START; what the code said; END; "; got != want {
		t.Errorf("stored %s, want %s", got, want)
	}
}

// TestAppendAtTheEnd: what is appended before Run ends is stored.
func TestAppendAtTheEnd(t *testing.T) {
	n := start(t)
	ctx, stop := context.WithCancel(t.Context())
	for i := range 5000 {
		n.service.Append(group, fmt.Sprint("s", i%10), []logs.Event{line(i, "x")})
	}
	stop()
	if err := n.service.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := len(search(t, n, cloudwatchlogs.FilterLogEventsInput{})); got != 5000 {
		t.Errorf("%d lines are there", got)
	}
}

// TestFlood: one function's flood is bounded and counted, another's lines come
// through, and nobody waits.
func TestFlood(t *testing.T) {
	n := start(t)
	const lines, size = 5000, 1000
	for i := range lines {
		n.service.Append(group, "flood", []logs.Event{line(i/100, strings.Repeat("x", size))})
	}
	n.service.Append("/aws/lambda/quiet", "s", []logs.Event{line(0, "heard")})
	if err := n.service.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := search(t, n, cloudwatchlogs.FilterLogEventsInput{})
	kept := len(got) - 1
	if bytes := kept * (size + 26); bytes > 2<<20 || bytes < 1<<20 {
		t.Errorf("%d lines were kept, %d bytes", kept, bytes)
	}
	notes := search(t, n, cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`"log lines dropped"`)})
	if len(notes) != 1 || !strings.HasPrefix(notes[0].message, fmt.Sprint(lines-kept, " log lines dropped")) {
		t.Errorf("notes: %v; %d kept", notes, kept)
	}
	out := ok[cloudwatchlogs.FilterLogEventsOutput](t)(n.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/quiet")}))
	if len(out.Events) != 1 {
		t.Error("the quiet function was not heard")
	}
}

// TestLongLine: a line is cut off at 256 KiB, between two characters.
func TestLongLine(t *testing.T) {
	n := start(t)
	n.service.Append(group, "s", []logs.Event{line(0, strings.Repeat("日本", 100_000))})
	if err := n.service.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := search(t, n, cloudwatchlogs.FilterLogEventsInput{})
	if m := got[0].message; len(m) > 256<<10 || len(m) < 256<<10-3 || !utf8.ValidString(m) {
		t.Errorf("%d bytes, valid: %v", len(m), utf8.ValidString(m))
	}
}

// TestFullDisk: lines that cannot be stored wait, within their bounds.
func TestFullDisk(t *testing.T) {
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	service := logs.New(logs.Config{Store: s, Account: "123456789012", Region: "us-east-1"})
	s.Close() // as good as a full disk
	service.Append(group, "s", []logs.Event{line(0, "x")})
	if err := service.Flush(t.Context()); err == nil {
		t.Error("Flush says that lines are stored")
	}
}

func TestAppendTogether(t *testing.T) {
	n := start(t)
	run(t, n)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				n.service.Append(group, fmt.Sprint("s", w), []logs.Event{line(i, fmt.Sprint(i))})
				if i%100 == 0 {
					if err := n.service.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := n.service.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(search(t, n, cloudwatchlogs.FilterLogEventsInput{})); got != 4000 {
		t.Errorf("%d lines of 4000", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	n := start(b)
	run(b, n)
	events := []logs.Event{line(0, "START RequestId: 8f7e Version: $LATEST"), line(0, "END RequestId: 8f7e"), line(0, "REPORT RequestId: 8f7e")}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			n.service.Append(group, "s", append([]logs.Event(nil), events...))
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	n := start(b)
	for i := range 20_000 {
		n.service.Append(group, fmt.Sprint("s", i%50), []logs.Event{line(i/10, fmt.Sprintf(`{"n":%d,"level":"INFO"}`, i))})
		if i%10_000 == 9_999 {
			if err := n.service.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		search(b, n, cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("{ $.n = 777 }")})
	}
}
