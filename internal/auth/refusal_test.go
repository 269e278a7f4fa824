package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

// TestRefusalsInEveryDialect shows what a caller of each family of services sees.
func TestRefusalsInEveryDialect(t *testing.T) {
	const date = "20260101T120000Z"
	signed := func(service string) *http.Request {
		r, err := http.NewRequest("POST", "http://lambda.localhost/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Content-Sha256", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
		sign(t, r, docsKey, service, []byte("{}"), at(t, date).Now())
		return send(t, r)
	}
	edit := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			a := r.Header.Get("Authorization")
			if !strings.Contains(a, old) {
				t.Fatalf("%q has no %q", a, old)
			}
			r.Header.Set("Authorization", strings.Replace(a, old, new, 1))
		}
	}
	for _, tt := range []struct {
		name   string
		tamper func(*http.Request)
		late   time.Duration
		want   [4]string // REST, JSON, Query, S3: code, status
		say    string    // the message of REST
	}{
		{"no signature", func(r *http.Request) { r.Header.Del("Authorization") }, 0,
			[4]string{"MissingAuthenticationTokenException 403", "MissingAuthenticationTokenException 400", "MissingAuthenticationToken 403", "AccessDenied 403"},
			"Missing Authentication Token"},
		{"bearer token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, 0,
			[4]string{"IncompleteSignatureException 403", "IncompleteSignatureException 400", "IncompleteSignature 400", "InvalidRequest 400"},
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization=Bearer"},
		{"no signature part", edit(", Signature=", ", Sig="), 0,
			[4]string{"IncompleteSignatureException 403", "IncompleteSignatureException 400", "IncompleteSignature 400", "AuthorizationHeaderMalformed 400"},
			"Authorization header requires 'Signature' parameter."},
		{"no equal sign", edit("SignedHeaders=", "abc,SignedHeaders="), 0,
			[4]string{"IncompleteSignatureException 403", "IncompleteSignatureException 400", "IncompleteSignature 400", "AuthorizationHeaderMalformed 400"},
			"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='."},
		{"short credential", edit("/aws4_request", ""), 0,
			[4]string{"IncompleteSignatureException 403", "IncompleteSignatureException 400", "IncompleteSignature 400", "AuthorizationHeaderMalformed 400"},
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/SERVICE'"},
		{"region", edit("us-east-1", "eu-west-9"), 0,
			[4]string{"InvalidSignatureException 403", "InvalidSignatureException 400", "SignatureDoesNotMatch 403", "AuthorizationHeaderMalformed 400"},
			"Credential should be scoped to a valid region, not 'eu-west-9'. "},
		{"day", edit("20260101", "20260102"), 0,
			[4]string{"InvalidSignatureException 403", "InvalidSignatureException 400", "SignatureDoesNotMatch 403", "AuthorizationHeaderMalformed 400"},
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260102' != '20260101', from '20260101T120000Z'."},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, 0,
			[4]string{"IncompleteSignatureException 403", "IncompleteSignatureException 400", "IncompleteSignature 400", "AuthorizationHeaderMalformed 400"},
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{"unsigned header", func(r *http.Request) { r.Header.Set("X-Amz-Target", "A.B") }, 0,
			[4]string{"InvalidSignatureException 403", "InvalidSignatureException 400", "SignatureDoesNotMatch 403", "AccessDenied 403"},
			"'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
		{"unsigned host", edit("content-length;host;", "content-length;"), 0,
			[4]string{"InvalidSignatureException 403", "InvalidSignatureException 400", "SignatureDoesNotMatch 403", "AccessDenied 403"},
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"stale", nil, 16 * time.Minute,
			[4]string{"InvalidSignatureException 403", "InvalidSignatureException 400", "SignatureDoesNotMatch 403", "RequestTimeTooSkewed 403"},
			"Signature expired: 20260101T120000Z is now earlier than 20260101T121100Z (20260101T121600Z - 5 min.)"},
		{"early", nil, -16 * time.Minute,
			[4]string{"InvalidSignatureException 403", "InvalidSignatureException 400", "SignatureDoesNotMatch 403", "RequestTimeTooSkewed 403"},
			"Signature not yet current: 20260101T120000Z is still later than 20260101T114900Z (20260101T114400Z + 5 min.)"},
		{"unknown key", edit("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7OTHERONE"), 0,
			[4]string{"UnrecognizedClientException 403", "UnrecognizedClientException 400", "InvalidClientTokenId 403", "InvalidAccessKeyId 403"},
			"The security token included in the request is invalid."},
		{"wrong signature", edit("Signature=", "Signature=0"), 0,
			[4]string{"InvalidSignatureException 403", "InvalidSignatureException 400", "SignatureDoesNotMatch 403", "SignatureDoesNotMatch 403"},
			"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := at(t, date)
			now.Advance(tt.late)
			v := verifier(docsKey, now)
			var got [4]string
			for d, service := range []string{"lambda", "logs", "sts", "s3"} {
				r := signed(service)
				if tt.tamper != nil {
					tt.tamper(r)
				}
				var err error
				if service == "s3" {
					_, err = checkS3(v, r)
				} else {
					_, err = check(v, r, service)
				}
				var refusal *auth.Refusal
				if !errors.As(err, &refusal) {
					t.Fatalf("%s: %v is no refusal", service, err)
				}
				f := refusal.Fault(auth.Dialect(d))
				got[d] = f.Code + " " + http.StatusText(f.Status)
				tt.want[d] = status(tt.want[d])
				if want := strings.ReplaceAll(tt.say, "SERVICE", service); d == 0 && f.Message != want {
					t.Errorf("message %q\n   want %q", f.Message, want)
				}
				if f.Message == "" {
					t.Errorf("%s: no message", service)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// status turns "Code 403" into "Code Forbidden".
func status(s string) string {
	s = strings.Replace(s, " 403", " "+http.StatusText(403), 1)
	return strings.Replace(s, " 400", " "+http.StatusText(400), 1)
}

func TestScopeOfAnotherService(t *testing.T) {
	now := at(t, "20260101T120000Z")
	r, _ := http.NewRequest("GET", "http://localhost/", nil)
	sign(t, r, docsKey, "sqs", nil, now.Now())
	_, err := check(verifier(docsKey, now), send(t, r), "lambda")
	if want := "refused: Credential should be scoped to correct service: 'lambda'. "; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestServicesWithoutRegions(t *testing.T) {
	now := at(t, "20260101T120000Z")
	v := auth.NewVerifier(auth.Config{Keys: docsKey, Region: "eu-central-1", Clock: now})
	for service, want := range map[string]string{"sts": "", "iam": "", "lambda": "InvalidSignatureException"} {
		r, _ := http.NewRequest("POST", "http://localhost/", nil)
		sign(t, r, docsKey, service, nil, now.Now()) // for us-east-1
		if _, err := check(v, send(t, r), service); code(err, auth.REST) != want {
			t.Errorf("%s: %v, want %q", service, err, want)
		}
	}
}

func TestPresignedRefusals(t *testing.T) {
	const good = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeee"
	for _, tt := range []struct{ name, old, new, rest, s3 string }{
		{"algorithm", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "IncompleteSignatureException", "AuthorizationQueryParametersError"},
		{"no date", "&X-Amz-Date=20130524T000000Z", "", "IncompleteSignatureException", "AuthorizationQueryParametersError"},
		{"life over a week", "86400", "604801", "IncompleteSignatureException", "AuthorizationQueryParametersError"},
		{"life of nothing", "86400", "0", "IncompleteSignatureException", "AuthorizationQueryParametersError"},
		{"life no number", "86400", "1h", "IncompleteSignatureException", "AuthorizationQueryParametersError"},
		{"given twice", "&X-Amz-Expires", "&X-Amz-Expires=60&X-Amz-Expires", "IncompleteSignatureException", "AuthorizationQueryParametersError"},
		{"bad escape", "%2F20130524", "%2", "IncompleteSignatureException", "AuthorizationQueryParametersError"},
		{"region", "us-east-1", "us-east-2", "InvalidSignatureException", "AuthorizationQueryParametersError"},
		{"signature", "", "", "InvalidSignatureException", "SignatureDoesNotMatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := receive(t, "GET /test.txt?"+strings.Replace(good, tt.old, tt.new, 1)+" HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n\r\n")
			_, err := checkS3(verifier(docsKey, at(t, "20130524T000000Z")), r)
			if got := [2]string{code(err, auth.REST), code(err, auth.S3)}; got != [2]string{tt.rest, tt.s3} {
				t.Errorf("got %v (%v)", got, err)
			}
		})
	}
	both := receive(t, "GET /?"+good+" HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n")
	if _, err := auth.Parse(both); code(err, auth.REST) != "IncompleteSignatureException" {
		t.Errorf("two signatures: %v", err)
	}
}

// TestReplay writes down what is done about requests sent twice.
func TestReplay(t *testing.T) {
	now := at(t, "20260101T120000Z")
	v := verifier(docsKey, now)
	r, _ := http.NewRequest("POST", "http://localhost/", strings.NewReader("{}"))
	sign(t, r, docsKey, "lambda", []byte("{}"), now.Now())
	got := send(t, r)
	for range 3 {
		if _, err := check(v, got, "lambda"); err != nil {
			t.Errorf("inside the window: %v", err)
		}
	}
	now.Advance(5*time.Minute + time.Second)
	if _, err := check(v, got, "lambda"); code(err, auth.REST) != "InvalidSignatureException" {
		t.Errorf("after the window: %v", err)
	}
}

// broken is a key store that fails.
type broken struct{}

func (broken) Secret(context.Context, string, string) (auth.Credential, error) {
	return auth.Credential{}, errors.New("store is closed")
}

func TestFaultsOfOursAreNoRefusals(t *testing.T) {
	now := at(t, "20260101T120000Z")
	r, _ := http.NewRequest("GET", "http://localhost/", nil)
	sign(t, r, docsKey, "lambda", nil, now.Now())
	_, err := check(verifier(auth.Ring{suiteKey, broken{}}, now), send(t, r), "lambda")
	if got := code(err, auth.REST); !strings.HasPrefix(got, "internal:") {
		t.Errorf("got %s", got)
	}
}
