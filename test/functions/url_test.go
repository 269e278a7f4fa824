package functions_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// openURL gives a function a URL that anybody may call.
func openURL(t *testing.T, n *node.Node, function string, change func(*lambda.CreateFunctionUrlConfigInput)) string {
	t.Helper()
	in := &lambda.CreateFunctionUrlConfigInput{FunctionName: &function, AuthType: types.FunctionUrlAuthTypeNone}
	if change != nil {
		change(in)
	}
	out, err := n.Lambda().CreateFunctionUrlConfig(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []*lambda.AddPermissionInput{
		{StatementId: aws.String("url"), Action: aws.String("lambda:InvokeFunctionUrl"), FunctionUrlAuthType: types.FunctionUrlAuthTypeNone},
		{StatementId: aws.String("function"), Action: aws.String("lambda:InvokeFunction"), InvokedViaFunctionUrl: aws.Bool(true)},
	} {
		in.FunctionName, in.Principal = &function, aws.String("*")
		if _, err := n.Lambda().AddPermission(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	return *out.FunctionUrl
}

func TestFunctionURLSpeaksPayloadFormat2(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("web", `
		exports.handler = async (e) => ({
			statusCode: 201,
			headers: { 'X-Made-By': 'web' },
			cookies: ['a=1; Path=/', 'b=2'],
			body: Buffer.from(JSON.stringify({
				version: e.version, method: e.requestContext.http.method, path: e.rawPath, query: e.rawQueryString,
				params: e.queryStringParameters, cookies: e.cookies, header: e.headers['x-many'],
				body: e.isBase64Encoded ? Buffer.from(e.body, 'base64').toString() : e.body, encoded: e.isBase64Encoded,
			})).toString('base64'),
			isBase64Encoded: true,
		});`)
	url := openURL(t, n, "web", func(in *lambda.CreateFunctionUrlConfigInput) {
		in.Cors = &types.Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"POST"}}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"some/path?x=1&x=2&y=z", strings.NewReader("\x00\xff binary"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header["X-Many"] = []string{"one", "two"}
	req.Header.Set("Cookie", "c=3; d=4")
	req.Header.Set("Origin", "https://shop.example")
	res, err := n.Browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 201 || res.Header.Get("X-Made-By") != "web" || len(res.Cookies()) != 2 ||
		res.Header.Get("Access-Control-Allow-Origin") != "https://shop.example" || !strings.Contains(res.Header.Get("Server-Timing"), "execution;dur=") {
		t.Errorf("got %s with %v\n%s", res.Status, res.Header, body)
	}
	var got struct {
		Version, Method, Path, Query, Header, Body string
		Params                                     map[string]string
		Cookies                                    []string
		Encoded                                    bool
	}
	decode(t, string(body), &got)
	if got.Version != "2.0" || got.Method != "POST" || got.Path != "/some/path" || got.Query != "x=1&x=2&y=z" || got.Header != "one,two" ||
		got.Params["x"] != "1,2" || len(got.Cookies) != 2 || !got.Encoded || !strings.HasSuffix(got.Body, " binary") {
		t.Errorf("the event had %+v", got)
	}
}

func TestFunctionURLStreams(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("stream", `
		exports.handler = awslambda.streamifyResponse(async (event, out) => {
			out = awslambda.HttpResponseStream.from(out, { statusCode: 206, headers: { 'Content-Type': 'text/plain' } });
			out.write('first ');
			await new Promise((done) => setTimeout(done, 300));
			out.end('second');
		});`)
	url := openURL(t, n, "stream", func(in *lambda.CreateFunctionUrlConfigInput) { in.InvokeMode = types.InvokeModeResponseStream })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := n.Browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first := make([]byte, 64)
	k, err := res.Body.Read(first)
	if err != nil || string(first[:k]) != "first " || res.StatusCode != 206 {
		t.Errorf("the first part is %q of %s, %v", first[:k], res.Status, err)
	}
	rest, err := io.ReadAll(res.Body)
	if err != nil || string(rest) != "second" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

func TestFunctionURLWithIAMRefusesTheUnsigned(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("private", `exports.handler = async () => 'secret'`)
	url := openURL(t, n, "private", func(in *lambda.CreateFunctionUrlConfigInput) { in.AuthType = types.FunctionUrlAuthTypeAwsIam })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := n.Browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned request got %s", res.Status)
	}
}
