package wire_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqsschemas "github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// serve starts an echo for an API made by hand.
func serve(t testing.TB, api wire.API, ops ...wire.Operation) *echo {
	t.Helper()
	e := &echo{fill: &filler{rand: rand.New(rand.NewPCG(7, 7)), plain: true, single: true}}
	api.Operations = ops
	var err error
	if e.router, err = compile(api); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	e.url = srv.URL
	return e
}

// echoOp makes an operation that is answered by the echo.
func echoOp[I, O any](e **echo, schema *smithy.Schema) wire.Operation {
	return wire.Op(schema, func(_ context.Context, in *I) (*O, error) {
		(*e).in = in
		out, _ := (*e).out.(*O)
		return out, (*e).err
	})
}

// serveSTS serves what Mayfly needs of STS.
func serveSTS(t testing.TB) *echo {
	var e *echo
	e = serve(t, wire.API{
		Service: "sts", Protocols: []wire.Protocol{wire.Query}, Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Traits: wire.Traits{"PolicyDescriptorType.Arn": {&traits.XMLName{Name: "arn"}}},
	},
		echoOp[sts.AssumeRoleInput, sts.AssumeRoleOutput](&e, wire.Named("AssumeRole")),
		echoOp[sts.AssumeRoleWithWebIdentityInput, sts.AssumeRoleWithWebIdentityOutput](&e, wire.Named("AssumeRoleWithWebIdentity")),
		echoOp[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput](&e, wire.Named("GetCallerIdentity")),
		echoOp[sts.GetSessionTokenInput, sts.GetSessionTokenOutput](&e, wire.Named("GetSessionToken")),
	)
	return e
}

func TestSTSHasNoSchemas(t *testing.T) {
	e := serveSTS(t)
	client := sts.New(sts.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &e.url, Retryer: aws.NopRetryer{}})
	for _, name := range e.router.Operations() {
		t.Run(name, func(t *testing.T) {
			for range 8 {
				e.roundTrip(t, client, name)
			}
		})
	}
}

// TestIAMHasNoSchemas calls every operation of IAM: there are none but forms there.
func TestIAMHasNoSchemas(t *testing.T) {
	unions := []iamtypes.PolicyIdentifier{
		&iamtypes.PolicyIdentifierMemberInlinePolicyIdentifier{}, &iamtypes.PolicyIdentifierMemberPolicyArn{}, &iamtypes.PolicyIdentifierMemberPolicyType{},
	}
	var e *echo
	var ops []wire.Operation
	client := reflect.TypeFor[*iam.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() != 4 || m.Type.NumOut() != 2 || !strings.HasSuffix(m.Type.In(2).String(), "Input") {
			continue
		}
		ops = append(ops, wire.OpOf(wire.Named(m.Name), m.Type.In(2).Elem(), m.Type.Out(0).Elem(), func(_ context.Context, in any) (any, error) {
			e.in = in
			return e.out, e.err
		}))
	}
	e = serve(t, wire.API{
		Service: "iam", Protocols: []wire.Protocol{wire.Query}, Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		Unions: []wire.Union{wire.Variants(unions...)},
	}, ops...)
	e.fill.unions = map[reflect.Type][]any{reflect.TypeFor[iamtypes.PolicyIdentifier](): {unions[0], unions[1], unions[2]}}
	c := iam.New(iam.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &e.url, HTTPClient: e, Retryer: aws.NopRetryer{}})
	for _, name := range e.router.Operations() {
		t.Run(name, func(t *testing.T) { e.roundTrip(t, c, name) })
	}
}

// serveSQS serves SQS in its own protocol and in the one it once had.
func serveSQS(t *testing.T) *echo {
	var e *echo
	e = serve(t, wire.API{
		Service: "sqs", Target: "AmazonSQS", Protocols: []wire.Protocol{wire.JSON10, wire.Query}, Errors: sqs.TypeRegistry,
	}, echoOp[sqs.GetQueueUrlInput, sqs.GetQueueUrlOutput](&e, sqsschemas.GetQueueUrl))
	return e
}

