package logs_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/mayfly-cloud/mayfly/internal/logs"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
)

// TestLiveTail: what is stored after the session began is shown, once.
func TestLiveTail(t *testing.T) {
	n, ctx := start(t), t.Context()
	createStream(t, n, group, "s")
	put(t, n, "s", at(-1, "before ERROR"))
	n.clock.Advance(1)
	address := (*n.Options().BaseEndpoint)[len("http://"):]
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address) // the SDK puts "stream-" before the host
	}}
	defer transport.CloseIdleConnections()
	out, err := n.StartLiveTail(ctx, &cloudwatchlogs.StartLiveTailInput{
		LogGroupIdentifiers: []string{"arn:aws:logs:us-east-1:123456789012:log-group:" + group}, LogEventFilterPattern: aws.String("ERROR"),
	}, func(o *cloudwatchlogs.Options) { o.HTTPClient = &http.Client{Transport: sdkhttp.Over(transport)} })
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	if _, ok := (<-stream.Events()).(*types.StartLiveTailResponseStreamMemberSessionStart); !ok {
		t.Fatal("the first event is not the session's start")
	}
	n.service.Append(group, "s", []logs.Event{line(0, "ERROR one"), line(0, "INFO two"), line(1, "ERROR three")})
	if err := n.service.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	var got []string
	for updates := 0; updates < 3; updates++ {
		update, ok := (<-stream.Events()).(*types.StartLiveTailResponseStreamMemberSessionUpdate)
		if !ok {
			t.Fatalf("the stream ended: %v", stream.Err())
		}
		for _, e := range update.Value.SessionResults {
			got = append(got, *e.Message)
		}
	}
	if len(got) != 2 || got[0] != "ERROR one" || got[1] != "ERROR three" {
		t.Errorf("shown: %q", got)
	}
}

func TestLiveTailRefused(t *testing.T) {
	n := start(t)
	for name, in := range map[string]*cloudwatchlogs.StartLiveTailInput{
		"ResourceNotFoundException": {LogGroupIdentifiers: []string{"arn:aws:logs:us-east-1:123456789012:log-group:none"}},
		"InvalidParameterException": {LogGroupIdentifiers: []string{}},
	} {
		address := (*n.Options().BaseEndpoint)[len("http://"):]
		transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
		_, err := n.StartLiveTail(t.Context(), in, func(o *cloudwatchlogs.Options) { o.HTTPClient = &http.Client{Transport: sdkhttp.Over(transport)} })
		refused(t, name, err, name, "")
		transport.CloseIdleConnections()
	}
}
