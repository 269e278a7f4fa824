package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamoschemas "github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// discard is a ResponseWriter that keeps its headers between answers, as a
// connection's does not: what is measured is the codec.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkInvoke is the hot path: match and decode an Invoke, serve nothing,
// encode its answer.
func BenchmarkInvoke(b *testing.B) {
	answer := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: aws.String("$LATEST"), Payload: []byte(`{"ok":true}`)}
	router, err := compile(wire.API{
		Service: "lambda", Protocols: []wire.Protocol{wire.RestJSON},
		Operations: []wire.Operation{wire.Op(lambdaschemas.Invoke, func(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
			return answer, nil
		})},
	})
	if err != nil {
		b.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions/hello/invocations", nil)
	req.Header.Set("X-Amz-Invocation-Type", "RequestResponse")
	body := []byte(`{"name":"world"}`)

	b.Run("match+decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			call, err := router.Match(req)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := call.Decode(req, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		call, err := router.Match(req)
		if err != nil {
			b.Fatal(err)
		}
		in, err := call.Decode(req, body)
		if err != nil {
			b.Fatal(err)
		}
		w := discard{http.Header{}}
		for b.Loop() {
			clear(w.h)
			if err := call.Serve(b.Context(), w, in, "11111111-2222-4333-8444-555555555555"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBodies decodes a body of each kind.
func BenchmarkBodies(b *testing.B) {
	routers := handRouters(b)
	for _, c := range []struct {
		name string
		p    wire.Protocol
		body string
	}{
		{"CreateFunction/restJson1", wire.RestJSON, `{"FunctionName":"hello","Runtime":"python3.11","Role":"arn:aws:iam::123456789012:role/r","Handler":"app.handler","Code":{"S3Bucket":"b","S3Key":"k"},"Timeout":30,"MemorySize":256,"Environment":{"Variables":{"A":"1","B":"2"}},"Tags":{"team":"x"},"Architectures":["x86_64"]}`},
		{"PutItem/awsJson1_0", wire.JSON10, `{"TableName":"t","Item":{"pk":{"S":"user#1"},"sk":{"S":"profile"},"age":{"N":"42"},"tags":{"L":[{"S":"a"},{"S":"b"}]},"address":{"M":{"city":{"S":"Berlin"},"zip":{"S":"10115"}}}}}`},
		{"AssumeRole/awsQuery", wire.Query, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr&RoleSessionName=s&DurationSeconds=900&Tags.member.1.Key=k&Tags.member.1.Value=v"},
		{"DeleteObjects/restXml", wire.RestXML, "<Delete>" + strings.Repeat("<Object><Key>photos/2026/a.jpg</Key></Object>", 10) + "</Delete>"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.body)))
			for b.Loop() {
				if _, err := decode(routers[c.p], handRequest(c.p, c.body), c.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAnswer encodes a page of DynamoDB items.
func BenchmarkAnswer(b *testing.B) {
	s := service("dynamodb")
	f := newFiller(s, wire.JSON10)
	out := &dynamodb.QueryOutput{}
	f.fill(out)
	items := out.Items[0]
	for len(out.Items) < 100 {
		out.Items = append(out.Items, items)
	}
	for _, p := range []wire.Protocol{wire.JSON10, wire.CBOR} {
		b.Run(p.String(), func(b *testing.B) {
			router, err := compile(wire.API{
				Service: "dynamodb", Target: "DynamoDB_20120810", Protocols: []wire.Protocol{p}, Unions: s.api.Unions,
				Operations: []wire.Operation{wire.Op(dynamoschemas.Query, func(context.Context, *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) { return out, nil })},
			})
			if err != nil {
				b.Fatal(err)
			}
			req := handRequest(p, "")
			req.Header.Set("X-Amz-Target", "DynamoDB_20120810.Query")
			req.URL.Path = "/service/DynamoDB_20120810/operation/Query"
			call, err := router.Match(req)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			w := discard{http.Header{}}
			for b.Loop() {
				if err := call.Serve(b.Context(), w, &dynamodb.QueryInput{}, "id"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEvent sends chunks of 4 KiB of a streamed answer.
func BenchmarkEvent(b *testing.B) {
	event := &chunk{}
	event.Value.Payload = make([]byte, 4096)
	router, err := compile(wire.API{
		Service: "lambda", Protocols: []wire.Protocol{wire.RestJSON},
		Unions: []wire.Union{wire.Variants[lambdatypes.InvokeWithResponseStreamResponseEvent](event, &complete{})},
		Operations: []wire.Operation{wire.Stream(lambdaschemas.InvokeWithResponseStream,
			func(_ context.Context, _ *lambda.InvokeWithResponseStreamInput, events *invokeStream) error {
				b.SetBytes(4096)
				b.ReportAllocs()
				for b.Loop() {
					if err := events.Send(event); err != nil {
						return err
					}
				}
				return nil
			})},
	})
	if err != nil {
		b.Fatal(err)
	}
	call, err := router.Match(httptest.NewRequest(http.MethodPost, "/2021-11-15/functions/f/response-streaming-invocations", nil))
	if err != nil {
		b.Fatal(err)
	}
	if err := call.Serve(b.Context(), discard{http.Header{}}, &lambda.InvokeWithResponseStreamInput{}, "id"); err != nil {
		b.Fatal(err)
	}
}
