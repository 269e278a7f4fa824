package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// TestFaultIsTheSDKsError answers an operation of each service with a fault in
// every protocol, and expects the SDK's client to see its own type of error.
func TestFaultIsTheSDKsError(t *testing.T) {
	const message = `It is <not> "there": é`
	ops := map[string]struct{ op, code string }{
		"lambda":   {"DeleteFunction", "ResourceNotFoundException"},
		"logs":     {"DeleteLogGroup", "ResourceNotFoundException"},
		"dynamodb": {"DeleteTable", "ResourceInUseException"},
		"sqs":      {"GetQueueUrl", "QueueDoesNotExist"},
	}
	for _, s := range services {
		for p, protocol := range protocols {
			if (p == wire.RestJSON) != (s.name == "lambda") || p == wire.RestXML {
				continue // restXml's errors are S3's, which no client with schemas reads
			}
			t.Run(s.name+"/"+p.String(), func(t *testing.T) {
				e := newEcho(t, &s, p, newFiller(&s, p))
				e.err = fault.New(400, ops[s.name].code, "%s", message)
				err := e.call(s.client(e, protocol(s.schema)), ops[s.name].op)
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorMessage() != message {
					t.Fatalf("got %v, want the message %s", err, message)
				}
				if want := "*types." + ops[s.name].code; fmt.Sprintf("%T", api) != want {
					t.Errorf("got a %T, want %s", api, want)
				}
			})
		}
	}
}

func TestFaultOfLambda(t *testing.T) {
	s := service("lambda")
	e := newEcho(t, s, wire.RestJSON, newFiller(s, wire.RestJSON))
	client := s.client(e, nil).(*lambda.Client)
	e.err = &fault.Error{Code: "TooManyRequestsException", Status: 429, Message: "Rate Exceeded.", Type: "User",
		Fields: map[string]string{"Reason": "ConcurrentInvocationLimitExceeded", "retryAfterSeconds": "3"}}
	_, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	var busy *lambdatypes.TooManyRequestsException
	if !errors.As(err, &busy) {
		t.Fatal(err)
	}
	want := &lambdatypes.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Type: aws.String("User"),
		Reason: "ConcurrentInvocationLimitExceeded", RetryAfterSeconds: aws.String("3")}
	if diff := cmp.Diff(want, busy, same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestQueryCompatible checks what clients that once spoke awsQuery switch on.
func TestQueryCompatible(t *testing.T) {
	e := serveSQS(t)
	e.err = fault.New(400, "QueueDoesNotExist", "The specified queue does not exist.")
	client := sqs.New(sqs.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &e.url, Retryer: aws.NopRetryer{}})
	_, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("got %v", err)
	}
}

// TestErrorBodies shows what an error looks like in each protocol.
func TestErrorBodies(t *testing.T) {
	err := fmt.Errorf("deep inside: %w", fault.New(404, "NotThere", "No <such> thing.").With("Thing", "a & b"))
	for _, c := range []struct {
		p                 wire.Protocol
		contentType, body string
	}{
		{wire.RestJSON, "application/json", `{"message":"No <such> thing.","Thing":"a & b"}`},
		{wire.JSON10, "application/x-amz-json-1.0", `{"__type":"NotThere","message":"No <such> thing.","Thing":"a & b"}`},
		{wire.JSON11, "application/x-amz-json-1.1", `{"__type":"NotThere","message":"No <such> thing.","Thing":"a & b"}`},
		{wire.Query, "text/xml", `<ErrorResponse><Error><Type>Sender</Type><Code>NotThere</Code><Message>No &lt;such&gt; thing.</Message><Thing>a &amp; b</Thing></Error><RequestId>id-1</RequestId></ErrorResponse>`},
		{wire.RestXML, "application/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NotThere</Code><Message>No &lt;such&gt; thing.</Message><Thing>a &amp; b</Thing><RequestId>id-1</RequestId></Error>"},
		{wire.CBOR, "application/cbor", "\xbff__typehNotThere" + "gmessagepNo <such> thing." + "eThingea & b\xff"},
	} {
		w := httptest.NewRecorder()
		wire.WriteError(w, c.p, err, "id-1")
		if w.Code != 404 || w.Header().Get("Content-Type") != c.contentType || w.Body.String() != c.body {
			t.Errorf("%s: status %d, type %s, body\n%q, want\n%q", c.p, w.Code, w.Header().Get("Content-Type"), w.Body, c.body)
		}
		if id := w.Header().Get("X-Amzn-Requestid") + w.Header().Get("X-Amz-Request-Id"); id != "id-1" {
			t.Errorf("%s: request id %q", c.p, id)
		}
	}
}

func TestInternalErrorsStayInside(t *testing.T) {
	for p := range protocols {
		w := httptest.NewRecorder()
		wire.WriteError(w, p, errors.New("the secret is 42"), "id-1")
		if w.Code != http.StatusInternalServerError || contains(w.Body.String(), "42") || !contains(w.Body.String()+w.Header().Get("X-Amzn-Errortype"), "InternalFailure") {
			t.Errorf("%s: status %d, body %s", p, w.Code, w.Body)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	w := httptest.NewRecorder()
	wire.WriteError(w, wire.RestJSON, &fault.Error{Code: "Busy", Status: 429, RetryAfter: 5}, "id-1")
	if got := w.Header().Get("Retry-After"); got != "5" {
		t.Errorf("Retry-After = %q", got)
	}
}

// TestDynamoErrorNamesItsNamespace: awsJson 1.0 writes the whole id of the shape.
func TestDynamoErrorNamesItsNamespace(t *testing.T) {
	router, err := compile(wire.API{Service: "dynamodb", Protocols: []wire.Protocol{wire.JSON10}, Errors: dynamodb.TypeRegistry})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	router.WriteError(w, httptest.NewRequest("POST", "/", nil), fault.New(400, "ResourceNotFoundException", "Gone."), "id-1")
	if want := `{"__type":"com.amazonaws.dynamodb#ResourceNotFoundException","message":"Gone."}`; w.Body.String() != want {
		t.Errorf("got %s, want %s", w.Body, want)
	}
}

func TestSTSFault(t *testing.T) {
	e := serveSTS(t)
	e.err = fault.New(403, "AccessDenied", "User is not authorized.")
	client := sts.New(sts.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &e.url, Retryer: aws.NopRetryer{}})
	_, err := client.GetCallerIdentity(t.Context(), nil)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" || api.ErrorMessage() != "User is not authorized." {
		t.Errorf("got %v", err)
	}
}
