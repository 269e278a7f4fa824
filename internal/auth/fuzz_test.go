package auth_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

// FuzzParse feeds strangers' headers and queries: nothing is let in, nothing breaks.
func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=00", "", "20130524T000000Z")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"+
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=00", "")
	f.Add("AWS4-HMAC-SHA256 ,,,=,", "&&=&%&%4", "x")
	v := verifier(docsKey, at(f, "20130524T000000Z"))
	f.Fuzz(func(t *testing.T, header, query, date string) {
		r := &http.Request{Method: "GET", Host: "h", RequestURI: "/" + query, URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{}, Body: http.NoBody}
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		r.Header.Set("X-Amz-Date", date)
		s, err := auth.Parse(r)
		if err == nil {
			var a *auth.Admission
			if a, err = v.Admit(r, s, s.Service); err == nil {
				if _, err = a.Verify(nil); err == nil {
					t.Fatal("verified")
				}
				_, _, err = a.Open()
			}
		}
		for d := auth.REST; d <= auth.S3; d++ {
			if c := code(err, d); c == "" || strings.HasPrefix(c, "internal:") {
				t.Fatalf("dialect %d answers %q for %v", d, c, err)
			}
		}
	})
}

// FuzzChunked feeds bodies in place of a framed one: whatever the framing, no more and
// no less than what was announced is read.
func FuzzChunked(f *testing.F) {
	now := at(f, "20260101T120000Z")
	v := verifier(docsKey, now)
	for _, form := range []string{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"} {
		f.Add(form, []byte("6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"))
		f.Add(form, []byte("b;chunk-signature=00\r\nhello world\r\n0;chunk-signature=00\r\nx-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:00\r\n\r\n"))
	}
	f.Fuzz(func(t *testing.T, form string, b []byte) {
		r, _ := http.NewRequest("PUT", "http://b.s3.localhost/k", nil)
		r.Header.Set("X-Amz-Content-Sha256", strings.Map(func(c rune) rune {
			if c < ' ' || c > '~' {
				return -1
			}
			return c
		}, form))
		r.Header.Set("X-Amz-Decoded-Content-Length", "11")
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		signHash(t, r, docsKey, "s3", r.Header.Get("X-Amz-Content-Sha256"), now.Now())
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		got, err := checkS3(v, r)
		if strings.HasPrefix(form, "STREAMING-AWS4") && err == nil {
			t.Fatalf("read %q, signed by nobody, to its end", got)
		}
		if strings.HasPrefix(form, "STREAMING-UNSIGNED") && (len(got) > 11 || err == nil && len(got) != 11) {
			t.Fatalf("read %d bytes, %v: 11 were announced", len(got), err)
		}
	})
}

// FuzzCanonical signs any path and query and sees it verify.
func FuzzCanonical(f *testing.F) {
	f.Add("/a/b", "x=1&x=0")
	f.Add("/%2F/%41", "a=%zz&+=%20")
	now := at(f, "20260101T120000Z")
	v := verifier(docsKey, now)
	f.Fuzz(func(t *testing.T, path, query string) {
		u, err := url.ParseRequestURI("/" + path)
		if err != nil || strings.ContainsAny(path, "?#") || u.Path == "" {
			t.Skip("no path a client could send")
		}
		if _, err := url.ParseQuery(query); err != nil || strings.Contains(query, "X-Amz-") || strings.Contains(query, "#") {
			t.Skip("a query that clients encode in their own ways")
		}
		u.Scheme, u.Host, u.RawQuery = "http", "localhost", query
		r := &http.Request{Method: "GET", URL: u, Host: "localhost", Header: http.Header{}}
		sign(t, r, docsKey, "lambda", nil, now.Now())
		got := &http.Request{Method: "GET", RequestURI: r.URL.RequestURI(), URL: r.URL, Host: "localhost", Header: r.Header, Body: http.NoBody}
		if _, err := check(v, got, "lambda"); err != nil {
			t.Errorf("%q %q: %v", got.RequestURI, r.URL.RawQuery, err)
		}
	})
}
