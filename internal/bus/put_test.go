package bus_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/mayfly-cloud/mayfly/internal/bus"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// The event is what EventBridge sends, byte for byte.
func TestEventsGoToTheTargetsOfRulesThatMatch(t *testing.T) {
	n := start(t)
	n.rule(t, "all", `{"source":["shop"]}`, types.Target{})
	n.rule(t, "part", `{"detail":{"total":[{"numeric":[">",10]}]}}`, types.Target{InputPath: aws.String("$.detail.total")},
		types.Target{Input: aws.String(`{"fixed":true}`)},
		types.Target{InputTransformer: &types.InputTransformer{
			InputPathsMap: map[string]string{"n": "$.detail.total"}, InputTemplate: aws.String(`{"n": <n>, "rule": <aws.events.rule-name>}`),
		}},
		types.Target{InputPath: aws.String("$.detail.none")})
	n.rule(t, "other", `{"source":["bank"]}`, types.Target{})
	n.rule(t, "off", `{"source":["shop"]}`, types.Target{})
	ok[eb.DisableRuleOutput](t)(n.DisableRule(ctx, &eb.DisableRuleInput{Name: aws.String("off")}))

	e := entry("{\"total\": 12.50,\n \"text\":\"<b> & é\"}")
	e.Resources, e.TraceHeader = []string{"arn:aws:x:::y"}, aws.String("Root=1-2-3")
	at := noon.Add(-1500e6)
	e.Time = &at
	id := n.put(t, e)[0]
	whole := `{"version":"0","id":"` + id + `","detail-type":"order","source":"shop","account":"123456789012","time":"2026-05-04T11:59:58Z",` +
		`"region":"eu-central-1","resources":["arn:aws:x:::y"],"detail":{"total":12.50,"text":"<b> & é"}}`
	list := n.queue.take(t)
	equal(t, "payloads", map[string]string{
		"all t0": whole, "part t0": "12.50", "part t1": `{"fixed":true}`, "part t2": `{"n":12.50,"rule":"part"}`, "part t3": "null",
	}, payloads(list))
	for _, d := range list {
		if d.EventID != id || d.Trace != "Root=1-2-3" || !d.Created.Equal(noon) || !strings.HasPrefix(d.RuleARN, prefix+"rule/") {
			t.Errorf("got %+v", d)
		}
	}
	ok[eb.EnableRuleOutput](t)(n.EnableRule(ctx, &eb.EnableRuleInput{Name: aws.String("off")}))
	id = n.put(t, entry(`{}`))[0]
	whole = `{"version":"0","id":"` + id + `","detail-type":"order","source":"shop","account":"123456789012","time":"2026-05-04T12:00:00Z","region":"eu-central-1","resources":[],"detail":{}}`
	equal(t, "enabled", map[string]string{"all t0": whole, "off t0": whole}, payloads(n.queue.take(t)))
}

func TestEntriesFailOneByOne(t *testing.T) {
	n := start(t)
	n.rule(t, "all", `{"account":["123456789012"]}`, types.Target{})
	text := aws.String
	out := ok[eb.PutEventsOutput](t)(n.PutEvents(ctx, &eb.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		entry(`{}`),
		{DetailType: text("x"), Detail: text("{}")},
		{Source: text("x"), Detail: text("{}")},
		{Source: text("x"), DetailType: text("x")},
		entry(`[]`),
		entry(`{"a":`),
		entry(strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001)),
		{Source: text("aws.s3"), DetailType: text("x"), Detail: text("{}")},
		{Source: text(strings.Repeat("x", 257)), DetailType: text("x"), Detail: text("{}")},
		{Source: text("x"), DetailType: text("x"), Detail: text("{}"), EventBusName: text("not a name")},
	}}))
	var got []string
	for _, e := range out.Entries {
		got = append(got, strings.TrimSpace(aws.ToString(e.ErrorCode)+" "+aws.ToString(e.ErrorMessage)))
	}
	equal(t, "results", []string{
		"",
		"InvalidArgument Parameter Source is not valid. Reason: Source is a required argument.",
		"InvalidArgument Parameter DetailType is not valid. Reason: DetailType is a required argument.",
		"InvalidArgument Parameter Detail is not valid. Reason: Detail is a required argument.",
		"MalformedDetail Detail is malformed.", "MalformedDetail Detail is malformed.", "MalformedDetail Detail is malformed.",
		"NotAuthorizedForSourceException Not authorized for the source.",
		"InvalidArgument Parameter Source is not valid. Reason: Source is longer than 256 characters.",
		"InvalidArgument Parameter EventBusName is not valid. Reason: it is not the name or ARN of an event bus.",
	}, got)
	if out.FailedEntryCount != 9 || len(n.queue.take(t)) != 1 {
		t.Errorf("%d failed", out.FailedEntryCount)
	}
	// A bus that is not there takes events to nowhere.
	lost := entry(`{}`)
	lost.EventBusName = text("none")
	foreign := entry(`{}`)
	foreign.EventBusName = text("arn:aws:events:eu-central-1:999999999999:event-bus/x")
	n.put(t, lost, foreign)
	if got := n.queue.take(t); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestLimitsOfPutEvents(t *testing.T) {
	n := start(t)
	var many []types.PutEventsRequestEntry
	for range 11 {
		many = append(many, entry(`{}`))
	}
	refused(t, "many", second(n.PutEvents(ctx, &eb.PutEventsInput{Entries: many})), "ValidationException", "entries")
	refused(t, "none", second(n.PutEvents(ctx, &eb.PutEventsInput{Entries: []types.PutEventsRequestEntry{}})), "ValidationException", "entries")
	big := entry(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
	refused(t, "big", second(n.PutEvents(ctx, &eb.PutEventsInput{Entries: []types.PutEventsRequestEntry{big}})), "ValidationException", "Total size of the entries in the request is over the limit.")
	n.rule(t, "all", `{"source":["shop"]}`, types.Target{})
	n.put(t, entry(`{"a":"`+strings.Repeat("x", 1<<20-100)+`"}`))
	refused(t, "endpoint", second(n.PutEvents(ctx, &eb.PutEventsInput{Entries: many[:1], EndpointId: aws.String("x")})), "ValidationException", "not supported")
}

// A reply means durable: where the queue refuses, nothing is there, and the caller knows.
func TestNothingIsAcknowledgedThatIsNotDurable(t *testing.T) {
	n := start(t)
	n.rule(t, "all", `{"source":["shop"]}`, types.Target{})
	archiveOf(t, n, "a", "")
	n.queue.refuse = errors.New("full")
	refused(t, "put", second(n.PutEvents(ctx, &eb.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry(`{}`)}})), "InternalFailure", "")
	n.queue.refuse = nil
	if got := n.queue.take(t); len(got) != 0 {
		t.Errorf("queued %v", got)
	}
	if d := ok[eb.DescribeArchiveOutput](t)(n.DescribeArchive(ctx, &eb.DescribeArchiveInput{ArchiveName: aws.String("a")})); d.EventCount != 0 {
		t.Errorf("%d archived", d.EventCount)
	}
}

