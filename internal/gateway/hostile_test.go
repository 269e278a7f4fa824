package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/trace"
)

func metadataID(m middleware.Metadata) (string, bool) { return awsmiddleware.GetRequestIDMetadata(m) }

// signed makes a request as the root user's client would.
func (d *door) signed(t testing.TB, service, method, path string, body []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, d.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: d.root.AccessKeyID(), SecretAccessKey: d.root.SecretAccessKey()},
		r, hex.EncodeToString(sum[:]), service, region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

// text is a request on the wire.
func text(t testing.TB, r *http.Request) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const invocations = "/2015-03-31/functions/hello/invocations"

func TestBodyLimits(t *testing.T) {
	d := openDoor(t)
	_, err := d.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("hello"), Payload: make([]byte, 6<<20+1)})
	if got, want := said(err), "RequestEntityTooLargeException: Request must be smaller than 6291456 bytes for the InvokeFunction operation"; got != want {
		t.Errorf("got %s", got)
	}
	out, err := d.lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: aws.String("r"),
		Code: &types.FunctionCode{ZipFile: make([]byte, 12<<20)}})
	if err != nil || out.CodeSize != 12<<20 {
		t.Errorf("12 MiB of code: %v", err)
	}
	r := d.signed(t, "lambda", "POST", invocations, make([]byte, 6<<20+1))
	r.ContentLength = -1 // chunked: the length is not announced
	r.Header.Del("Content-Length")
	if resp, body := do(t, d, r); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked: %d %s", resp.StatusCode, body)
	}
}

// TestRefusedBeforeItsBody sees that a stranger uploads nothing: the answer comes
// while the body is still awaited.
func TestRefusedBeforeItsBody(t *testing.T) {
	d := openDoor(t)
	r := d.signed(t, "lambda", "POST", invocations, []byte("{}"))
	wire := strings.Replace(text(t, r), d.root.AccessKeyID(), "AKIAAAAAAAAAAAAAAAAA", 1)
	head, _, _ := strings.Cut(strings.Replace(wire, "Content-Length: 2", "Content-Length: 1000000", 1), "\r\n\r\n")
	resp := speak(t, d, head+"\r\n\r\n")
	if resp.StatusCode != http.StatusForbidden || resp.Header.Get("X-Amzn-Errortype") != "UnrecognizedClientException" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestHostileRequests(t *testing.T) {
	d := openDoor(t)
	good := text(t, d.signed(t, "lambda", "POST", invocations, []byte("{}")))
	replace := func(old, new string) string {
		s := strings.Replace(good, old, new, 1)
		if s == good {
			t.Fatalf("%q is not in %q", old, good)
		}
		return s
	}
	for _, tt := range []struct {
		name, request string
		status        int
	}{
		{"as it should be", good, 200},
		{"huge header", replace("\r\n", "\r\nX-Junk: "+strings.Repeat("a", 100<<10)+"\r\n"), 431},
		{"many headers", replace("\r\n", "\r\n"+strings.Repeat("X-Junk: a\r\n", 10<<10)), 431},
		{"no number for a length", replace("Content-Length: 2", "Content-Length: x"), 400},
		{"two lengths", replace("Content-Length: 2", "Content-Length: 2\r\nContent-Length: 3"), 400},
		{"length and chunks", replace("Content-Length: 2", "Content-Length: 2\r\nTransfer-Encoding: chunked") + "\r\n\r\n", 400},
		{"chunks of nonsense", replace("Content-Length: 2", "Transfer-Encoding: chunked") + "zzz\r\n", 400},
		{"shorter than announced", replace("Content-Length: 2", "Content-Length: 1"), 403},
		{"space before the colon", replace("X-Amz-Date:", "X-Amz-Date :"), 400},
		{"line break in a header", replace("X-Amz-Date:", "X-Amz\nDate:"), 400},
		{"no host", replace("Host:", "X-Host:"), 400},
		{"unknown encoding of the transfer", replace("Content-Length: 2", "Transfer-Encoding: gzip"), 501},
		{"null in the path", replace("hello", "hel%00lo"), 403},
		{"path out of its service", replace("hello", "..%2f..%2fhello"), 403},
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if resp := speak(t, d, tt.request); resp.StatusCode != tt.status {
				t.Errorf("%d, want %d", resp.StatusCode, tt.status)
			}
		})
	}
	if strings.Contains(d.log.String(), "panic") {
		t.Error(d.log)
	}
}

