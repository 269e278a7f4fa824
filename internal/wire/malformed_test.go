package wire_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamoschemas "github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdaschemas "github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// routers for requests written by hand, one for each kind of body.
func handRouters(t testing.TB) map[wire.Protocol]*wire.Router {
	t.Helper()
	e := &echo{}
	all := map[wire.Protocol]*wire.Router{}
	add := func(p wire.Protocol, api wire.API, ops ...wire.Operation) {
		api.Protocols, api.Operations = []wire.Protocol{p}, ops
		r, err := compile(api)
		if err != nil {
			t.Fatal(err)
		}
		all[p] = r
	}
	dynamo := wire.API{Service: "dynamodb", Target: "DynamoDB_20120810", Unions: []wire.Union{wire.Variants(attributeValues...)}}
	add(wire.RestJSON, wire.API{Service: "lambda"},
		echoOp[lambda.CreateFunctionInput, lambda.CreateFunctionOutput](&e, lambdaschemas.CreateFunction),
		echoOp[lambda.InvokeInput, lambda.InvokeOutput](&e, lambdaschemas.Invoke),
		echoOp[lambda.ListFunctionsInput, lambda.ListFunctionsOutput](&e, lambdaschemas.ListFunctions),
		echoOp[lambda.UntagResourceInput, lambda.UntagResourceOutput](&e, lambdaschemas.UntagResource))
	add(wire.JSON10, dynamo, echoOp[dynamodb.PutItemInput, dynamodb.PutItemOutput](&e, dynamoschemas.PutItem))
	add(wire.CBOR, dynamo, echoOp[dynamodb.PutItemInput, dynamodb.PutItemOutput](&e, dynamoschemas.PutItem))
	s3, _ := newS3(t)
	all[wire.RestXML] = s3.router
	all[wire.Query] = serveSTS(t).router
	return all
}

