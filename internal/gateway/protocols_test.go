package gateway_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/trace"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// stsAPI answers in awsQuery, whose operation is told by the body.
func stsAPI(t testing.TB) *wire.Router {
	t.Helper()
	who := func(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		p := auth.From(ctx)
		return &sts.GetCallerIdentityOutput{Account: &p.Account, Arn: &p.ARN, UserId: &p.UserID}, nil
	}
	web := func(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return &sts.AssumeRoleWithWebIdentityOutput{Audience: in.WebIdentityToken, Provider: aws.String(string(auth.From(ctx).Kind))}, nil
	}
	ops := []wire.Operation{wire.Op(wire.Named("GetCallerIdentity"), who), wire.Op(wire.Named("AssumeRoleWithWebIdentity"), web)}
	table := asks("sts", "", "", ops...)
	table["AssumeRoleWithWebIdentity"] = access.Rule{Itself: true, Unsigned: true}
	r, err := wire.New(wire.API{Service: "sts", Protocols: []wire.Protocol{wire.Query}, Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: ops, Access: table})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// s3API has an operation that takes its body as it arrives and one that does not.
func s3API(t testing.TB) *wire.Router {
	t.Helper()
	label, payload := []smithy.Trait{&traits.HTTPLabel{}}, []smithy.Trait{&traits.HTTPPayload{}}
	put := func(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
		b, err := io.ReadAll(in.Body)
		return &s3.PutObjectOutput{ETag: aws.String(string(b))}, err
	}
	remove := func(_ context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
		return &s3.DeleteObjectsOutput{Deleted: []s3types.DeletedObject{{Key: in.Delete.Objects[0].Key}}}, nil
	}
	ops := []wire.Operation{
		wire.Op(wire.Routed("PutObject", "PUT", "/{Bucket}/{Key+}", 200), put),
		wire.Op(wire.Routed("DeleteObjects", "POST", "/{Bucket}?delete", 200), remove),
	}
	r, err := wire.New(wire.API{Service: "s3", Protocols: []wire.Protocol{wire.RestXML}, Namespace: "http://s3.amazonaws.com/doc/2006-03-01/",
		Operations: ops, Access: asks("s3", "", "", ops...),
		Traits: wire.Traits{
			"PutObjectInput.Bucket": label, "PutObjectInput.Key": label, "PutObjectInput.Body": payload,
			"PutObjectOutput.ETag":      {&traits.HTTPHeader{Name: "ETag"}},
			"DeleteObjectsInput.Bucket": label, "DeleteObjectsInput.Delete": payload,
			"Delete.Objects":              {&traits.XMLName{Name: "Object"}, &traits.XMLFlattened{}},
			"DeleteObjectsOutput.Deleted": {&traits.XMLFlattened{}},
		}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFormsNameTheirOperation(t *testing.T) {
	d := openDoor(t, func(c *gateway.Config) { c.APIs = []*wire.Router{stsAPI(t)} })
	out, err := sts.NewFromConfig(d.config()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(out.Arn) != "arn:aws:iam::123456789012:root" {
		t.Errorf("%v, %v", out, err)
	}
	_, err = sts.NewFromConfig(d.configOf("AKIAAAAAAAAAAAAAAAAA", "x", "")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if got := said(err); got != "InvalidClientTokenId: The security token included in the request is invalid." {
		t.Errorf("unknown key: %s", got)
	}
	r := d.signed(t, "sts", "POST", "/", []byte("Action=GetCallerIdentity&x="+strings.Repeat("x", 5<<20)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if resp, body := do(t, d, r); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("form of 5 MiB: %d %s", resp.StatusCode, body)
	}
}

// TestS3Bodies puts objects as the SDK does over HTTPS (a trailing checksum, nothing
// else signed) and over HTTP (a hash), and sends a document.
func TestS3Bodies(t *testing.T) {
	d := openDoor(t, func(c *gateway.Config) { c.APIs = []*wire.Router{s3API(t)} })
	secure := httptest.NewTLSServer(d.handler)
	defer secure.Close()
	key := aws.String("folder/a b+c")
	for name, server := range map[string]*httptest.Server{"http": d.server, "https": secure} {
		cfg := d.config()
		cfg.BaseEndpoint, cfg.HTTPClient = &server.URL, server.Client()
		client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
		out, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: key, Body: strings.NewReader("hello")})
		if err != nil || aws.ToString(out.ETag) != "hello" {
			t.Errorf("%s: %v, %v", name, out, err)
		}
		gone, err := client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("b"),
			Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{{Key: key}}}})
		if err != nil || aws.ToString(gone.Deleted[0].Key) != *key {
			t.Errorf("%s: %v, %v", name, gone, err)
		}
	}
}

func TestS3BodyThatWasChanged(t *testing.T) {
	d := openDoor(t, func(c *gateway.Config) { c.APIs = []*wire.Router{s3API(t)} })
	spoil := roundTrip(func(r *http.Request) (*http.Response, error) {
		r.Body = io.NopCloser(strings.NewReader("hellO"))
		return d.server.Client().Transport.RoundTrip(r)
	})
	cfg := d.config()
	cfg.HTTPClient = &http.Client{Transport: spoil}
	_, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).
		PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("hello")})
	if got := said(err); got != "XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match what was computed." {
		t.Errorf("got %s", got)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSpansOfARequest(t *testing.T) {
	var mu sync.Mutex
	var got strings.Builder
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got.Write(b)
	}))
	defer collector.Close()
	tracing, err := trace.New(t.Context(), trace.Config{OTLP: collector.URL})
	if err != nil {
		t.Fatal(err)
	}
	d := openDoor(t, func(c *gateway.Config) { c.Tracing = tracing })
	if _, err := d.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("hello")}); err != nil {
		t.Error(err)
	}
	d.server.Close() // waits until the request, and so its span, has ended
	if err := tracing.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, span := range []string{"lambda Invoke", "authenticate", "authorize"} {
		if !strings.Contains(got.String(), span) {
			t.Errorf("no span %q was sent", span)
		}
	}
}
