package wire_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// FuzzDecode gives every body reader any bytes: it decodes them or answers with a
// fault of the caller's, and takes no JSON that the standard library would not.
func FuzzDecode(f *testing.F) {
	routers := handRouters(f)
	kinds := []wire.Protocol{wire.RestJSON, wire.JSON10, wire.CBOR, wire.Query, wire.RestXML}
	for i, body := range []string{
		`{"FunctionName":"f","Code":{"ZipFile":"AAAA"},"Environment":{"Variables":{"A":"\u00e9"}},"Layers":["a"],"Timeout":3,"Publish":true}`,
		`{"TableName":"t","Item":{"a":{"M":{"b":{"L":[{"N":"1"},{"NULL":true},{"BS":["AA=="]}]}}}}}`,
		"\xbfiTableNameatdItem\xbfaa\xbfaNa1\xff\xff\xff",
		"Action=AssumeRole&RoleArn=a&Tags.member.1.Key=k&Tags.member.1.Value=v&PolicyArns.member.2.arn=b&DurationSeconds=900",
		`<?xml version="1.0"?><Delete xmlns="x"><Object><Key>a&amp;b</Key><Size>1</Size></Object><Object><Key>c</Key></Object><Quiet>true</Quiet></Delete>`,
	} {
		f.Add(uint8(i), body)
	}
	f.Fuzz(func(t *testing.T, kind uint8, body string) {
		p := kinds[int(kind)%len(kinds)]
		_, err := decode(routers[p], handRequest(p, body), body)
		if err != nil {
			if s := fault.As(err).Status; s < 400 || s > 499 {
				t.Errorf("%s: status %d: %v", p, s, err)
			}
			return
		}
		isJSON := p == wire.RestJSON || p == wire.JSON10
		if isJSON && strings.TrimSpace(body) != "" && !json.Valid([]byte(body)) {
			t.Errorf("%s: decoded %q, which is no JSON", p, body)
		}
	})
}

// FuzzRequest gives the routers and the HTTP bindings any request line and header.
func FuzzRequest(f *testing.F) {
	routers := handRouters(f)
	f.Add("GET", "/photos/a/b", "partNumber=1&response-expires=x", "If-Modified-Since", "Tue, 03 Feb 2026 04:05:06 GMT")
	f.Add("POST", "/2015-03-31/functions/f/invocations", "Qualifier=1", "X-Amz-Invocation-Type", "Event")
	f.Add("PUT", "/photos/%2e%zz//", "tagging", "X-Amz-Meta-Color", "\x80")
	f.Add("POST", "/service/x/operation/y", "Action=z", "Smithy-Protocol", "rpc-v2-cbor")
	f.Fuzz(func(t *testing.T, method, path, query, name, value string) {
		for p, r := range routers {
			req := &http.Request{Method: method, URL: &url.URL{Path: path, RawPath: path, RawQuery: query}, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}
			req.Header.Set(name, value)
			if _, err := decode(r, req, ""); err != nil {
				w := httptest.NewRecorder()
				r.WriteError(w, req, err, "id")
				if w.Code < 400 || w.Code > 501 {
					t.Errorf("%s: status %d: %v", p, w.Code, err)
				}
			}
		}
	})
}

// FuzzJSONStrings sends any text through the writer, the SDK's eyes being the
// standard library's, and back through the reader.
func FuzzJSONStrings(f *testing.F) {
	routers := handRouters(f)
	f.Add("a\"\\\n\x00\u2028é😀\xff")
	f.Fuzz(func(t *testing.T, s string) {
		w := httptest.NewRecorder()
		wire.WriteError(w, wire.RestJSON, &fault.Error{Code: "C", Message: s}, "id")
		var got struct{ Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Message != strings.ToValidUTF8(s, "\ufffd") && got.Message != escaped(s) {
			t.Fatalf("wrote %q for %q: %v", w.Body, s, err)
		}
		body, err := json.Marshal(map[string]string{"Description": s})
		if err != nil {
			t.Fatal(err)
		}
		in, err := decode(routers[wire.RestJSON], handRequest(wire.RestJSON, string(body)), string(body))
		if err != nil {
			t.Fatal(err)
		}
		var want struct{ Description string }
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := in.(*lambda.CreateFunctionInput).Description; got == nil || *got != want.Description {
			t.Errorf("read %v, want %q", got, want.Description)
		}
	})
}

// escaped is s with every byte that is no UTF-8 replaced, one by one.
func escaped(s string) string { return string([]rune(s)) }
