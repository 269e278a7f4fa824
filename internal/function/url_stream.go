package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/invoke"
)

// responseType is the content type of a streamed answer that begins with a
// response's status and headers: a JSON object, eight NULs, and then the body.
const responseType = "application/vnd.awslambda.http-integration-response"

// maxPrelude bounds the object in front of a streamed body.
const maxPrelude = 64 << 10

var preludeEnd = make([]byte, 8)

// stream calls the function and answers as it goes.
func (u urls) stream(ctx context.Context, w http.ResponseWriter, call invoke.Request, finish func(http.Header)) {
	out := &urlStream{w: w, finish: finish}
	resp, err := u.run.InvokeStream(ctx, call, out)
	if err == nil && resp.FunctionError != "" {
		err = errBadAnswer
	}
	if err == nil {
		err = out.end()
	}
	switch {
	case err == nil:
	case out.sent:
		// Half an answer must not look like a whole one: the connection is cut.
		panic(http.ErrAbortHandler)
	default:
		finish(w.Header())
		u.refuse(ctx, w, err)
	}
}

// urlStream passes a streamed answer on as an HTTP response.
type urlStream struct {
	w       http.ResponseWriter
	finish  func(http.Header)
	prelude []byte // what came of it so far; nil when none is to come
	sent    bool   // the status has been
}

func (s *urlStream) Begin(contentType string) error {
	if contentType == responseType {
		s.prelude = []byte{}
		return nil
	}
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	s.start(&answer{status: http.StatusOK, headers: map[string]string{"content-type": contentType}})
	return nil
}

func (s *urlStream) start(a *answer) {
	a.writeHeader(s.w.Header())
	s.finish(s.w.Header())
	s.w.WriteHeader(a.status)
	s.sent = true
}

func (s *urlStream) Write(p []byte) (int, error) {
	if s.prelude == nil {
		return s.w.Write(p)
	}
	s.prelude = append(s.prelude, p...)
	head, body, whole := bytes.Cut(s.prelude, preludeEnd)
	if !whole {
		if len(s.prelude) > maxPrelude {
			return 0, fmt.Errorf("%w: its head has no end in %d bytes", errBadAnswer, maxPrelude)
		}
		return len(p), nil
	}
	a, err := parsePrelude(head)
	if err != nil {
		return 0, err
	}
	s.prelude = nil
	s.start(a)
	if len(body) == 0 {
		return len(p), nil
	}
	if _, err := s.w.Write(body); err != nil {
		return 0, err
	}
	return len(p), nil
}

// parsePrelude reads the head of a streamed answer; without a statusCode it is 200.
func parsePrelude(head []byte) (*answer, error) {
	var r response
	if len(bytes.TrimSpace(head)) > 0 && json.Unmarshal(head, &r) != nil {
		return nil, errBadAnswer
	}
	if r.StatusCode == nil {
		r.StatusCode = json.RawMessage("200")
	}
	return r.answer()
}

// Flush sends what was written. A response without a connection has no need.
func (s *urlStream) Flush() error {
	if !s.sent {
		return nil
	}
	if err := http.NewResponseController(s.w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// end is called when the function has ended well.
func (s *urlStream) end() error {
	switch {
	case s.prelude != nil:
		return errBadAnswer
	case !s.sent:
		return s.Begin("")
	}
	return nil
}