// A node that starts anew, and one that shares the store, know the same rules.
func TestRulesAreReadFromTheStore(t *testing.T) {
	n := start(t)
	n.rule(t, "a", `{"source":["shop"]}`, types.Target{})
	other := bus.New(n.config)
	puts := func(s *bus.Service) int {
		t.Helper()
		if _, err := s.PutEvents(ctx, []bus.Entry{{Source: "shop", DetailType: "order", Detail: "{}"}}); err != nil {
			t.Fatal(err)
		}
		return len(n.queue.take(t))
	}
	if got := puts(other); got != 1 {
		t.Errorf("a new node delivers %d", got)
	}
	n.rule(t, "b", `{"source":["shop"]}`, types.Target{}, types.Target{})
	running, stop := withCancel()
	done := make(chan error)
	go func() { done <- other.Run(running) }()
	eventually(t, func() bool {
		n.rule(t, "b", `{"source":["shop"]}`)
		return puts(other) == 3
	})
	// Changes of both, one after the other.
	for i := range 6 {
		s := []*bus.Service{n.service, other}[i%2]
		if _, err := s.PutRule(ctx, "", bus.Rule{Name: fmt.Sprint("r", i), Pattern: `{"source":["shop"]}`}, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.PutTargets(ctx, "", fmt.Sprint("r", i), []bus.Target{{ID: "t", ARN: queue}}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool { return puts(other) == 9 })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTestEventPattern(t *testing.T) {
	n := start(t)
	event := `{"id":"1","account":"1","source":"shop","time":"2026-05-04T12:00:00Z","region":"r","resources":[],"detail-type":"order","detail":{"a":1}}`
	for pattern, want := range map[string]bool{`{"source":["shop"]}`: true, `{"detail":{"a":[2]}}`: false} {
		got := ok[eb.TestEventPatternOutput](t)(n.TestEventPattern(ctx, &eb.TestEventPatternInput{EventPattern: &pattern, Event: &event}))
		if got.Result != want {
			t.Errorf("%s: %v", pattern, got.Result)
		}
	}
	test := func(pattern, event string) error {
		return second(n.TestEventPattern(ctx, &eb.TestEventPatternInput{EventPattern: &pattern, Event: &event}))
	}
	refused(t, "pattern", test(`{"source":"shop"}`, event), "InvalidEventPatternException", `Event pattern is not valid. Reason: "source" must be an object or an array`)
	refused(t, "member", test(`{"source":["shop"]}`, `{"source":"shop"}`), "ValidationException", "id is a required field")
	refused(t, "event", test(`{"source":["shop"]}`, `[]`), "ValidationException", "Event")
}

// What a crash at the transaction leaves: all of a call, or nothing.
func TestCrashLeavesAllOrNothing(t *testing.T) {
	n := start(t)
	n.rule(t, "a", `{"source":["shop"]}`, types.Target{}, types.Target{})
	c := n.config
	c.Store = broken{n.store}
	s := bus.New(c)
	if _, err := s.PutEvents(ctx, []bus.Entry{{Source: "shop", DetailType: "x", Detail: "{}"}, {Source: "shop", DetailType: "x", Detail: "{}"}}); !errors.Is(err, errCrash) {
		t.Errorf("got %v", err)
	}
	if got := n.queue.take(t); len(got) != 0 {
		t.Errorf("%d left", len(got))
	}
}

var errCrash = errors.New("crash")

// broken undoes every transaction at its end.
type broken struct{ store.Store }
