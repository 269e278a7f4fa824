package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

// invocation is a small signed call as the SDK sends it.
func invocation(b *testing.B, creds aws.Credentials, now time.Time) *http.Request {
	b.Helper()
	r, err := http.NewRequest("POST", "http://127.0.0.1:4566/2015-03-31/functions/hello/invocations", strings.NewReader("{}"))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Amz-Sdk-Invocation-Id", "2a3f1d52-6a77-4bf1-9f0c-2f1e52f0c1aa")
	r.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
	r.Header.Set("X-Amz-Invocation-Type", "RequestResponse")
	const hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	if err := v4.NewSigner().SignHTTP(b.Context(), creds, r, hash, "lambda", "us-east-1", now); err != nil {
		b.Fatal(err)
	}
	return send(b, r)
}

func BenchmarkVerify(b *testing.B) {
	now := at(b, "20260101T120000Z")
	root, err := auth.OpenRoot(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	sessions := openSessions(b, b.TempDir(), now)
	v := verifier(auth.Ring{root, sessions}, now)
	session := mint(b, sessions)
	for name, creds := range map[string]aws.Credentials{
		"root":    {AccessKeyID: root.AccessKeyID(), SecretAccessKey: root.SecretAccessKey()},
		"session": {AccessKeyID: session.AccessKeyID, SecretAccessKey: session.Secret, SessionToken: session.Token},
	} {
		b.Run(name, func(b *testing.B) {
			r, body := invocation(b, creds, now.Now()), []byte("{}")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Authenticate(r, "lambda", body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkForRole(b *testing.B) {
	s := openSessions(b, b.TempDir(), nil)
	b.ReportAllocs()
	for b.Loop() {
		mint(b, s)
	}
}