// s3Traits is the kind of table a service without schemas keeps in its api.go.
var s3Traits = wire.Traits{
	"PutObjectInput.Bucket":                       label,
	"PutObjectInput.Key":                          label,
	"PutObjectInput.Body":                         payload,
	"PutObjectInput.CacheControl":                 header("Cache-Control"),
	"PutObjectInput.ContentType":                  header("Content-Type"),
	"PutObjectInput.ContentLength":                header("Content-Length"),
	"PutObjectInput.BucketKeyEnabled":             header("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"),
	"PutObjectInput.Expires":                      header("Expires"),
	"PutObjectInput.ObjectLockRetainUntilDate":    {&traits.HTTPHeader{Name: "X-Amz-Object-Lock-Retain-Until-Date"}, &traits.TimestampFormat{Format: "date-time"}},
	"PutObjectInput.Metadata":                     {&traits.HTTPPrefixHeaders{Prefix: "X-Amz-Meta-"}},
	"PutObjectOutput.ETag":                        header("ETag"),
	"PutObjectOutput.Size":                        header("X-Amz-Object-Size"),
	"GetObjectInput.Bucket":                       label,
	"GetObjectInput.Key":                          label,
	"GetObjectInput.Range":                        header("Range"),
	"GetObjectInput.IfModifiedSince":              header("If-Modified-Since"),
	"GetObjectInput.PartNumber":                   query("partNumber"),
	"GetObjectInput.ResponseExpires":              {&traits.HTTPQuery{Name: "response-expires"}, &traits.TimestampFormat{Format: "http-date"}},
	"GetObjectOutput.Body":                        payload,
	"GetObjectOutput.ContentLength":               header("Content-Length"),
	"GetObjectOutput.ContentType":                 header("Content-Type"),
	"GetObjectOutput.ETag":                        header("ETag"),
	"GetObjectOutput.LastModified":                header("Last-Modified"),
	"GetObjectOutput.Metadata":                    {&traits.HTTPPrefixHeaders{Prefix: "X-Amz-Meta-"}},
	"CopyObjectInput.Bucket":                      label,
	"CopyObjectInput.Key":                         label,
	"CopyObjectInput.CopySource":                  header("X-Amz-Copy-Source"),
	"CopyObjectOutput.CopyObjectResult":           payload,
	"CopyObjectOutput.VersionId":                  header("X-Amz-Version-Id"),
	"DeleteObjectsInput.Bucket":                   label,
	"DeleteObjectsInput.Delete":                   payload,
	"Delete.Objects":                              named("Object"),
	"DeleteObjectsOutput.Deleted":                 flat,
	"DeleteObjectsOutput.Errors":                  named("Error"),
	"DeleteObjectsOutput":                         {&traits.XMLName{Name: "DeleteResult"}},
	"ObjectIdentifier.LastModifiedTime":           {&traits.TimestampFormat{Format: "http-date"}},
	"ListObjectsV2Input.Bucket":                   label,
	"ListObjectsV2Input.Prefix":                   query("prefix"),
	"ListObjectsV2Input.MaxKeys":                  query("max-keys"),
	"ListObjectsV2Input.FetchOwner":               query("fetch-owner"),
	"ListObjectsV2Input.EncodingType":             query("encoding-type"),
	"ListObjectsV2Input.OptionalObjectAttributes": header("X-Amz-Optional-Object-Attributes"),
	"ListObjectsV2Output":                         {&traits.XMLName{Name: "ListBucketResult"}},
	"ListObjectsV2Output.Contents":                flat,
	"ListObjectsV2Output.CommonPrefixes":          flat,
	"Object.ChecksumAlgorithm":                    flat,
	"GetBucketAclInput.Bucket":                    label,
	"GetBucketAclOutput.Grants":                   {&traits.XMLName{Name: "AccessControlList"}},
	"GetBucketAclOutput.Grants.member":            {&traits.XMLName{Name: "Grant"}},
	"Grantee":                                     {&traits.XMLNamespace{Prefix: "xsi", URI: "http://www.w3.org/2001/XMLSchema-instance"}},
	"Grant.Grantee":                               {&traits.XMLNamespace{Prefix: "xsi", URI: "http://www.w3.org/2001/XMLSchema-instance"}},
	"Grantee.Type":                                {&traits.XMLAttribute{}, &traits.XMLName{Name: "xsi:type"}},
	"HeadObjectInput.Bucket":                      label,
	"HeadObjectInput.Key":                         label,
	"HeadObjectOutput.ContentLength":              header("Content-Length"),
	"HeadObjectOutput.ContentType":                header("Content-Type"),
	"PutBucketTaggingInput.Bucket":                label,
	"PutBucketTaggingInput.Tagging":               payload,
	"Tagging.TagSet.member":                       {&traits.XMLName{Name: "Tag"}},
}