// speak sends bytes and reads one answer.
func speak(t testing.TB, d *door, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", d.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(conn, request) // ends with the connection: the server may answer before it has read all
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp
}

func TestPipelinedRequests(t *testing.T) {
	d := openDoor(t)
	var all strings.Builder
	for i := range 20 {
		all.WriteString(text(t, d.signed(t, "lambda", "POST", invocations, fmt.Appendf(nil, "%d", i))))
	}
	conn, err := net.Dial("tcp", d.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, all.String()); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for i := range 20 {
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != fmt.Sprint(i) {
			t.Fatalf("answer %d is %q, %v", i, body, err)
		}
	}
}

func TestSmuggledBodyIsNotARequest(t *testing.T) {
	d := openDoor(t)
	inner := "GET /_mayfly/health HTTP/1.1\r\nHost: x\r\n\r\n"
	r := d.signed(t, "lambda", "POST", invocations, []byte(inner))
	resp, body := do(t, d, r)
	if resp.StatusCode != 200 || body != inner {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

func TestSites(t *testing.T) {
	d := openDoor(t, func(c *gateway.Config) {
		c.Sites = []gateway.Site{{
			Name:  "lambda-url",
			Match: func(host string) bool { return strings.Contains(host, ".lambda-url.") },
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, r.Host, " ", r.URL.Path, " ", len(id.Request(r.Context())), " ", trace.Header(r.Context())[:5])
			}),
		}}
	})
	r, _ := http.NewRequest("GET", d.url+"/x", nil)
	r.Host = "abc.lambda-url.us-east-1.localhost:4566"
	resp, body := do(t, d, r)
	if body != "abc.lambda-url.us-east-1.localhost:4566 /x 36 Root=" || len(resp.Header.Get("X-Amzn-Requestid")) != 36 {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	r, _ = http.NewRequest("GET", d.url+"/x", nil)
	if resp, _ := do(t, d, r); resp.StatusCode != http.StatusForbidden {
		t.Errorf("no host of the site's: %d", resp.StatusCode)
	}
}

func TestPages(t *testing.T) {
	var ready error
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "bill %s", b)
	})
	d := openDoor(t, func(c *gateway.Config) {
		c.Pages = []gateway.Page{{Pattern: "/_mayfly/bill", Action: "GetBill", Handler: page}}
		c.Ready = func() error { return ready }
	})
	plain := func(path string) *http.Request { r, _ := http.NewRequest("GET", d.url+path, nil); return r }
	ready = nil
	for _, tt := range []struct {
		name string
		r    *http.Request
		want string
	}{
		{"health", plain("/_mayfly/health"), `200 {"version":"test","ready":true,"services":["lambda","logs"]}` + "\n"},
		{"unknown", plain("/_mayfly/nothing"), `404 {"message":"There is no page /_mayfly/nothing here."}`},
		{"unsigned", plain("/_mayfly/bill"), `403 {"message":"Missing Authentication Token"}`},
		{"signed", d.signed(t, "mayfly", "POST", "/_mayfly/bill", []byte("of May")), "200 bill of May"},
		{"signed for another service", d.signed(t, "lambda", "GET", "/_mayfly/bill", nil), `403 {"message":"Credential should be scoped to correct service: 'mayfly'. "}`},
		{"too large", d.signed(t, "mayfly", "POST", "/_mayfly/bill", make([]byte, 1<<20+1)), `413 {"message":"Request must be smaller than 1048576 bytes"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := do(t, d, tt.r)
			if got := fmt.Sprint(resp.StatusCode, " ", body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	ready = fmt.Errorf("the store is opening")
	if resp, body := do(t, d, plain("/_mayfly/health")); resp.StatusCode != 503 || !strings.Contains(body, "the store is opening") {
		t.Errorf("not ready: %d %s", resp.StatusCode, body)
	}
}
