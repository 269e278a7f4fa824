package logs_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/logs"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// noon is the time of all tests, unless they move it.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// node is a Service behind HTTP, with the SDK's client.
type node struct {
	*cloudwatchlogs.Client
	service *logs.Service
	clock   *clock.Manual
}

func start(t testing.TB) *node {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{clock: clock.NewManual(noon)}
	n.service = logs.New(logs.Config{Store: s, Account: "123456789012", Region: "us-east-1", Clock: n.clock})
	router, err := wire.New(n.service.API())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve(t, router))
	transport := &http.Transport{}
	n.Client = cloudwatchlogs.New(cloudwatchlogs.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: sdkhttp.Over(transport)},
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

// refused checks that a call failed with a code and a message.
func refused(t *testing.T, what string, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || message != "" && e.ErrorMessage() != message {
		t.Errorf("%s: %v, want %s %s", what, err, code, message)
	}
}

func createGroup(t testing.TB, n *node, name string) {
	t.Helper()
	if _, err := n.CreateLogGroup(context.Background(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name}); err != nil {
		t.Fatal(err)
	}
}

func createStream(t testing.TB, n *node, group, name string) {
	t.Helper()
	createGroup(t, n, group)
	if _, err := n.CreateLogStream(context.Background(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &name}); err != nil {
		t.Fatal(err)
	}
}
