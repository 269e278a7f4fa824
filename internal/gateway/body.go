package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

const (
	// DefaultMaxBody is the largest body of an operation that has no limit of its
	// own, in bytes.
	DefaultMaxBody = 8 << 20
	// maxForm is the largest body of awsQuery, which is read to learn the operation.
	maxForm = 4 << 20
	// maxUnsigned is the largest body of what needs no signature, and is read for
	// anybody: a token has at most 20,000 bytes.
	maxUnsigned = 64 << 10
	// maxObject is the largest body that S3 takes in one request.
	maxObject = 5 << 30
	// maxPage is the largest body for a page of Mayfly's own.
	maxPage = 1 << 20

	// Bodies above largeBody share maxUnverified bytes until their signature is
	// verified: a stranger who knows an access key id must not fill the memory.
	largeBody     = 1 << 20
	maxUnverified = 512 << 20
	// maxWait is how long a large body waits for its share.
	maxWait = 10 * time.Second

	// A body must arrive within bodyTime and a second for every minRate bytes.
	bodyTime = 20 * time.Second
	minRate  = 256 << 10
)

// Lambda's documented limits: 6 MiB for a synchronous call, and 50 MiB for a code
// package in a request, which travels in base64.
const (
	maxPayload = 6 << 20
	maxCode    = 50 << 20 * 4 / 3
)

// awsMaxBody has AWS's limits, where they are not DefaultMaxBody.
var awsMaxBody = map[string]int64{
	"lambda:Invoke":                   maxPayload,
	"lambda:InvokeWithResponseStream": maxPayload,
	"lambda:CreateFunction":           maxCode,
	"lambda:UpdateFunctionCode":       maxCode,
	"lambda:PublishLayerVersion":      maxCode,
}

// limited is a body that must end within left bytes. The limit may be raised while
// it has not been reached.
type limited struct {
	io.ReadCloser
	left int64
	over bool
	end  func() // called when nothing more is read; may be nil
}

var errOver = errors.New("body is over its limit")

func (l *limited) Read(p []byte) (int, error) {
	if l.over {
		return 0, errOver
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one more, to tell an end from an excess
	}
	n, err := l.ReadCloser.Read(p)
	if err != nil && l.end != nil {
		l.end()
	}
	if l.left -= int64(n); l.left < 0 {
		l.over = true
		return n - 1, errOver
	}
	return n, err
}

// read reads the whole body within the operation's limit. release gives the memory
// of a large one back to those that wait; it is called when the signature has
// been verified.
func (q *request) read(ctx context.Context) (body []byte, release func(), err error) {
	limit, ok := q.cfg.MaxBody[q.name]
	if !ok {
		limit = DefaultMaxBody
	}
	release = func() {}
	size := q.r.ContentLength
	switch {
	case size == 0:
		return nil, release, nil
	case size > limit:
		return nil, release, tooLarge(q.w.call.Protocol(), limit, q.w.call.Operation())
	}
	q.body.left = limit
	weight := size
	if weight < 0 {
		weight = limit
	}
	if weight = min(weight, maxUnverified); weight > largeBody {
		if err := q.wait(ctx, weight); err != nil {
			return nil, release, err
		}
		release = func() { q.bodies.Release(weight) }
	}
	if size < 0 {
		q.w.readWithin(limit)
	}
	defer q.w.readWhenever()
	if body, err = readAll(q.r); err != nil {
		release()
		return nil, nil, q.bodyFault(err, limit)
	}
	return body, release, nil
}

// wait takes a share of the memory for large bodies.
func (q *request) wait(ctx context.Context, weight int64) error {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if err := q.bodies.Acquire(ctx, weight); err != nil {
		f := fault.New(http.StatusServiceUnavailable, "ServiceUnavailable", "Too many large requests are being read at once; try again.")
		f.RetryAfter = 1
		return f
	}
	return nil
}

// readAll reads a body whose length has been checked.
func readAll(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		return io.ReadAll(r.Body)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// bodyFault says what went wrong with reading a body.
func (q *request) bodyFault(err error, limit int64) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, errOver):
		return tooLarge(q.w.call.Protocol(), limit, q.w.call.Operation())
	case errors.Is(err, os.ErrDeadlineExceeded):
		q.w.Header().Set("Connection", "close")
		if q.w.call.Protocol() == wire.RestXML {
			return fault.New(http.StatusBadRequest, "RequestTimeout", "Your socket connection to the server was not read from or "+
				"written to within the timeout period. Idle connections will be closed.")
		}
		return fault.New(http.StatusRequestTimeout, "RequestTimeoutException", "The request's body did not arrive in time.")
	}
	q.w.Header().Set("Connection", "close")
	return fault.New(http.StatusBadRequest, "IncompleteBody", "The request's body could not be read: %w", err)
}

// tooLarge is the fault for a body over its limit.
func tooLarge(p wire.Protocol, limit int64, operation string) error {
	if p == wire.RestXML {
		return fault.New(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	if operation == "Invoke" {
		operation = "InvokeFunction"
	}
	message := fmt.Sprintf("Request must be smaller than %d bytes", limit)
	if operation != "" {
		message += " for the " + operation + " operation"
	}
	return fault.New(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "%s", message)
}

// readCloser reads from one and closes the other.
type readCloser struct {
	io.Reader
	io.Closer
}
