package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/function"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
)

// signed is an Authenticator that knows whoever says a name.
type signed struct{}

func (signed) Authenticate(r *http.Request, service string, _ []byte) (auth.Principal, error) {
	switch r.Header.Get("Authorization") {
	case "owner":
		return auth.Principal{Kind: auth.RootUser, Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, AccessKeyID: "AKIA1"}, nil
	case "other":
		return auth.Principal{Kind: auth.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/other"}, nil
	}
	return auth.Nobody, fault.New(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
}

// identities has no policies for anybody.
type identities struct{}

func (identities) Caller(_ context.Context, p auth.Principal) (*iam.Caller, error) {
	kind := map[auth.Kind]policy.PrincipalType{auth.RootUser: policy.Root, auth.User: policy.User}[p.Kind]
	return &iam.Caller{Principal: policy.Principal{Type: kind, ARN: p.ARN, Account: p.Account}}, nil
}

func (identities) Note(auth.Principal, string) {}

// permissions let in whom the function's policy does, and root.
func (w *world) permissions() function.Permissions {
	return gateway.NewPermissions(gateway.PermissionsConfig{
		Identities: identities{}, Region: region, Resources: map[string]gateway.Protected{"lambda": {Policies: w.Service}},
	})
}

// allow adds the permissions that a call of a URL takes.
func (w *world) allow(sid, principal, authType string) {
	w.t.Helper()
	for _, p := range []function.Permission{
		{Sid: sid, Action: "lambda:InvokeFunctionUrl", Principal: principal, URLAuthType: authType},
		{Sid: sid + "-function", Action: "lambda:InvokeFunction", Principal: principal, ViaURL: ptr(true)},
	} {
		if _, err := w.AddPermission(context.Background(), "hello", "", p); err != nil {
			w.t.Fatal(err)
		}
	}
}

// site makes a function with a URL that everybody may call, and gives its host.
func (w *world) site(c function.URLChange) (*function.URL, string) {
	w.t.Helper()
	ctx := context.Background()
	w.create("hello")
	if c.Auth == nil {
		c.Auth = ptr("NONE")
	}
	u, err := w.CreateURL(ctx, "hello", "", c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.allow("public", "*", "NONE")
	return u, strings.TrimSuffix(strings.TrimPrefix(w.Address(u), "http://"), "/")
}

// call sends a request to a URL's host.
func (w *world) call(r *http.Request, host string) *http.Response {
	r.Host = host
	r = r.WithContext(id.WithRequest(r.Context(), "11111111-2222-4333-8444-555555555555"))
	rec := httptest.NewRecorder()
	w.URLs(w.invoker, signed{}, w.permissions()).ServeHTTP(rec, r)
	return rec.Result()
}

func (w *world) answers(payload string) {
	w.invoker.answer = func(invoke.Request) (*invoke.Response, error) {
		return &invoke.Response{Payload: []byte(payload)}, nil
	}
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestURLEvent(t *testing.T) {
	w := newWorld(t)
	u, host := w.site(function.URLChange{})
	r := httptest.NewRequest("POST", "/my%20path/x?b=2&a=1&a=3&e=", strings.NewReader("Hello"))
	r.RemoteAddr = "203.0.113.7:5000"
	r.Header = http.Header{
		"Content-Type": {"text/plain; charset=utf-8"}, "X-Many": {"one", "two"}, "User-Agent": {"test/1"},
		"Cookie": {"a=1; b=2", "c=3"}, "X-Forwarded-For": {"10.0.0.1"},
	}
	w.call(r, host)
	want := `{
		"version": "2.0", "routeKey": "$default",
		"rawPath": "/my%20path/x", "rawQueryString": "b=2&a=1&a=3&e=",
		"cookies": ["a=1", "b=2", "c=3"],
		"headers": {
			"content-type": "text/plain; charset=utf-8", "x-many": "one,two", "user-agent": "test/1", "host": "HOST",
			"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "http", "x-forwarded-port": "4566"
		},
		"queryStringParameters": {"a": "1,3", "b": "2", "e": ""},
		"requestContext": {
			"accountId": "anonymous", "apiId": "ID", "domainName": "DOMAIN", "domainPrefix": "ID",
			"http": {"method": "POST", "path": "/my path/x", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test/1"},
			"requestId": "11111111-2222-4333-8444-555555555555", "routeKey": "$default", "stage": "$default",
			"time": "02/Jan/2026:03:04:05 +0000", "timeEpoch": 1767323045006
		},
		"body": "Hello", "isBase64Encoded": false
	}`
	want = strings.NewReplacer("HOST", host, "DOMAIN", strings.TrimSuffix(host, ":4566"), `"ID"`, `"`+u.ID+`"`).Replace(want)
	asked := w.invoker.last()
	if diff := cmp.Diff(decoded(t, want), decoded(t, string(asked.Payload))); diff != "" {
		t.Error(diff)
	}
	if asked.Function != "hello" || asked.ID != "11111111-2222-4333-8444-555555555555" {
		t.Errorf("got %+v", asked)
	}
}

func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestURLBodies(t *testing.T) {
	w := newWorld(t)
	_, host := w.site(function.URLChange{})
	for _, tt := range []struct {
		media, body, want string
		base64            bool
	}{
		{"application/json", `{"a":1}`, `{"a":1}`, false},
		{"application/problem+json", "{}", "{}", false},
		{"text/html", "<p>", "<p>", false},
		{"text/plain", "\xff\xfe", "//4=", true},
		{"application/x-www-form-urlencoded", "a=1", "YT0x", true},
		{"image/png", "\x89PNG", "iVBORw==", true},
		{"", "x", "eA==", true},
		{"application/json", "", "", false},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.media)
		w.call(r, host)
		var e struct {
			Body            string
			IsBase64Encoded bool
		}
		if err := json.Unmarshal(w.invoker.last().Payload, &e); err != nil || e.Body != tt.want || e.IsBase64Encoded != tt.base64 {
			t.Errorf("%s %q: got %+v, %v", tt.media, tt.body, e, err)
		}
	}
}

func TestURLAnswers(t *testing.T) {
	w := newWorld(t)
	_, host := w.site(function.URLChange{})
	tests := []struct {
		name, payload string
		status        int
		headers       http.Header
		body          string
	}{
		{"all of it", `{"statusCode":201,"headers":{"X-One":"a,b","Content-Type":"text/plain","X-N":7},"cookies":["a=1; Secure","b=2"],"body":"made"}`,
			201, http.Header{"X-One": {"a,b"}, "Content-Type": {"text/plain"}, "X-N": {"7"}, "Set-Cookie": {"a=1; Secure", "b=2"}}, "made"},
		{"base 64", `{"statusCode":200,"headers":{"content-type":"image/png"},"body":"iVBORw==","isBase64Encoded":true}`,
			200, http.Header{"Content-Type": {"image/png"}}, "\x89PNG"},
		{"no content type", `{"statusCode":404}`, 404, http.Header{"Content-Type": {"application/json"}}, ""},
		{"a status as text", `{"statusCode":"418","body":"x"}`, 418, nil, "x"},
		{"a body that is no text", `{"statusCode":200,"body":{"a":1}}`, 200, nil, `{"a":1}`},
		{"an object", `{"hello":"world"}`, 200, http.Header{"Content-Type": {"application/json"}}, `{"hello":"world"}`},
		{"a text", `"Hello"`, 200, http.Header{"Content-Type": {"application/json"}}, "Hello"},
		{"a list", `[1,2]`, 200, nil, "[1,2]"},
		{"null", `null`, 200, nil, "null"},
		{"headers of the connection", `{"statusCode":200,"headers":{"connection":"upgrade","x-amzn-requestid":"forged","content-length":"9999"},"body":"x"}`,
			200, http.Header{"Connection": nil, "X-Amzn-Requestid": {"11111111-2222-4333-8444-555555555555"}}, "x"},
		{"no status", `{"statusCode":99}`, 502, nil, `{"Message":"Internal Server Error"}`},
		{"an informational status", `{"statusCode":101}`, 502, nil, `{"Message":"Internal Server Error"}`},
		{"a header that is none", `{"statusCode":200,"headers":{"x":{"y":1}}}`, 502, nil, `{"Message":"Internal Server Error"}`},
		{"no base 64", `{"statusCode":200,"body":"%%%","isBase64Encoded":true}`, 502, nil, `{"Message":"Internal Server Error"}`},
		{"broken JSON", `{"statusCode":200`, 502, nil, `{"Message":"Internal Server Error"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.answers(tt.payload)
			resp := w.call(httptest.NewRequest("GET", "/", nil), host)
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
			}
			for name, want := range tt.headers {
				if diff := cmp.Diff(want, resp.Header[name]); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			if got := bodyOf(t, resp); got != tt.body {
				t.Errorf("got %q, want %q", got, tt.body)
			}
		})
	}
}

func TestURLFailures(t *testing.T) {
	w := newWorld(t)
	_, host := w.site(function.URLChange{})
	for name, tt := range map[string]struct {
		answer func(invoke.Request) (*invoke.Response, error)
		status int
	}{
		"a function's error": {func(invoke.Request) (*invoke.Response, error) {
			return &invoke.Response{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"secret"}`)}, nil
		}, 502},
		"too many calls": {func(invoke.Request) (*invoke.Response, error) {
			return nil, fmt.Errorf("place: %w", fault.New(429, "TooManyRequestsException", "Rate Exceeded."))
		}, 429},
		"a fault of ours": {func(invoke.Request) (*invoke.Response, error) { return nil, errors.New("secret") }, 500},
	} {
		w.invoker.answer = tt.answer
		resp := w.call(httptest.NewRequest("GET", "/", nil), host)
		if body := bodyOf(t, resp); resp.StatusCode != tt.status || strings.Contains(body, "secret") || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	large := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 6<<20+1)))
	if resp := w.call(large, host); resp.StatusCode != 413 {
		t.Errorf("a large body: %d", resp.StatusCode)
	}
	if resp := w.call(httptest.NewRequest("GET", "/", nil), "0123.lambda-url.eu-central-1.localhost"); resp.StatusCode != 403 {
		t.Errorf("no such URL: %d", resp.StatusCode)
	}
}

