package wire_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func TestMatch(t *testing.T) {
	e := &echo{}
	lambdaRouter := newRouter(t, wire.API{
		Service: "lambda", Protocols: []wire.Protocol{wire.RestJSON}, Absent: []*smithy.Schema{lambdaschemas.CreateCodeSigningConfig},
		Operations: []wire.Operation{
			echoOp[lambda.GetFunctionInput, lambda.GetFunctionOutput](&e, lambdaschemas.GetFunction),
			echoOp[lambda.ListFunctionsInput, lambda.ListFunctionsOutput](&e, lambdaschemas.ListFunctions),
			echoOp[lambda.ListTagsInput, lambda.ListTagsOutput](&e, lambdaschemas.ListTags),
			echoOp[lambda.ListLayerVersionsInput, lambda.ListLayerVersionsOutput](&e, lambdaschemas.ListLayerVersions),
			echoOp[lambda.GetLayerVersionByArnInput, lambda.GetLayerVersionByArnOutput](&e, lambdaschemas.GetLayerVersionByArn),
		},
	})
	s3Echo, _ := newS3(t)
	logsRouter := newRouter(t, wire.API{
		Service: "logs", Target: "Logs_20140328", Protocols: []wire.Protocol{wire.JSON11, wire.CBOR}, Absent: []*smithy.Schema{logschemas.StartQuery},
		Operations: []wire.Operation{echoOp[cloudwatchlogs.PutLogEventsInput, cloudwatchlogs.PutLogEventsOutput](&e, logschemas.PutLogEvents)},
	})
	for _, c := range []struct {
		router  *wire.Router
		request string // method, target, headers
		want    string // operation and what is telling of the input, or a fault
	}{
		{lambdaRouter, "GET /2015-03-31/functions/f", "GetFunction restJson1 f"},
		{lambdaRouter, "GET /2015-03-31/functions/f?Qualifier=1", "GetFunction restJson1 f"},
		{lambdaRouter, "GET /2015-03-31/functions/", "ListFunctions restJson1 "},
		{lambdaRouter, "GET /2015-03-31/functions", "ListFunctions restJson1 "},
		{lambdaRouter, "GET /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af", "GetFunction restJson1 arn:aws:lambda:us-east-1:1:function:f"},
		{lambdaRouter, "GET /2017-03-31/tags/arn:aws:lambda%2Fx", "ListTags restJson1 arn:aws:lambda/x"},
		{lambdaRouter, "GET /2018-10-31/layers?find=LayerVersion&Arn=a", "GetLayerVersionByArn restJson1 a"},
		{lambdaRouter, "GET /2018-10-31/layers?Arn=a", "UnknownOperationException 404 The service lambda has no operation GET /2018-10-31/layers that Mayfly knows."},
		{lambdaRouter, "PATCH /2015-03-31/functions/f", "UnknownOperationException 404 The service lambda has no operation PATCH /2015-03-31/functions/f that Mayfly knows."},
		{lambdaRouter, "GET /2015-03-31/functions/f/nothing", "UnknownOperationException 404 The service lambda has no operation GET /2015-03-31/functions/f/nothing that Mayfly knows."},
		{lambdaRouter, "POST /2020-04-22/code-signing-configs", "UnknownOperationException 501 The operation CreateCodeSigningConfig of the service lambda is not offered by Mayfly."},
		{s3Echo.router, "GET /photos/a//b/", "GetObject restXml photos a//b/"},
		{s3Echo.router, "GET /photos?list-type=2", "ListObjectsV2 restXml photos"},
		{s3Echo.router, "GET /photos/?list-type=2&prefix=a", "ListObjectsV2 restXml photos"},
		{s3Echo.router, "GET /photos?list-type=3", "NotImplemented 404 The service s3 has no operation GET /photos that Mayfly knows."},
		{s3Echo.router, "GET /photos?acl", "GetBucketAcl restXml photos"},
		{s3Echo.router, "PUT /photos/a%20b", "PutObject restXml photos a b"},
		{s3Echo.router, "PUT /photos/a X-Amz-Copy-Source=b/c", "CopyObject restXml photos a"},
		{logsRouter, "POST / X-Amz-Target=Logs_20140328.PutLogEvents Content-Type=application/x-amz-json-1.1", "PutLogEvents awsJson1_1 "},
		{logsRouter, "POST / X-Amz-Target=Logs_20140328.PutLogEvents Content-Type=application/json", "PutLogEvents awsJson1_1 "},
		{logsRouter, "POST /service/Logs_20140328/operation/PutLogEvents Smithy-Protocol=rpc-v2-cbor", "PutLogEvents rpcv2Cbor "},
		{logsRouter, "POST /service/Logs_20140328/operation/Nope Smithy-Protocol=rpc-v2-cbor", "UnknownOperationException 404 The service logs has no operation Nope that Mayfly knows."},
		{logsRouter, "POST / X-Amz-Target=Logs_20140328.Nope", "UnknownOperationException 400 The service logs has no operation Nope that Mayfly knows."},
		{logsRouter, "POST / X-Amz-Target=Logs_20140328.StartQuery", "UnknownOperationException 501 The operation StartQuery of the service logs is not offered by Mayfly."},
		{logsRouter, "POST / X-Amz-Target=Other.PutLogEvents", "UnknownOperationException 400 The service logs has no operation Other.PutLogEvents that Mayfly knows."},
		{logsRouter, "POST /", "UnknownOperationException 400 The request names no operation of the service logs."},
		{serveSTS(t).router, "GET /?Action=GetCallerIdentity&Version=2011-06-15", "GetCallerIdentity awsQuery "},
		{serveSTS(t).router, "GET /?Action=Nope", "InvalidAction 400 The service sts has no operation Nope that Mayfly knows."},
		{serveSTS(t).router, "GET /", "InvalidAction 400 The request names no operation of the service sts."},
	} {
		t.Run(c.request, func(t *testing.T) {
			parts := strings.Fields(c.request)
			req := httptest.NewRequest(parts[0], parts[1], nil)
			for _, h := range parts[2:] {
				k, v, _ := strings.Cut(h, "=")
				req.Header.Set(k, v)
			}
			if got := match(c.router, req); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func newRouter(t *testing.T, api wire.API) *wire.Router {
	t.Helper()
	r, err := compile(api)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestNewRefuses shows the mistakes that start-up finds in an API's tables.
func TestNewRefuses(t *testing.T) {
	e := &echo{}
	getFunction := echoOp[lambda.GetFunctionInput, lambda.GetFunctionOutput](&e, lambdaschemas.GetFunction)
	rest := []wire.Protocol{wire.RestJSON}
	for _, c := range []struct {
		name, want string
		api        wire.API
	}{
		{"no protocol", "no protocol is listed", wire.API{}},
		{"the same operation twice", "it is listed twice", wire.API{Protocols: rest, Operations: []wire.Operation{getFunction, getFunction}}},
		{"one route for two", "its route is that of GetFunction", wire.API{Protocols: rest, Operations: []wire.Operation{getFunction,
			echoOp[lambda.GetFunctionInput, lambda.GetFunctionOutput](&e, wire.Routed("Other", "GET", "/2015-03-31/functions/{FunctionName}/", 200))}}},
		{"absent but served", "it is served", wire.API{Protocols: rest, Operations: []wire.Operation{getFunction}, Absent: []*smithy.Schema{lambdaschemas.GetFunction}}},
		{"a label without a member", "no member of GetFunctionRequest is bound to the label {Name}", wire.API{Protocols: rest, Operations: []wire.Operation{
			echoOp[lambda.GetFunctionInput, lambda.GetFunctionOutput](&e, wire.Routed("Other", "GET", "/{Name}", 200))}}},
		{"no route", "the schema has no HTTP trait", wire.API{Protocols: rest, Operations: []wire.Operation{
			echoOp[lambda.GetFunctionInput, lambda.GetFunctionOutput](&e, wire.Named("Other"))}}},
		{"a union without types", "no Go type is listed for openSearchIntegrationDetails", wire.API{Protocols: []wire.Protocol{wire.JSON11}, Operations: []wire.Operation{
			echoOp[cloudwatchlogs.GetIntegrationInput, cloudwatchlogs.GetIntegrationOutput](&e, logschemas.GetIntegration)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := compile(c.api); err == nil || !contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// match describes what a request means to a router.
func match(r *wire.Router, req *http.Request) string {
	call, err := r.Match(req)
	if err != nil {
		f := fault.As(err)
		return fmt.Sprint(f.Code, " ", f.Status, " ", f.Message)
	}
	in, err := call.Decode(req, nil)
	if err != nil {
		return err.Error()
	}
	what := ""
	switch in := in.(type) {
	case *lambda.GetFunctionInput:
		what = *in.FunctionName
	case *lambda.ListTagsInput:
		what = *in.Resource
	case *lambda.GetLayerVersionByArnInput:
		what = *in.Arn
	case *s3.GetObjectInput:
		what = *in.Bucket + " " + *in.Key
	case *s3.PutObjectInput:
		what = *in.Bucket + " " + *in.Key
	case *s3.CopyObjectInput:
		what = *in.Bucket + " " + *in.Key
	case *s3.ListObjectsV2Input:
		what = *in.Bucket
	case *s3.GetBucketAclInput:
		what = *in.Bucket
	}
	return call.Operation() + " " + call.Protocol().String() + " " + what
}
