package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/queue"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
	prefix  = "arn:aws:sqs:" + region + ":" + account + ":"
)

// noon is the time of all tests, unless they move it.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// node is a Service behind HTTP, with the SDK's client.
type node struct {
	*sqs.Client
	service *queue.Service
	store   store.Store
	clock   *clock.Manual
	url     string
	http    *http.Client
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
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{clock: clock.NewManual(noon), store: s}
	messages, err := message.Open(t.Context(), message.Config{Store: s, Clock: n.clock})
	if err != nil {
		t.Fatal(err)
	}
	n.service = queue.New(queue.Config{
		Store: s, Messages: messages, Policies: grammar{}, Endpoint: at("http://queues.example:4566"), Account: account, Region: region, Clock: n.clock,
	})
	router, err := wire.New(n.service.API())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve(t, router))
	transport := &http.Transport{}
	n.url, n.http = server.URL, &http.Client{Transport: transport}
	n.Client = sqs.New(sqs.Options{
		Region: region, BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{}, HTTPClient: n.http,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
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
		r.Body = io.NopCloser(strings.NewReader(string(body)))
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
		call.Serve(auth.With(r.Context(), auth.Principal{UserID: "AIDASENDER"}), w, in, "id")
	})
}

// form calls an operation by awsQuery and gives the status and body.
func (n *node) form(t testing.TB, action string, pairs ...string) (int, string) {
	t.Helper()
	v := url.Values{"Action": {action}, "Version": {"2012-11-05"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	resp, err := n.http.PostForm(n.url+"/", v)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
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

// create makes a queue with attributes, by pairs, and gives its URL.
func (n *node) create(t testing.TB, name string, pairs ...string) *string {
	t.Helper()
	return ok[sqs.CreateQueueOutput](t)(n.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name, Attributes: mapOf(pairs)})).QueueUrl
}

func mapOf(pairs []string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func (n *node) send(t testing.TB, q *string, bodies ...string) {
	t.Helper()
	for i, b := range bodies {
		in := &sqs.SendMessageInput{QueueUrl: q, MessageBody: &b}
		if strings.HasSuffix(*q, ".fifo") {
			in.MessageGroupId, in.MessageDeduplicationId = aws.String("g"), aws.String(fmt.Sprint(b, i))
		}
		ok[sqs.SendMessageOutput](t)(n.SendMessage(context.Background(), in))
	}
}

// receive gives up to ten messages.
func (n *node) receive(t testing.TB, q *string) []types.Message {
	t.Helper()
	return ok[sqs.ReceiveMessageOutput](t)(n.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
		QueueUrl: q, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})).Messages
}

func bodies(list []types.Message) (texts []string) {
	for _, m := range list {
		texts = append(texts, *m.Body)
	}
	return texts
}

// attributes gives attributes of a queue.
func (n *node) attributes(t testing.TB, q *string, names ...types.QueueAttributeName) map[string]string {
	t.Helper()
	return ok[sqs.GetQueueAttributesOutput](t)(n.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: q, AttributeNames: names})).Attributes
}

func (n *node) set(q *string, pairs ...string) error {
	return second(n.SetQueueAttributes(context.Background(), &sqs.SetQueueAttributesInput{QueueUrl: q, Attributes: mapOf(pairs)}))
}

// at is where everybody reaches a node.
func at(endpoint string) func(context.Context) string {
	return func(context.Context) string { return endpoint }
}