// handRequest makes a request for the one operation of the protocol that reads a body.
func handRequest(p wire.Protocol, body string) *http.Request {
	target := map[wire.Protocol]string{
		wire.RestJSON: "/2015-03-31/functions",
		wire.RestXML:  "/photos?delete",
		wire.CBOR:     "/service/DynamoDB_20120810/operation/PutItem",
	}[p]
	if target == "" {
		target = "/"
	}
	req := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	switch p {
	case wire.JSON10:
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
		req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	case wire.Query:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	case wire.CBOR:
		req.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	return req
}

// decode takes a request through Match and Decode.
func decode(r *wire.Router, req *http.Request, body string) (any, error) {
	c, err := r.Match(req)
	if err != nil {
		return nil, err
	}
	return c.Decode(req, []byte(body))
}

func TestMalformedBodies(t *testing.T) {
	routers := handRouters(t)
	for _, c := range []struct {
		p          wire.Protocol
		body, want string
	}{
		{wire.RestJSON, `{"Timeout":"5"}`, "STRING_VALUE can not be converted to an Integer (at Timeout)"},
		{wire.RestJSON, `{"Timeout":1.5}`, "the number 1.5 can not be converted to an Integer (at Timeout)"},
		{wire.RestJSON, `{"Timeout":3000000000}`, "the number 3000000000 can not be converted to an Integer (at Timeout)"},
		{wire.RestJSON, `{"Timeout":05}`, "a number is malformed at offset 11 (at Timeout)"},
		{wire.RestJSON, `{"Runtime":5}`, "NUMBER_VALUE can not be converted to a String (at Runtime)"},
		{wire.RestJSON, `{"Publish":"true"}`, "STRING_VALUE can not be converted to a Boolean (at Publish)"},
		{wire.RestJSON, `{"Publish":tru}`, "TRUE_VALUE can not be converted to a Boolean (at Publish)"},
		{wire.RestJSON, `{"Environment":"x"}`, "STRING_VALUE can not be converted to a structure (at Environment)"},
		{wire.RestJSON, `{"Environment":{"Variables":{"A":true}}}`, "TRUE_VALUE can not be converted to a String (at Environment.Variables.A)"},
		{wire.RestJSON, `{"Environment":{"Variables":["A"]}}`, "Start of list found where not expected: the member is a map (at Environment.Variables)"},
		{wire.RestJSON, `{"Layers":{"A":1}}`, "Start of structure or map found where not expected: the member is a list (at Layers)"},
		{wire.RestJSON, `{"Layers":["a",["b"]]}`, "Start of list found where not expected: the member is a String (at Layers.1)"},
		{wire.RestJSON, `{"Code":{"ZipFile":"%%%"}}`, "the value is not valid base64 (at Code.ZipFile)"},
		{wire.RestJSON, `{"Runtime":"a`, "the document ends inside a string (at Runtime)"},
		{wire.RestJSON, `{"Runtime":"\q"}`, "a string has a malformed escape at offset 12 (at Runtime)"},
		{wire.RestJSON, "{\"Runtime\":\"\n\"}", "a string has an unescaped control character at offset 12 (at Runtime)"},
		{wire.RestJSON, "{\"Runtime\":\"\xff\"}", "a string is not valid UTF-8 (at Runtime)"},
		{wire.RestJSON, `{"Runtime" "x"}`, `unexpected character '"' where a colon was expected, at offset 11`},
		{wire.RestJSON, `{"Runtime":"x",}`, `unexpected character '}' where a member's name was expected, at offset 15`},
		{wire.RestJSON, `{"Runtime":"x" "Role":"y"}`, `unexpected character '"' where a comma or a closing brace was expected, at offset 15`},
		{wire.RestJSON, `{"Runtime":"x"}}`, "unexpected character '}' after the end of the document, at offset 15"},
		{wire.RestJSON, `{"Runtime":`, "the document ends where a value was expected (at Runtime)"},
		{wire.RestJSON, `{"Nobody":[1,{"a":}]}`, "unexpected character '}' where a value was expected, at offset 18"},
		{wire.RestJSON, `[]`, "Start of list found where not expected: the member is a structure"},
		{wire.RestJSON, `hello`, "unexpected character 'h' where a value was expected, at offset 0"},
		{wire.RestJSON, `{"Nobody":` + strings.Repeat("[", 200), "the value is nested more than 128 levels deep"},
		{wire.RestJSON, `{"Layers":[` + strings.Repeat(`"",`, 5_000_000) + `""]}`, "the request has too many elements (at Layers)"},
		{wire.JSON10, `{"Item":` + strings.Repeat(`{"a":{"M":`, 100) + strings.Repeat(`}}`, 100) + `}`, "the value is nested more than 128 levels deep"},
		{wire.JSON10, `{"Item":{"a":{"S":"x","N":"1"}}}`, "more than one member of the union AttributeValue is set (at Item.a.N)"},
		{wire.JSON10, `{"Item":{"a":{"NULL":"x"}}}`, "STRING_VALUE can not be converted to a Boolean (at Item.a.NULL)"},
		{wire.CBOR, "\xa1", "the document is not well-formed CBOR: unexpected end of payload"},
		{wire.CBOR, "\xa1iTableName\x05", "NUMBER_VALUE can not be converted to a String (at TableName)"},
		{wire.CBOR, "\xa1dItem\x81\xf5", "Start of list found where not expected: the member is a map (at Item)"},
		{wire.CBOR, "\x05", "NUMBER_VALUE can not be converted to a structure"},
		{wire.Query, "Action=AssumeRole&DurationSeconds=x", `"x" can not be converted to an Integer of 32 bits (at DurationSeconds)`},
		{wire.Query, "Action=AssumeRole&a" + strings.Repeat(".a", 200) + "=1", "nested more than 128 levels deep"},
		{wire.Query, "Action=AssumeRole&%zz", "the form is malformed"},
		{wire.RestXML, "<Delete><Object>", "the document is not well-formed XML"},
		{wire.RestXML, "<Delete></Object>", "the document is not well-formed XML"},
		{wire.RestXML, "<Delete>&nbsp;</Delete>", "the document is not well-formed XML"},
		{wire.RestXML, "<Delete/><Delete/>", "the document is not well-formed XML"},
		{wire.RestXML, "<Delete><Quiet>maybe</Quiet></Delete>", `"maybe" can not be converted to a Boolean (at Delete.Quiet)`},
		{wire.RestXML, "<Delete><Object><Size>x</Size></Object></Delete>", `"x" can not be converted to an Integer of 64 bits (at Delete.Objects.0.Size)`},
		{wire.RestXML, strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200), "the document is nested more than 128 levels deep"},
	} {
		name := c.body
		if len(name) > 60 {
			name = name[:60]
		}
		t.Run(fmt.Sprintf("%s/%q", c.p, name), func(t *testing.T) {
			in, err := decode(routers[c.p], handRequest(c.p, c.body), c.body)
			f := fault.As(err)
			if err == nil || f.Code != "SerializationException" || f.Status != 400 || !contains(f.Message, c.want) {
				t.Errorf("decoded %v, error %v; want a SerializationException with %q", in, err, c.want)
			}
		})
	}
}

