package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logsschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/trace"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "123456789012"
	region  = "us-east-1"
)

// door is a gateway over a few operations that stand for services.
type door struct {
	url      string
	root     *auth.Root
	sessions *auth.Sessions
	handler  *gateway.Gateway
	log      *logged
	server   *httptest.Server
}

func openDoor(t testing.TB, change ...func(*gateway.Config)) *door {
	t.Helper()
	dir := t.TempDir()
	root, err := auth.OpenRoot(dir, account)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := auth.OpenSessions(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	tracing, err := trace.New(t.Context(), trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{root: root, sessions: sessions, log: &logged{}}
	c := gateway.Config{
		APIs:        []*wire.Router{lambdaAPI(t), logsAPI(t)},
		Auth:        auth.NewVerifier(auth.Config{Keys: auth.Ring{root, sessions}, Region: region}),
		Permissions: gateway.NewPermissions(gateway.PermissionsConfig{Identities: ownerOnly{}, Region: region}),
		Tracing:     tracing,
		Log:         slog.New(slog.NewJSONHandler(d.log, nil)),
		Version:     "test",
	}
	for _, f := range change {
		f(&c)
	}
	d.handler = gateway.New(c)
	d.server = httptest.NewUnstartedServer(d.handler)
	d.server.Config = gateway.Server(d.handler, c.Log)
	d.server.Start()
	t.Cleanup(d.server.Close)
	d.url = d.server.URL
	return d
}

// ownerOnly knows no policies: root may do everything and others nothing.
type ownerOnly struct{}

func (ownerOnly) Caller(_ context.Context, p auth.Principal) (*iam.Caller, error) {
	kind := policy.RoleSession
	switch p.Kind {
	case auth.RootUser:
		kind = policy.Root
	case auth.Anonymous:
		kind = policy.Anonymous
	}
	return &iam.Caller{Principal: policy.Principal{Type: kind, ARN: p.ARN, Account: p.Account, Issuer: p.RoleARN}}, nil
}

func (ownerOnly) Note(auth.Principal, string) {}

// asks is a table in which every operation asks for the permission of its own name,
// on what the member names.
func asks(service, member, before string, ops ...wire.Operation) access.Table {
	t := access.Table{}
	for _, op := range ops {
		t[op.Name()] = access.Rule{
			Action: service + ":" + op.Name(),
			Resources: func(_ context.Context, in any) []string {
				if member == "" {
					return nil
				}
				return []string{"arn:aws:" + service + ":" + region + ":" + account + ":" + before + access.Text(in, member)}
			},
			Keys: func(_ context.Context, in any) access.Keys {
				return access.Keys{"test:Function": {access.Text(in, "FunctionName")}}
			},
		}
	}
	return t
}

// lambdaAPI echoes payloads; the function's name says what goes wrong.
func lambdaAPI(t testing.TB) *wire.Router {
	t.Helper()
	invoke := func(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		switch aws.ToString(in.FunctionName) {
		case "panics":
			panic("the secret is swordfish")
		case "fails":
			return nil, errors.New("the secret is swordfish")
		case "missing":
			return nil, fault.New(http.StatusNotFound, "ResourceNotFoundException", "Function not found: missing")
		case "who":
			p := auth.From(ctx)
			return &lambda.InvokeOutput{StatusCode: 200, Payload: []byte(`"` + p.ARN + " " + id.Request(ctx) + " " + trace.Header(ctx) + `"`)}, nil
		}
		return &lambda.InvokeOutput{StatusCode: 200, Payload: in.Payload, ExecutedVersion: aws.String("$LATEST")}, nil
	}
	create := func(_ context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
		return &lambda.CreateFunctionOutput{FunctionName: in.FunctionName, CodeSize: int64(len(in.Code.ZipFile))}, nil
	}
	ops := []wire.Operation{wire.Op(lambdaschemas.Invoke, invoke), wire.Op(lambdaschemas.CreateFunction, create)}
	r, err := wire.New(wire.API{
		Service: "lambda", Protocols: []wire.Protocol{wire.RestJSON}, Errors: lambda.TypeRegistry,
		Operations: ops, Access: asks("lambda", "FunctionName", "function:", ops...),
		Absent: []*smithy.Schema{lambdaschemas.GetFunctionScalingConfig},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func logsAPI(t testing.TB) *wire.Router {
	t.Helper()
	put := func(_ context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
		return &cloudwatchlogs.PutLogEventsOutput{NextSequenceToken: in.LogEvents[0].Message}, nil
	}
	ops := []wire.Operation{wire.Op(logsschemas.PutLogEvents, put)}
	r, err := wire.New(wire.API{
		Service: "logs", Target: "Logs_20140328", Protocols: []wire.Protocol{wire.JSON11, wire.CBOR}, Errors: cloudwatchlogs.TypeRegistry,
		Operations: ops, Access: asks("logs", "LogGroupName", "log-group:", ops...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// logged collects the gateway's log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// config is the SDK's configuration for the root user.
func (d *door) config() aws.Config {
	return d.configOf(d.root.AccessKeyID(), d.root.SecretAccessKey(), "")
}

func (d *door) configOf(key, secret, token string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &d.url, HTTPClient: d.server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func (d *door) lambda() *lambda.Client { return lambda.NewFromConfig(d.config()) }

// said gives code and message of an SDK's error.
func said(err error) string {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return "no API error: " + errText(err)
	}
	return e.ErrorCode() + ": " + e.ErrorMessage()
}

func errText(err error) string {
	if err == nil {
		return "success"
	}
	return err.Error()
}

func TestSDKsCallOperations(t *testing.T) {
	d := openDoor(t)
	out, err := d.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("hello"), Payload: []byte(`{"a":1}`)})
	if err != nil || string(out.Payload) != `{"a":1}` {
		t.Errorf("lambda: %v, %v", out, err)
	}
	logs := cloudwatchlogs.NewFromConfig(d.config())
	put, err := logs.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
		LogEvents: []logstypes.InputLogEvent{{Message: aws.String("hi"), Timestamp: aws.Int64(1)}}})
	if err != nil || aws.ToString(put.NextSequenceToken) != "hi" {
		t.Errorf("logs: %v, %v", put, err)
	}
}

func TestOperationsKnowTheirCaller(t *testing.T) {
	d := openDoor(t)
	out, err := d.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("who")})
	if err != nil {
		t.Fatal(err)
	}
	var who string
	if err := json.Unmarshal(out.Payload, &who); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(who, " ")
	if parts[0] != "arn:aws:iam::123456789012:root" || len(parts[1]) != 36 || !strings.HasPrefix(parts[2], "Root=1-") {
		t.Errorf("operation saw %q", who)
	}
	if got, _ := metadataID(out.ResultMetadata); got != parts[1] {
		t.Errorf("the answer's request id is %q, the operation's %q", got, parts[1])
	}
}

func TestFunctionsMayDoNothingYet(t *testing.T) {
	d := openDoor(t)
	c, err := d.sessions.ForRole("arn:aws:iam::123456789012:role/reader", "hello", "arn:aws:lambda:us-east-1:123456789012:function:hello", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cfg := d.configOf(c.AccessKeyID, c.Secret, c.Token)
	_, err = lambda.NewFromConfig(cfg).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("other")})
	want := "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/reader/hello is not authorized to perform: lambda:Invoke " +
		"on resource: arn:aws:lambda:us-east-1:123456789012:function:other because no identity-based policy allows the lambda:Invoke action"
	if got := said(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err = cloudwatchlogs.NewFromConfig(cfg).PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"),
		LogStreamName: aws.String("s"), LogEvents: []logstypes.InputLogEvent{{Message: aws.String("hi"), Timestamp: aws.Int64(1)}}})
	if got := said(err); !strings.Contains(got, "on resource: arn:aws:logs:us-east-1:123456789012:log-group:g because") {
		t.Errorf("got %s", got)
	}
	if d.log.String() != "" {
		t.Errorf("what callers may not do was logged: %s", d.log)
	}
	d.sessions.Revoke(c.AccessKeyID, c.Expires)
	_, err = lambda.NewFromConfig(cfg).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("other")})
	if got := said(err); got != "UnrecognizedClientException: The security token included in the request is invalid." {
		t.Errorf("revoked: %s", got)
	}
}