func TestURLPermissions(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	_, host := w.site(function.URLChange{})
	get := func(who string) int {
		r := httptest.NewRequest("GET", "/", nil)
		if who != "" {
			r.Header.Set("Authorization", who)
		}
		return w.call(r, host).StatusCode
	}
	if got := get(""); got != 200 {
		t.Errorf("a public URL: %d", got)
	}
	for _, sid := range []string{"public", "public-function"} { // each alone is not enough
		if err := w.RemovePermission(ctx, "hello", "", sid, ""); err != nil {
			t.Fatal(err)
		}
		if got := get(""); got != 403 {
			t.Errorf("without the permission %s: %d", sid, got)
		}
		if sid == "public" {
			w.allow("again", "*", "NONE")
			if err := w.RemovePermission(ctx, "hello", "", "again-function", ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := w.UpdateURL(ctx, "hello", "", function.URLChange{Auth: ptr("AWS_IAM")}); err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]int{"": 403, "other": 403, "owner": 200} {
		if got := get(who); got != want {
			t.Errorf("%q: %d, want %d", who, got, want)
		}
	}
	w.allow("other", "arn:aws:iam::"+account+":user/other", "AWS_IAM")
	if got := get("other"); got != 200 {
		t.Errorf("whom the policy lets in: %d", got)
	}
	get("owner")
	var e struct {
		Headers        map[string]string
		RequestContext struct {
			AccountID  string `json:"accountId"`
			Authorizer struct {
				IAM struct{ UserARN, AccessKey string }
			}
		}
	}
	if err := json.Unmarshal(w.invoker.last().Payload, &e); err != nil {
		t.Fatal(err)
	}
	if e.RequestContext.AccountID != account || e.RequestContext.Authorizer.IAM.UserARN != "arn:aws:iam::"+account+":root" ||
		e.RequestContext.Authorizer.IAM.AccessKey != "AKIA1" || e.Headers["authorization"] != "" {
		t.Errorf("got %+v", e)
	}
	if err := w.DeleteURL(ctx, "hello", ""); err != nil {
		t.Fatal(err)
	}
	if got := get("owner"); got != 403 {
		t.Errorf("after its end: %d", got)
	}
}

func TestURLCORS(t *testing.T) {
	w := newWorld(t)
	_, host := w.site(function.URLChange{CORS: &function.CORS{
		Origins: []string{"https://app.example"}, Methods: []string{"GET", "PUT"}, Headers: []string{"x-a", "x-b"},
		Expose: []string{"x-c"}, Credentials: true, MaxAge: ptr(300),
	}})
	w.answers(`{"statusCode":200,"headers":{"access-control-allow-origin":"https://evil.example"},"body":"x"}`)
	preflight := func(origin, method string) http.Header {
		r := httptest.NewRequest("OPTIONS", "/", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", method)
		resp := w.call(r, host)
		if resp.StatusCode != 200 {
			t.Errorf("preflight: %d", resp.StatusCode)
		}
		return resp.Header
	}
	got := preflight("https://app.example", "PUT")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Methods": "GET,PUT",
		"Access-Control-Allow-Headers": "x-a,x-b", "Access-Control-Max-Age": "300", "Access-Control-Allow-Credentials": "true",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
	if h := preflight("https://app.example", "DELETE"); h.Get("Access-Control-Allow-Methods") != "" {
		t.Error("a method that is not allowed was")
	}
	if h := preflight("https://evil.example", "GET"); h.Get("Access-Control-Allow-Origin") != "" {
		t.Error("an origin that is not allowed was")
	}
	if len(w.invoker.asked) > 0 {
		t.Error("a preflight met the function")
	}
	for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": ""} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Origin", origin)
		resp := w.call(r, host)
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || bodyOf(t, resp) != "x" {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
}

func TestURLStreams(t *testing.T) {
	w := newWorld(t)
	_, host := w.site(function.URLChange{Mode: ptr("RESPONSE_STREAM")})
	server := httptest.NewServer(w.URLs(w.invoker, signed{}, w.permissions()))
	defer server.Close()
	stream := func(contentType, failure string, parts ...string) (*http.Response, string, error) {
		w.invoker.stream = func(_ invoke.Request, s invoke.Stream) (*invoke.Response, error) {
			if contentType != "-" {
				if err := s.Begin(contentType); err != nil {
					return nil, err
				}
			}
			for _, p := range parts {
				if _, err := io.WriteString(s, p); err != nil {
					return nil, err
				}
				if err := s.Flush(); err != nil {
					return nil, err
				}
			}
			return &invoke.Response{FunctionError: failure}, nil
		}
		r, _ := http.NewRequest("GET", server.URL, nil)
		r.Host = host
		resp, err := server.Client().Do(r)
		if err != nil {
			return nil, "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return resp, string(b), err
	}
	const typed = "application/vnd.awslambda.http-integration-response"
	end := strings.Repeat("\x00", 8)

	resp, body, err := stream("text/event-stream", "", "one ", "two")
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || body != "one two" {
		t.Errorf("got %v %q, %v", resp, body, err)
	}
	resp, body, err = stream(typed, "", `{"statusCode":201,"headers":{"X-A":"b"},`, `"cookies":["c=d"]}`+end[:3], end[3:]+"body", " more")
	if err != nil || resp.StatusCode != 201 || resp.Header.Get("X-A") != "b" || resp.Header.Get("Set-Cookie") != "c=d" || body != "body more" {
		t.Errorf("got %v %q, %v", resp, body, err)
	}
	if resp, body, err = stream("-", ""); err != nil || resp.StatusCode != 200 || body != "" {
		t.Errorf("an empty answer: %v %q, %v", resp, body, err)
	}
	if resp, _, err = stream("-", "Unhandled"); err != nil || resp.StatusCode != 502 {
		t.Errorf("a failure before the answer: %v, %v", resp, err)
	}
	if resp, _, err = stream(typed, "", "{broken"+end); err != nil || resp.StatusCode != 502 {
		t.Errorf("a broken head: %v, %v", resp, err)
	}
	if resp, _, err = stream(typed, "", `{"statusCode":200}`); err != nil || resp.StatusCode != 502 {
		t.Errorf("a head without an end: %v, %v", resp, err)
	}
	if resp, _, err = stream(typed, "", strings.Repeat("x", 70<<10)); err != nil || resp.StatusCode != 502 {
		t.Errorf("an endless head: %v, %v", resp, err)
	}
	if _, body, err = stream("text/plain", "Unhandled", "half"); err == nil {
		t.Errorf("half an answer looked like a whole one: %q", body)
	}
}

func TestServesHost(t *testing.T) {
	w := newWorld(t)
	for host, want := range map[string]bool{
		"abc.lambda-url.eu-central-1.localhost:4566": true, "ABC.Lambda-URL.eu-central-1.localhost": true,
		"localhost:4566": false, "bucket.s3.eu-central-1.localhost": false, "lambda-url.x": false, "": false, "a.lambda-url.": false,
	} {
		if got := w.ServesHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestURLSettings(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	w.publish("hello")
	none := function.URLChange{Auth: ptr("NONE")}
	_, err := w.CreateURL(ctx, "hello", "1", none)
	refused(t, err, "ValidationException", "'qualifier'")
	_, err = w.CreateURL(ctx, "hello", "$LATEST", none)
	refused(t, err, "ValidationException", "'qualifier'")
	_, err = w.CreateURL(ctx, "hello", "live", none)
	refused(t, err, "ResourceNotFoundException", "Cannot find alias")
	_, err = w.CreateURL(ctx, "hello", "", function.URLChange{})
	refused(t, err, "ValidationException", "'authType'")
	_, err = w.CreateURL(ctx, "hello", "", function.URLChange{Auth: ptr("NONE"), CORS: &function.CORS{Methods: []string{"OPTIONS"}}})
	refused(t, err, "ValidationException", "'cors.allowMethods'")
	_, err = w.GetURL(ctx, "hello", "")
	refused(t, err, "ResourceNotFoundException", "does not exist")
	if _, err = w.CreateURL(ctx, "hello", "", none); err != nil {
		t.Fatal(err)
	}
	_, err = w.CreateURL(ctx, "hello", "", none)
	refused(t, err, "ResourceConflictException", "FunctionUrlConfig exists for this Lambda function")
}

func FuzzURLAnswer(f *testing.F) {
	w := newWorld(f)
	_, host := w.site(function.URLChange{})
	for _, s := range []string{`{"statusCode":200,"body":"x"}`, `"x"`, `{"statusCode":"200","headers":{"a":1},"cookies":["a"]}`, "{", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		w.answers(payload)
		if got := w.call(httptest.NewRequest("GET", "/", nil), host).StatusCode; got < 200 || got > 599 {
			t.Errorf("%q: status %d", payload, got)
		}
	})
}