var (
	label   = []smithy.Trait{&traits.HTTPLabel{}}
	payload = []smithy.Trait{&traits.HTTPPayload{}}
	flat    = []smithy.Trait{&traits.XMLFlattened{}}
)

func header(name string) []smithy.Trait { return []smithy.Trait{&traits.HTTPHeader{Name: name}} }
func query(name string) []smithy.Trait  { return []smithy.Trait{&traits.HTTPQuery{Name: name}} }
func named(name string) []smithy.Trait {
	return []smithy.Trait{&traits.XMLName{Name: name}, &traits.XMLFlattened{}}
}

// newS3 serves some operations of S3, each a case of its own.
func newS3(t testing.TB) (*echo, *s3.Client) {
	var e *echo
	e = serve(t, wire.API{
		Service: "s3", Protocols: []wire.Protocol{wire.RestXML}, Namespace: "http://s3.amazonaws.com/doc/2006-03-01/", Traits: s3Traits,
	},
		echoOp[s3.PutObjectInput, s3.PutObjectOutput](&e, wire.Routed("PutObject", "PUT", "/{Bucket}/{Key+}?x-id=PutObject", 200)),
		echoOp[s3.GetObjectInput, s3.GetObjectOutput](&e, wire.Routed("GetObject", "GET", "/{Bucket}/{Key+}?x-id=GetObject", 200)),
		echoOp[s3.HeadObjectInput, s3.HeadObjectOutput](&e, wire.Routed("HeadObject", "HEAD", "/{Bucket}/{Key+}", 200)),
		echoOp[s3.CopyObjectInput, s3.CopyObjectOutput](&e, wire.Routed("CopyObject", "PUT", "/{Bucket}/{Key+}?x-id=CopyObject", 200)).WithHeader("X-Amz-Copy-Source"),
		echoOp[s3.DeleteObjectsInput, s3.DeleteObjectsOutput](&e, wire.Routed("DeleteObjects", "POST", "/{Bucket}?delete", 200)),
		echoOp[s3.ListObjectsV2Input, s3.ListObjectsV2Output](&e, wire.Routed("ListObjectsV2", "GET", "/{Bucket}?list-type=2", 200)),
		echoOp[s3.GetBucketAclInput, s3.GetBucketAclOutput](&e, wire.Routed("GetBucketAcl", "GET", "/{Bucket}?acl", 200)),
		echoOp[s3.PutBucketTaggingInput, s3.PutBucketTaggingOutput](&e, wire.Routed("PutBucketTagging", "PUT", "/{Bucket}?tagging", 204)),
	)
	return e, s3.New(s3.Options{
		Region: "us-east-1", Credentials: creds, BaseEndpoint: &e.url, UsePathStyle: true, Retryer: aws.NopRetryer{},
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

func TestS3HasNoSchemas(t *testing.T) {
	e, client := newS3(t)
	day := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	bucket, key := aws.String("photos"), aws.String("2026/März/a b+c%.jpg")
	for _, c := range []struct {
		op      string
		in, out any
	}{
		{"ListObjectsV2", &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("a b/&"), MaxKeys: aws.Int32(7), FetchOwner: aws.Bool(true), EncodingType: "url", OptionalObjectAttributes: []s3types.OptionalObjectAttributes{"RestoreStatus"}},
			&s3.ListObjectsV2Output{Name: bucket, KeyCount: aws.Int32(2), IsTruncated: aws.Bool(false),
				Contents:       []s3types.Object{{Key: aws.String("a <b> & \"c\"\n"), Size: aws.Int64(1 << 40), LastModified: &day, ChecksumAlgorithm: []s3types.ChecksumAlgorithm{"CRC32", "SHA256"}}, {Key: key}},
				CommonPrefixes: []s3types.CommonPrefix{{Prefix: aws.String("x/")}}}},
		{"DeleteObjects", &s3.DeleteObjectsInput{Bucket: bucket, Delete: &s3types.Delete{Quiet: aws.Bool(true), Objects: []s3types.ObjectIdentifier{{Key: key, LastModifiedTime: &day}, {Key: aws.String("b")}}}},
			&s3.DeleteObjectsOutput{Deleted: []s3types.DeletedObject{{Key: key}, {Key: aws.String("b")}}, Errors: []s3types.Error{{Code: aws.String("AccessDenied")}}}},
		{"CopyObject", &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String("other/key")},
			&s3.CopyObjectOutput{VersionId: aws.String("v1"), CopyObjectResult: &s3types.CopyObjectResult{ETag: aws.String(`"abc"`), LastModified: &day}}},
		{"GetBucketAcl", &s3.GetBucketAclInput{Bucket: bucket},
			&s3.GetBucketAclOutput{Owner: &s3types.Owner{ID: aws.String("me")}, Grants: []s3types.Grant{{Permission: "READ", Grantee: &s3types.Grantee{Type: "CanonicalUser", ID: aws.String("you")}}}}},
		{"HeadObject", &s3.HeadObjectInput{Bucket: bucket, Key: key}, &s3.HeadObjectOutput{ContentLength: aws.Int64(1 << 30), ContentType: aws.String("text/x")}},
		{"PutBucketTagging", &s3.PutBucketTaggingInput{Bucket: bucket, Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("a"), Value: aws.String(" b ")}, {Key: aws.String("c"), Value: aws.String("")}}}},
			&s3.PutBucketTaggingOutput{}},
	} {
		t.Run(c.op, func(t *testing.T) {
			e.out = c.out
			got, err := call(reflect.ValueOf(client).MethodByName(c.op), reflect.ValueOf(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.in, e.in, same); diff != "" {
				t.Errorf("the input changed on its way (-sent +received):\n%s", diff)
			}
			if diff := cmp.Diff(c.out, got, same); diff != "" {
				t.Errorf("the output changed on its way (-sent +received):\n%s", diff)
			}
		})
	}
}