func TestWhatSDKsAreTold(t *testing.T) {
	d := openDoor(t)
	wrong := d.configOf(d.root.AccessKeyID(), "not the secret", "")
	elsewhere := d.config()
	elsewhere.Region = "eu-west-1"
	for _, tt := range []struct {
		name string
		cfg  aws.Config
		fn   string
		want string
	}{
		{"a fault of the service", d.config(), "missing", "ResourceNotFoundException: Function not found: missing"},
		{"an error of ours", d.config(), "fails", "InternalFailure: The request failed because of an error inside Mayfly; its log has the details under this request id."},
		{"a panic", d.config(), "panics", "InternalFailure: The request failed because of an error inside Mayfly; its log has the details under this request id."},
		{"a wrong secret", wrong, "hello", "InvalidSignatureException: The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
		{"another region", elsewhere, "hello", "InvalidSignatureException: Credential should be scoped to a valid region, not 'eu-west-1'. "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := lambda.NewFromConfig(tt.cfg).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &tt.fn})
			if got := said(err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if n := strings.Count(d.log.String(), "swordfish"); n != 2 { // one error, one panic
		t.Errorf("our own errors were logged %d times, want each once:\n%s", n, d.log)
	}
	if !strings.Contains(d.log.String(), "goroutine") {
		t.Error("the panic's stack is not in the log")
	}
	_, err := d.lambda().GetFunctionScalingConfig(t.Context(), &lambda.GetFunctionScalingConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")})
	if got := said(err); !strings.Contains(got, "GetFunctionScalingConfig") {
		t.Errorf("an operation we have not: %s", got)
	}
}

func TestUnsignedRequests(t *testing.T) {
	d := openDoor(t)
	for _, tt := range []struct {
		name, method, path, headers, code string
		status                            int
	}{
		{"a browser", "GET", "/", "", "MissingAuthenticationTokenException", 403},
		{"a path of Lambda's", "POST", "/2015-03-31/functions/f/invocations", "", "MissingAuthenticationTokenException", 403},
		{"a target", "POST", "/", "X-Amz-Target: Logs_20140328.PutLogEvents", "MissingAuthenticationTokenException", 400},
		{"a form", "POST", "/", "Content-Type: application/x-www-form-urlencoded", "MissingAuthenticationToken", 403},
		{"a bearer token", "GET", "/", "Authorization: Bearer abc", "IncompleteSignatureException", 403},
		{"a service we have not", "GET", "/", "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00\r\n" +
			"X-Amz-Date: 20260101T000000Z", `The service \"kinesis\" is not offered by Mayfly. It offers: lambda, logs.`, 501},
		{"S3, which we have not", "GET", "/", "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00\r\n" +
			"X-Amz-Date: 20260101T000000Z", `<Error><Code>NotImplemented</Code><Message>The service &#34;s3&#34; is not offered by Mayfly.`, 501},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest(tt.method, d.url+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range strings.Split(tt.headers, "\r\n") {
				if name, value, ok := strings.Cut(h, ": "); ok {
					r.Header.Set(name, value)
				}
			}
			resp, body := do(t, d, r)
			if resp.StatusCode != tt.status || !strings.Contains(body+resp.Header.Get("X-Amzn-Errortype"), tt.code) {
				t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
			}
			if id := resp.Header.Get("X-Amzn-Requestid") + resp.Header.Get("X-Amz-Request-Id"); len(id) != 36 || !strings.HasPrefix(resp.Header.Get("X-Amzn-Trace-Id"), "Root=1-") {
				t.Errorf("no ids: %v", resp.Header)
			}
		})
	}
	if d.log.String() != "" {
		t.Errorf("what strangers did wrong was logged: %s", d.log)
	}
}

// do sends r and reads the answer.
func do(t testing.TB, d *door, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := d.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}
