package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/bus"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
	prefix  = "arn:aws:events:" + region + ":" + account + ":"
	queue   = "arn:aws:sqs:" + region + ":" + account + ":q"
)

// noon is the time of all tests, unless they move it.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// node is a Service behind HTTP, with the SDK's client.
type node struct {
	*eb.Client
	service *bus.Service
	config  bus.Config
	store   store.Store
	clock   *clock.Manual
	queue   *queueing
	targets *targets
}

// queueing stands in for the queue of deliveries: it keeps them in the store, so that they
// are there if and only if the transaction was.
type queueing struct {
	store  store.Store
	refuse error
}

func (q *queueing) Enqueue(_ context.Context, tx store.Tx, list []bus.Delivery) error {
	for _, d := range list {
		b, err := record.Marshal(d)
		if err != nil {
			return err
		}
		if err := tx.Set(store.Key("deliveries", d.ID), b); err != nil {
			return err
		}
	}
	return q.refuse
}

// take gives what was queued, by target and payload, and forgets it.
func (q *queueing) take(t testing.TB) (list []bus.Delivery) {
	t.Helper()
	err := q.store.Update(context.Background(), func(tx store.Tx) error {
		list = nil
		r := store.Prefix(store.Key("deliveries"))
		for p, err := range tx.Scan(r) {
			if err != nil {
				return err
			}
			var d bus.Delivery
			if err := record.Unmarshal(p.Value, &d); err != nil {
				return err
			}
			list = append(list, d)
		}
		return tx.DeleteRange(r.Start, r.End)
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// targets stands in for what is delivered to: it writes down calls, and answers fail.
type targets struct {
	mu    sync.Mutex
	calls []bus.Call
	dead  []string
	fail  error
}

func (g *targets) Check(arn string) error {
	if strings.Contains(arn, ":ecs:") {
		return errors.New("this node does not serve ecs")
	}
	return nil
}

func (g *targets) Deliver(_ context.Context, c bus.Call) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, c)
	return g.fail
}

func (g *targets) DeadLetter(_ context.Context, arn string, body []byte, attributes map[string]string) error {
	g.dead = append(g.dead, fmt.Sprint(arn, " ", string(body), " ", attributes))
	return nil
}

// vault stands in for the node's key: it turns bytes over behind their label.
type vault struct{}

func (vault) Seal(label string, plain []byte) ([]byte, error) {
	return append([]byte(label+"|"), turned(plain)...), nil
}

func (vault) Unseal(label string, sealed []byte) ([]byte, error) {
	rest, ok := strings.CutPrefix(string(sealed), label+"|")
	if !ok {
		return nil, errors.New("sealed under another label")
	}
	return turned([]byte(rest)), nil
}

func turned(b []byte) []byte {
	t := append([]byte(nil), b...)
	for i := range t {
		t[i] ^= 0xff
	}
	return t
}

// grammar stands in for whoever knows policies.
type grammar struct{}

func (grammar) Check(document []byte, _ string) error {
	if !strings.Contains(string(document), `"Statement"`) {
		return errors.New("Missing required field Statement")
	}
	return nil
}

func start(t testing.TB) *node {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	s, err := pebble.Open(context.Background(), pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{clock: clock.NewManual(noon), store: s, queue: &queueing{store: s}, targets: &targets{}}
	n.config = bus.Config{
		Store: s, Queue: n.queue, Targets: n.targets, HTTP: http.DefaultClient, Vault: vault{}, Policies: grammar{},
		Account: account, Region: region, Clock: n.clock,
	}
	n.service = bus.New(n.config)
	router, err := wire.New(n.service.API())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve(t, router))
	transport := &http.Transport{}
	n.Client = eb.New(eb.Options{
		Region: region, BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		http.DefaultClient.CloseIdleConnections()
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, ignore)
	})
	return n
}

// serve is a door without a lock.
func serve(t testing.TB, router *wire.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		call, err := router.Match(r)
		if err != nil {
			router.WriteError(w, r, err, "id")
			return
		}
		in, err := call.Decode(r, body)
		if err != nil {
			call.WriteError(w, err, "id")
			return
		}
		call.Serve(r.Context(), w, in, "id")
	})
}

// ok ends the test unless a call has succeeded.
func ok[O any](t testing.TB) func(*O, error) *O {
	return func(out *O, err error) *O {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// refused checks that a call failed with a code, and a message that contains some words.
func refused(t *testing.T, what string, err error, code, words string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), words) {
		t.Errorf("%s: %v, want %s %s", what, err, code, words)
	}
}

func second[T any](_ T, err error) error { return err }

// equal compares what a test wants with what it got.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: (-want +got)\n%s", what, d)
	}
}

var ctx = context.Background()

// rule makes a rule with a pattern, and targets, each for the queue unless it has another.
func (n *node) rule(t testing.TB, name, pattern string, list ...types.Target) {
	t.Helper()
	ok[eb.PutRuleOutput](t)(n.PutRule(ctx, &eb.PutRuleInput{Name: &name, EventPattern: &pattern}))
	for i := range list {
		if list[i].Id == nil {
			list[i].Id = aws.String(fmt.Sprint("t", i))
		}
		if list[i].Arn == nil {
			list[i].Arn = aws.String(queue)
		}
	}
	if len(list) > 0 {
		ok[eb.PutTargetsOutput](t)(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: &name, Targets: list}))
	}
}

// entry is an event from "shop".
func entry(detail string) types.PutEventsRequestEntry {
	return types.PutEventsRequestEntry{Source: aws.String("shop"), DetailType: aws.String("order"), Detail: &detail}
}

// put puts events on the default bus and gives their ids.
func (n *node) put(t testing.TB, entries ...types.PutEventsRequestEntry) (ids []string) {
	t.Helper()
	out := ok[eb.PutEventsOutput](t)(n.PutEvents(ctx, &eb.PutEventsInput{Entries: entries}))
	for _, e := range out.Entries {
		if e.EventId == nil {
			t.Fatalf("refused: %s %s", *e.ErrorCode, *e.ErrorMessage)
		}
		ids = append(ids, *e.EventId)
	}
	return ids
}

// payloads are what was queued, by the last part of the rule's ARN.
func payloads(list []bus.Delivery) map[string]string {
	m := map[string]string{}
	for _, d := range list {
		m[d.RuleARN[strings.LastIndex(d.RuleARN, "/")+1:]+" "+d.Target.ID] = string(d.Payload)
	}
	return m
}
