package auth_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// key is one access key, as AWS's documentation uses them.
type key struct{ id, secret string }

func (k key) Secret(_ context.Context, id, _ string) (auth.Credential, error) {
	if id != k.id {
		return auth.Credential{}, auth.ErrUnknownKey
	}
	return auth.Credential{Secret: k.secret, Principal: auth.Principal{Kind: auth.RootUser, AccessKeyID: id, ARN: "arn:aws:iam::123456789012:root"}}, nil
}

var (
	suiteKey = key{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	docsKey  = key{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
)

func at(t testing.TB, stamp string) *clock.Manual {
	t.Helper()
	when, err := time.Parse("20060102T150405Z", stamp)
	if err != nil {
		t.Fatal(err)
	}
	return clock.NewManual(when)
}

func verifier(keys auth.Keys, c clock.Clock) *auth.Verifier {
	return auth.NewVerifier(auth.Config{Keys: keys, Region: "us-east-1", Clock: c})
}

// receive parses a request as a server does.
func receive(t testing.TB, wire string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		t.Fatalf("read request: %v\n%s", err, wire)
	}
	return r
}

// send gives what a server receives when a client sends r.
func send(t testing.TB, r *http.Request) *http.Request {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return receive(t, b.String())
}

// check verifies a request for a service whose body is read whole.
func check(v *auth.Verifier, r *http.Request, service string) (auth.Principal, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return auth.Principal{}, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body)) // so that it can be checked again
	return v.Authenticate(r, service, body)
}

// checkS3 verifies a request for S3 and reads its payload.
func checkS3(v *auth.Verifier, r *http.Request) ([]byte, error) {
	s, err := auth.Parse(r)
	if err != nil {
		return nil, err
	}
	admitted, err := v.Admit(r, s, "s3")
	if err != nil {
		return nil, err
	}
	_, body, err := admitted.Open()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(body)
}

// code is what a service of the dialect answers for err.
func code(err error, d auth.Dialect) string {
	var refusal *auth.Refusal
	if errors.As(err, &refusal) {
		return refusal.Fault(d).Code
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	if err != nil {
		return "internal: " + err.Error()
	}
	return ""
}
