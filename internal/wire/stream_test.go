package wire_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

type (
	invokeStream = wire.EventStream[lambda.InvokeWithResponseStreamOutput]
	chunk        = lambdatypes.InvokeWithResponseStreamResponseEventMemberPayloadChunk
	complete     = lambdatypes.InvokeWithResponseStreamResponseEventMemberInvokeComplete
)

// streamingLambda serves InvokeWithResponseStream with the function.
func streamingLambda(t *testing.T, serve func(ctx context.Context, in *lambda.InvokeWithResponseStreamInput, events *invokeStream) error) *lambda.Client {
	t.Helper()
	router, err := compile(wire.API{
		Service: "lambda", Protocols: []wire.Protocol{wire.RestJSON}, Errors: lambda.TypeRegistry,
		Operations: []wire.Operation{wire.Stream(lambdaschemas.InvokeWithResponseStream, serve)},
		Unions:     []wire.Union{wire.Variants[lambdatypes.InvokeWithResponseStreamResponseEvent](&chunk{}, &complete{})},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(&echo{router: router})
	t.Cleanup(srv.Close)
	return lambda.New(lambda.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &srv.URL, Retryer: aws.NopRetryer{}})
}

func TestStreamReachesTheSDK(t *testing.T) {
	client := streamingLambda(t, func(_ context.Context, in *lambda.InvokeWithResponseStreamInput, events *invokeStream) error {
		if err := events.Start(&lambda.InvokeWithResponseStreamOutput{
			ExecutedVersion: aws.String("7"), StatusCode: 200,
		}); err != nil {
			return err
		}
		for _, b := range [][]byte{[]byte("hello "), in.Payload} {
			if err := events.Send(&chunk{Value: lambdatypes.InvokeResponseStreamUpdate{Payload: b}}); err != nil {
				return err
			}
		}
		return events.Send(&complete{Value: lambdatypes.InvokeWithResponseStreamCompleteEvent{ErrorCode: aws.String("Unhandled"), LogResult: aws.String("bG9n")}})
	})
	out, err := client.InvokeWithResponseStream(t.Context(), &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("f"), Payload: []byte("wörld\x00")})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	var got []any
	for e := range stream.Events() {
		got = append(got, e)
	}
	want := []any{
		&chunk{Value: lambdatypes.InvokeResponseStreamUpdate{Payload: []byte("hello ")}},
		&chunk{Value: lambdatypes.InvokeResponseStreamUpdate{Payload: []byte("wörld\x00")}},
		&complete{Value: lambdatypes.InvokeWithResponseStreamCompleteEvent{ErrorCode: aws.String("Unhandled"), LogResult: aws.String("bG9n")}},
	}
	if diff := cmp.Diff(want, got, same); diff != "" || stream.Err() != nil {
		t.Errorf("err %v, events (-want +got):\n%s", stream.Err(), diff)
	}
	// The SDK reads the stream's type from the header that says it is a stream.
	if *out.ExecutedVersion != "7" || *out.ResponseStreamContentType != "application/vnd.amazon.eventstream" || out.StatusCode != 200 {
		t.Errorf("initial response: %s", show(out))
	}
}

func TestStreamErrors(t *testing.T) {
	busy := fault.New(429, "TooManyRequestsException", "Rate Exceeded.").With("Reason", "ConcurrentInvocationLimitExceeded")
	for _, c := range []struct {
		name    string
		serve   func(ctx context.Context, in *lambda.InvokeWithResponseStreamInput, events *invokeStream) error
		atStart bool
		code    string
	}{
		{"before the first event", func(context.Context, *lambda.InvokeWithResponseStreamInput, *invokeStream) error { return busy }, true, "TooManyRequestsException"},
		{"after the first event", func(_ context.Context, _ *lambda.InvokeWithResponseStreamInput, events *invokeStream) error {
			return errors.Join(events.Send(&chunk{}), busy)
		}, false, "TooManyRequestsException"},
		{"an error of ours", func(_ context.Context, _ *lambda.InvokeWithResponseStreamInput, events *invokeStream) error {
			return errors.Join(events.Send(&chunk{}), errors.New("secret"))
		}, false, "InternalFailure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := streamingLambda(t, c.serve).InvokeWithResponseStream(t.Context(), &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("f")})
			if (err != nil) != c.atStart {
				t.Fatalf("err at start = %v", err)
			}
			if err == nil {
				stream := out.GetStream()
				for range stream.Events() {
				}
				err = stream.Err()
				stream.Close()
			}
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

// TestStreamOfRPC checks that protocols without headers of their own send the
// initial response as an event: the SDK waits for it.
func TestStreamOfRPC(t *testing.T) {
	type update = logstypes.StartLiveTailResponseStreamMemberSessionUpdate
	event := &update{Value: logstypes.LiveTailSessionUpdate{SessionResults: []logstypes.LiveTailSessionLogEvent{{Message: aws.String("hello"), Timestamp: aws.Int64(12)}}}}
	router, err := compile(wire.API{
		Service: "logs", Target: "Logs_20140328", Protocols: []wire.Protocol{wire.JSON11}, Errors: cloudwatchlogs.TypeRegistry,
		Operations: []wire.Operation{wire.Stream(logschemas.StartLiveTail,
			func(_ context.Context, _ *cloudwatchlogs.StartLiveTailInput, events *wire.EventStream[cloudwatchlogs.StartLiveTailOutput]) error {
				return events.Send(event)
			})},
		Unions: []wire.Union{wire.Variants[logstypes.StartLiveTailResponseStream](&update{}, &logstypes.StartLiveTailResponseStreamMemberSessionStart{})},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(&echo{router: router})
	t.Cleanup(srv.Close)
	dial := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String()) // the SDK adds a prefix to the host
	}}
	t.Cleanup(dial.CloseIdleConnections)
	client := cloudwatchlogs.New(cloudwatchlogs.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &srv.URL, Retryer: aws.NopRetryer{},
		HTTPClient: &http.Client{Transport: sdkhttp.Over(dial)}})
	out, err := client.StartLiveTail(t.Context(), &cloudwatchlogs.StartLiveTailInput{LogGroupIdentifiers: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	got, ok := <-stream.Events()
	if diff := cmp.Diff(logstypes.StartLiveTailResponseStream(event), got, same); !ok || diff != "" {
		t.Errorf("open %v, err %v, (-want +got):\n%s", ok, stream.Err(), diff)
	}
}
