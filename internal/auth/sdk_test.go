package auth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

// sign signs r as the SDK does.
func sign(t testing.TB, r *http.Request, k key, service string, body []byte, now time.Time) {
	t.Helper()
	sum := sha256.Sum256(body)
	signHash(t, r, k, service, hex.EncodeToString(sum[:]), now)
}

func signHash(t testing.TB, r *http.Request, k key, service, hash string, now time.Time) {
	t.Helper()
	err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }).SignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret}, r, hash, service, "us-east-1", now)
	if err != nil {
		t.Fatal(err)
	}
}

// anyText has the bytes that canonical forms treat differently.
func anyText(rng *rand.Rand, max int) string {
	const alphabet = "abzAZ09-._~ +%/=&;:,@!$'()*\"<>[]\\^`{|}?#é世"
	runes := []rune(alphabet)
	b := make([]rune, rng.IntN(max+1))
	for i := range b {
		b[i] = runes[rng.IntN(len(runes))]
	}
	return string(b)
}

// anyRequest makes a request of the sort that SDKs send.
func anyRequest(t testing.TB, rng *rand.Rand) (*http.Request, []byte) {
	t.Helper()
	methods := []string{"GET", "POST", "PUT", "DELETE", "PATCH"}
	body := []byte(anyText(rng, 200))
	u := url.URL{Scheme: "http", Host: "lambda.localhost:4566"}
	for range rng.IntN(4) {
		segment := "x" + strings.ReplaceAll(anyText(rng, 8), "/", "")
		u.Path += "/" + segment
		u.RawPath += "/" + strings.ReplaceAll(url.QueryEscape(segment), "+", "%20") // as SDKs encode labels
	}
	if rng.IntN(2) == 0 {
		u.Path += "/"
		u.RawPath += "/"
	}
	q := url.Values{}
	for range rng.IntN(5) {
		q.Add(anyText(rng, 3), anyText(rng, 6))
	}
	u.RawQuery = q.Encode()
	r, err := http.NewRequest(methods[rng.IntN(len(methods))], u.String(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for range rng.IntN(4) {
		r.Header.Add(fmt.Sprintf("X-Amz-Meta-%c", 'a'+rng.IntN(2)), strings.TrimSpace(anyText(rng, 12)))
	}
	r.Header.Set("Content-Type", "application/json")
	return r, body
}

// TestWhatTheSDKSignsVerifies is the property the package stands on: what the SDK
// signs is let in, and nothing that differs from it is.
func TestWhatTheSDKSignsVerifies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	now := at(t, "20260101T120000Z")
	v := verifier(docsKey, now)
	for i := range 2000 {
		service := []string{"lambda", "s3"}[i%2]
		sent, body := anyRequest(t, rng)
		if service == "s3" {
			sum := sha256.Sum256(body)
			sent.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
		}
		sign(t, sent, docsKey, service, body, now.Now())
		verify := func(r *http.Request) error {
			if service == "s3" {
				_, err := checkS3(v, r)
				return err
			}
			_, err := check(v, r, service)
			return err
		}
		got := send(t, sent)
		if err := verify(got); err != nil {
			t.Fatalf("request %d: %v\n%s %s\n%v", i, err, got.Method, got.RequestURI, got.Header)
		}
		for name, tamper := range tamperings {
			r := receive(t, dump(t, sent, body))
			if !tamper(r, rng) {
				continue
			}
			if err := verify(r); err == nil {
				t.Fatalf("request %d: %s was changed and it verified\n%s %s\n%v", i, name, r.Method, r.RequestURI, r.Header)
			}
		}
	}
}

// dump is r on the wire. The SDK has read its body.
func dump(t testing.TB, r *http.Request, body []byte) string {
	t.Helper()
	r.Body = io.NopCloser(bytes.NewReader(body))
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tamperings change one thing each; false where there is nothing to change.
var tamperings = map[string]func(*http.Request, *rand.Rand) bool{
	"method": func(r *http.Request, _ *rand.Rand) bool { r.Method += "X"; return true },
	"path": func(r *http.Request, _ *rand.Rand) bool {
		path, query, _ := strings.Cut(r.RequestURI, "?")
		r.RequestURI = path + "x?" + query
		return true
	},
	"query": func(r *http.Request, _ *rand.Rand) bool { r.URL.RawQuery += "&x"; return true },
	"order of nothing but a value": func(r *http.Request, _ *rand.Rand) bool {
		q := r.URL.RawQuery
		r.URL.RawQuery = strings.Replace(q, "=", "=x", 1)
		return q != r.URL.RawQuery
	},
	"host":           func(r *http.Request, _ *rand.Rand) bool { r.Host = "s3.localhost:4566"; return true },
	"header":         func(r *http.Request, _ *rand.Rand) bool { r.Header.Set("Content-Type", "application/xml"); return true },
	"date":           func(r *http.Request, _ *rand.Rand) bool { r.Header.Set("X-Amz-Date", "20260101T120001Z"); return true },
	"header dropped": func(r *http.Request, _ *rand.Rand) bool { r.Header.Del("Content-Type"); return true },
	"header doubled": func(r *http.Request, _ *rand.Rand) bool {
		r.Header.Add("Content-Type", "application/json")
		return true
	},
	"header added": func(r *http.Request, _ *rand.Rand) bool { r.Header.Add("X-Amz-Target", "Other.Operation"); return true },
	"body": func(r *http.Request, rng *rand.Rand) bool {
		b, _ := io.ReadAll(r.Body)
		if len(b) == 0 {
			return false
		}
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		r.Body = io.NopCloser(bytes.NewReader(b))
		return true
	},
	"signature": func(r *http.Request, _ *rand.Rand) bool {
		a := []byte(r.Header.Get("Authorization"))
		a[len(a)-1] ^= 1
		r.Header.Set("Authorization", string(a))
		return true
	},
	"signed headers": func(r *http.Request, _ *rand.Rand) bool {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "content-type;", "", 1))
		return true
	},
	"unsigned payload": func(r *http.Request, _ *rand.Rand) bool {
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		return true
	},
}

