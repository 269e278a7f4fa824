package functions_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestAFunctionAnswersColdAndWarm(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("echo", `
		let calls = 0;
		exports.handler = async (event, context) => {
			console.log('working for', event.name);
			return { event, calls: ++calls, id: context.awsRequestId, arn: context.invokedFunctionArn };
		};`)

	cold := n.Invoke("echo", `{"name":"Ada"}`)
	warm := n.Invoke("echo", `{"name":"Grace"}`)

	var a, b struct {
		Event   struct{ Name string }
		Calls   int
		ID, ARN string
	}
	decode(t, cold.Payload, &a)
	decode(t, warm.Payload, &b)
	if a.Event.Name != "Ada" || b.Event.Name != "Grace" || a.Calls != 1 || b.Calls != 2 {
		t.Errorf("answers %s and %s: want Ada's first and Grace's second call of one environment", cold.Payload, warm.Payload)
	}
	if want := "arn:aws:lambda:us-east-1:" + n.Account + ":function:echo"; a.ARN != want {
		t.Errorf("invoked ARN %q, want %q", a.ARN, want)
	}
	for _, want := range []string{"START RequestId: " + a.ID + " Version: $LATEST", "working for Ada", "END RequestId: " + a.ID, "Init Duration: "} {
		if !strings.Contains(cold.Log, want) {
			t.Errorf("the cold call's log lacks %q:\n%s", want, cold.Log)
		}
	}
	report := regexp.MustCompile(`REPORT RequestId: ` + b.ID + `\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\tMax Memory Used: \d+ MB\t`)
	if !report.MatchString(warm.Log) || strings.Contains(warm.Log, "Init Duration") {
		t.Errorf("the warm call's log has no report of a warm call:\n%s", warm.Log)
	}
}

func TestErrorsOfAFunctionAreToldApart(t *testing.T) {
	n := node.Start(t)
	for _, tt := range []struct {
		name, source        string
		timeout             int32
		wantType, wantMatch string
	}{
		{"throws", `exports.handler = async () => { throw new TypeError('no good') }`, 3, "TypeError", `^no good$`},
		{"exits", `exports.handler = async () => { process.exit(7) }`, 3, "Runtime.ExitError", `Runtime exited with error: exit status 7`},
		{"hangs", `exports.handler = () => new Promise(() => setTimeout(() => {}, 1e6))`, 1, "Sandbox.Timedout", `Task timed out after 1\.00 seconds`},
		{"spins", `exports.handler = () => { for (;;) {} }`, 1, "Sandbox.Timedout", `Task timed out after 1\.00 seconds`},
		{"eats", `exports.handler = async () => { const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1)) }`, 30, "Runtime.OutOfMemory", `signal: killed`},
		{"unloadable", `throw new RangeError('at load')`, 3, "RangeError", `at load`},
		{"missing", `exports.other = async () => 1`, 3, "Runtime.HandlerNotFound", `handler`},
		{"unparsable", `exports.handler = async ( => 1`, 3, "Runtime.UserCodeSyntaxError", ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n.Create(tt.name, types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": tt.source}),
				func(in *lambda.CreateFunctionInput) { in.Timeout, in.MemorySize = &tt.timeout, aws.Int32(128) })
			got := n.Invoke(tt.name, `{}`)
			var body struct{ ErrorType, ErrorMessage string }
			decode(t, got.Payload, &body)
			if got.Error != "Unhandled" || body.ErrorType != tt.wantType || !regexp.MustCompile(tt.wantMatch).MatchString(body.ErrorMessage) {
				t.Errorf("got %q with %s, want Unhandled with %s and /%s/\n%s", got.Error, got.Payload, tt.wantType, tt.wantMatch, got.Log)
			}
			if !strings.Contains(got.Log, "REPORT RequestId: ") {
				t.Errorf("no report of the failed call:\n%s", got.Log)
			}
		})
	}
}