// TestTolerated shows what AWS takes though it is odd.
func TestTolerated(t *testing.T) {
	routers := handRouters(t)
	for _, c := range []struct {
		p    wire.Protocol
		body string
		want string
	}{
		{wire.RestJSON, "", "{}"},
		{wire.RestJSON, " \r\n", "{}"},
		{wire.RestJSON, "null", "{}"},
		{wire.RestJSON, `{"Nobody":{"a":[1,-2.5e3,"\u00e9",null,{}]},"Timeout":5.0}`, "{Timeout:5}"},
		{wire.RestJSON, `{"Timeout":null,"Layers":["a",null,"b"],"Tags":{"x":null,"y":"z"}}`, "{Layers:[a b] Tags:map[y:z]}"},
		{wire.RestJSON, `{"Runtime":"\ud83d\ude00\ud800x\/"}`, "{Runtime:😀\ufffdx/}"},
		{wire.RestJSON, `{"Runtime":"a","Runtime":"b"}`, "{Runtime:b}"},
	} {
		in, err := decode(routers[c.p], handRequest(c.p, c.body), c.body)
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		if got := sketch(in.(*lambda.CreateFunctionInput)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.body, got, c.want)
		}
	}
}

// sketch prints the few members the test sets.
func sketch(in *lambda.CreateFunctionInput) string {
	var parts []string
	if in.Layers != nil {
		parts = append(parts, fmt.Sprint("Layers:", in.Layers))
	}
	if in.Runtime != "" {
		parts = append(parts, fmt.Sprint("Runtime:", in.Runtime))
	}
	if in.Tags != nil {
		parts = append(parts, fmt.Sprint("Tags:", in.Tags))
	}
	if in.Timeout != nil {
		parts = append(parts, fmt.Sprint("Timeout:", *in.Timeout))
	}
	return "{" + strings.Join(parts, " ") + "}"
}

func TestMalformedBindings(t *testing.T) {
	routers := handRouters(t)
	for _, c := range []struct{ target, want string }{
		{"/2015-03-31/functions?MaxItems=many", `"many" can not be converted to an Integer of 32 bits (at MaxItems)`},
		{"/2015-03-31/functions?MaxItems=99999999999", `"99999999999" can not be converted to an Integer of 32 bits (at MaxItems)`},
	} {
		_, err := decode(routers[wire.RestJSON], httptest.NewRequest(http.MethodGet, c.target, nil), "")
		if err == nil || fault.As(err).Message != c.want {
			t.Errorf("%s: got %v, want %s", c.target, err, c.want)
		}
	}
	req := httptest.NewRequest(http.MethodDelete, "/2017-03-31/tags/arn:aws:lambda:us-east-1:1:function:f?tagKeys=b&tagKeys=a", nil)
	in, err := decode(routers[wire.RestJSON], req, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "a"}, in.(*lambda.UntagResourceInput).TagKeys); diff != "" {
		t.Errorf("a list in a query string (-want +got):\n%s", diff)
	}
}