func TestPresignedBySDK(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	now := at(t, "20260101T120000Z")
	v := verifier(docsKey, now)
	for i := range 500 {
		service := []string{"lambda", "s3"}[i%2]
		r, body := anyRequest(t, rng)
		r.Header.Del("Content-Type")
		q := r.URL.Query()
		q.Set("X-Amz-Expires", "3600")
		r.URL.RawQuery = q.Encode()
		sum := sha256.Sum256(body)
		hash := hex.EncodeToString(sum[:])
		if service == "s3" {
			hash = "UNSIGNED-PAYLOAD"
		}
		signed, headers, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }).PresignHTTP(t.Context(),
			aws.Credentials{AccessKeyID: docsKey.id, SecretAccessKey: docsKey.secret}, r, hash, service, "us-east-1", now.Now())
		if err != nil {
			t.Fatal(err)
		}
		verify := func(target string, when time.Duration) error {
			now.Advance(when)
			defer now.Advance(-when)
			r, err := http.NewRequest(r.Method, target, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = headers
			got := send(t, r)
			if service == "s3" {
				_, err := checkS3(v, got)
				return err
			}
			_, err = check(v, got, service)
			return err
		}
		if err := verify(signed, time.Hour); err != nil {
			t.Fatalf("request %d: %v\n%s", i, err, signed)
		}
		if err := verify(signed, time.Hour+time.Second); code(err, auth.S3) != "AccessDenied" {
			t.Fatalf("request %d: expired, and %v", i, err)
		}
		if err := verify(strings.Replace(signed, "X-Amz-Expires=3600", "X-Amz-Expires=3601", 1), 0); code(err, auth.S3) != "SignatureDoesNotMatch" {
			t.Fatalf("request %d: with a longer life, and %v", i, err)
		}
		if err := verify(signed+"&versionId=1", 0); code(err, auth.S3) != "SignatureDoesNotMatch" {
			t.Fatalf("request %d: with another parameter, and %v", i, err)
		}
	}
}