func TestInvocationTypes(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("echo", `exports.handler = async (event, context) => { console.log('ran', JSON.stringify(event)); return context.clientContext }`)
	ctx := t.Context()

	dry, err := n.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("echo"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || dry.StatusCode != 204 {
		t.Errorf("dry run: status %d, %v; want 204", dry.StatusCode, err)
	}
	out, err := n.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("echo"),
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`)))})
	if err != nil || !strings.Contains(string(out.Payload), `"k":"v"`) {
		t.Errorf("client context: %s, %v", out.Payload, err)
	}
	event, err := n.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("echo"), InvocationType: types.InvocationTypeEvent,
		Payload: []byte(`{"seen":"later"}`)})
	if err != nil || event.StatusCode != 202 {
		t.Fatalf("event: status %d, %v; want 202", event.StatusCode, err)
	}
	node.Eventually(t, 10*time.Second, "the event has run", func() bool {
		out, _, err := n.Run("logs", "echo")
		return err == nil && strings.Contains(out, `ran {"seen":"later"}`)
	})
}

func TestInvokeRefusesWhatLambdaRefuses(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("echo", `exports.handler = async (event) => event`)
	for _, tt := range []struct {
		name, function, payload, want string
	}{
		{"unknown function", "nobody", `{}`, "ResourceNotFoundException"},
		{"not JSON", "echo", `{"a":`, "InvalidRequestContentException"},
		{"too large", "echo", `"` + strings.Repeat("x", 6<<20) + `"`, "RequestEntityTooLargeException"},
		{"bad name", "not a name!", `{}`, "ValidationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := n.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &tt.function, Payload: []byte(tt.payload)})
			if got := code(err); got != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestStreamedAnswerArrivesInParts(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("stream", `
		exports.handler = awslambda.streamifyResponse(async (event, out) => {
			for (const part of ['one ', 'two ', 'three']) {
				out.write(part);
				await new Promise((done) => setTimeout(done, 50));
			}
			out.end();
		});`)
	out, err := n.Lambda().InvokeWithResponseStream(t.Context(), &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("stream")})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	var text string
	parts, completed := 0, false
	for e := range stream.Events() {
		switch e := e.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			text += string(e.Value.Payload)
			parts++
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			completed = e.Value.ErrorCode == nil
		}
	}
	if err := stream.Err(); err != nil || text != "one two three" || parts < 2 || !completed {
		t.Errorf("got %q in %d parts, completed %t, %v", text, parts, completed, err)
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("slow", `exports.handler = () => new Promise((done) => setTimeout(() => done(1), 1500))`)
	ctx := t.Context()
	if _, err := n.Lambda().PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("slow"),
		ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	results := make(chan error, 3)
	for range cap(results) {
		go func() {
			_, err := n.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("slow")})
			results <- err
		}()
	}
	throttled := 0
	for range cap(results) {
		var e *types.TooManyRequestsException
		if err := <-results; errors.As(err, &e) {
			throttled++
			if e.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
				t.Errorf("reason %q", e.Reason)
			}
		} else if err != nil {
			t.Error(err)
		}
	}
	if throttled != 2 {
		t.Errorf("%d of 3 calls at once were throttled, want 2", throttled)
	}
}

func decode(t *testing.T, text string, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("decode %.200s: %v", text, err)
	}
}

// code is the AWS error code of err, "" without one.
func code(err error) string {
	var api interface{ ErrorCode() string }
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Without a word of the caller's, a function that only passes traces through is
// not sampled, and one whose tracing is active is, the first time in a second.
func TestTracingModes(t *testing.T) {
	n := node.Start(t)
	for mode, want := range map[types.TracingMode]string{types.TracingModePassThrough: "0", types.TracingModeActive: "1"} {
		name := "traced-" + strings.ToLower(string(mode))
		n.Create(name, types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": `exports.handler = async () => process.env._X_AMZN_TRACE_ID`}),
			func(in *lambda.CreateFunctionInput) { in.TracingConfig = &types.TracingConfig{Mode: mode} })
		if got := n.Invoke(name, `{}`).Payload; !regexp.MustCompile(`^"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=` + want + `"$`).MatchString(got) {
			t.Errorf("%s: the function found %s, want Sampled=%s", mode, got, want)
		}
	}
}