func TestS3Streams(t *testing.T) {
	e, client := newS3(t)
	day := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	var put *s3.PutObjectInput
	var got string
	e.onInput = func(in any) {
		if p, ok := in.(*s3.PutObjectInput); ok {
			b, err := io.ReadAll(p.Body)
			if err != nil {
				t.Error(err)
			}
			put, got = p, string(b)
		}
	}
	e.out = &s3.PutObjectOutput{ETag: aws.String(`"e"`), Size: aws.Int64(5)}
	in := &s3.PutObjectInput{
		Bucket: aws.String("photos"), Key: aws.String("folder/"), Body: strings.NewReader("hello"), Expires: &day,
		CacheControl: aws.String("no-cache"), ContentType: aws.String("text/x"), BucketKeyEnabled: aws.Bool(true),
		ObjectLockRetainUntilDate: &day, Metadata: map[string]string{"color": "red", "size": "5, 6"},
	}
	out, err := client.PutObject(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	in.Body, put.Body, in.ContentLength = nil, nil, aws.Int64(5)
	if diff := cmp.Diff(in, put, same); diff != "" || got != "hello" || *out.ETag != `"e"` || *out.Size != 5 {
		t.Errorf("put %q, answered %v:\n%s", got, out, diff)
	}

	e.out = &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader("hello")), ContentLength: aws.Int64(5), ContentType: aws.String("text/x"), LastModified: &day, Metadata: map[string]string{"color": "red"}}
	get := &s3.GetObjectInput{Bucket: aws.String("photos"), Key: aws.String("a//b/"), Range: aws.String("bytes=0-4"), PartNumber: aws.Int32(2), IfModifiedSince: &day, ResponseExpires: &day}
	answer, err := client.GetObject(t.Context(), get)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(get, e.in, same); diff != "" {
		t.Errorf("the input changed on its way (-sent +received):\n%s", diff)
	}
	e.out.(*s3.GetObjectOutput).Body = io.NopCloser(strings.NewReader("hello"))
	if diff := cmp.Diff(e.out, answer, same, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "AcceptRanges" }, cmp.Ignore())); diff != "" {
		t.Errorf("the output changed on its way (-sent +received):\n%s", diff)
	}
}

func TestS3ErrorHasNoWrapper(t *testing.T) {
	w := httptest.NewRecorder()
	e, _ := newS3(t)
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/photos?policy", nil))
	want := `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NotImplemented</Code><Message>The service s3 has no operation GET /photos that Mayfly knows.</Message><RequestId>11111111-2222-4333-8444-555555555555</RequestId></Error>`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != 404 {
		t.Errorf("status %d, (-want +got):\n%s", w.Code, diff)
	}
}
