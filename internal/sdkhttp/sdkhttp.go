// Package sdkhttp is the transport under the AWS SDK's clients, for those of our
// own and for tests.
//
// The SDK closes a request's body as soon as the answer begins. net/http may look
// then whether the body is longer than it said, finds it closed, and cuts the
// connection off under the rest of the answer: "use of closed network connection",
// once in some ten thousand calls.
package sdkhttp

import (
	"io"
	"net/http"
)

// Over has requests travel by base with bodies that end where they said they would,
// closed or not.
func Over(base http.RoundTripper) http.RoundTripper { return transport{base} }

type transport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.ContentLength <= 0 {
		return t.base.RoundTrip(r)
	}
	ending := *r // a RoundTripper leaves its request as it is
	ending.Body = &body{ReadCloser: r.Body, left: r.ContentLength}
	return t.base.RoundTrip(&ending)
}

// body isn't read beyond its end.
type body struct {
	io.ReadCloser
	left int64
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
