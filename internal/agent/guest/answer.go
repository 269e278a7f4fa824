package guest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/agent/http1"
)

// Limits of the Runtime API, in bytes.
const (
	// maxResponse is Lambda's: 6 MiB and 100 bytes.
	maxResponse = 6<<20 + 100
	maxError    = 256 << 10
)

// Headers of the Runtime API.
const (
	headerMode      = "Lambda-Runtime-Function-Response-Mode"
	headerErrorType = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody = "Lambda-Runtime-Function-Error-Body"
)

// begin claims the answer of the call for this request.
func (a *Agent) begin(id, state string) (*call, *apiError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.call == nil || a.call.id != id {
		return nil, errRequestID
	}
	if a.call.answer != none || a.runtime.state != running {
		return nil, stateError(a.stateName(), state)
	}
	a.call.answer = coming
	return a.call, nil
}

// finish marks the answer complete, after write has sent it; it is false where
// something else has ended the call meanwhile.
func (a *Agent) finish(call *call, errorType string, write func() error) bool {
	a.mu.Lock()
	if call.answer >= sending || a.ended {
		a.mu.Unlock()
		return false
	}
	call.answer = sending
	a.mu.Unlock()
	a.drainLogs()
	err := write()
	a.mu.Lock()
	defer a.mu.Unlock()
	call.answer = answered
	a.progress.Broadcast()
	a.events.done(a, call, errorType)
	a.sent(err)
	a.settle()
	return err == nil
}

// serveResponse passes on the answer to a call, whole or as a stream.
func (a *Agent) serveResponse(c *conn, req *http1.Request, id string) error {
	mode := string(req.Get(headerMode))
	contentType := string(req.Get("Content-Type"))
	call, refusal := a.begin(id, "InvocationResponse")
	if refusal != nil {
		return c.refuse(refusal)
	}
	if mode != "" && mode != "streaming" {
		a.answerError(call, "Runtime.InvalidResponseModeHeader", nil)
		return c.refuse(errMode)
	}
	if mode == "streaming" && call.meta.Stream {
		return a.stream(c, call, contentType)
	}
	// The frame is built around the body where it is read to, and goes out in
	// one write.
	b := append(c.body[:0], byte(frame.Result), 0, 0, 0, 0, 0, 0, 0)
	b = append(b, id...)
	b, err := c.http.ReadBody(b, maxResponse)
	c.keep(b)
	switch {
	case errors.Is(err, http1.ErrTooLarge):
		a.answerError(call, "Function.ResponseSizeTooLarge", &frame.ErrorBody{
			Type:    "Function.ResponseSizeTooLarge",
			Message: "Response payload size exceeded maximum allowed payload size (" + strconv.Itoa(maxResponse) + " bytes).",
		})
		return c.refuse(errEntity)
	case err != nil:
		a.answerError(call, "Runtime.TruncatedResponse", nil)
		return c.refuseAndClose(errTruncated)
	}
	if t := c.http.Trailer(headerErrorType); len(t) > 0 {
		a.answerRaw(call, string(t), trailerBody(c))
		return c.accept()
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-frame.HeaderLen))
	call.bytes = int64(len(b) - frame.HeaderLen - frame.IDLen)
	if !a.finish(call, "", func() error { return a.control.sendBuilt(b) }) {
		return c.refuse(errRequestID)
	}
	return c.accept()
}

// stream passes the body on in chunks as it comes.
func (a *Agent) stream(c *conn, call *call, contentType string) error {
	a.mu.Lock()
	if call.answer == coming {
		call.answer = streamed
		a.sent(a.control.sendJSON(frame.Begin, call.id, frame.BeginBody{ContentType: contentType}))
	}
	a.mu.Unlock()
	buf := make([]byte, 64<<10)
	var broken *frame.ErrorBody
	for {
		n, err := c.http.Read(buf)
		if n > 0 {
			call.bytes += int64(n)
			if !a.chunk(call, buf[:n]) {
				return errHangUp
			}
		}
		if err == nil {
			continue
		}
		if trailer := c.http.Trailer(headerErrorType); len(trailer) > 0 {
			broken = streamError(string(trailer), trailerBody(c))
		} else if err != io.EOF {
			broken = &frame.ErrorBody{Type: "Runtime.TruncatedResponse", Message: "The function's response ended early."}
		}
		break
	}
	kind, end := "", []byte(nil)
	if broken != nil {
		kind = broken.Type
		end, _ = json.Marshal(broken) // strings always encode
	}
	if !a.finish(call, kind, func() error { return a.control.send(frame.End, end) }) {
		return errHangUp
	}
	if kind == "Runtime.TruncatedResponse" {
		return c.refuseAndClose(errTruncated)
	}
	return c.accept()
}

// chunk sends one chunk unless the call is over.
func (a *Agent) chunk(call *call, p []byte) bool {
	a.mu.Lock()
	over := call.answer >= sending || a.ended
	a.mu.Unlock()
	return !over && a.control.send(frame.Chunk, p) == nil
}

// serveError passes on a runtime's error as the answer to a call.
func (a *Agent) serveError(c *conn, req *http1.Request, id string) error {
	kind := string(req.Get(headerErrorType))
	call, refusal := a.begin(id, "InvocationErrorResponse")
	if refusal != nil {
		return c.refuse(refusal)
	}
	body, err := c.http.ReadBody(c.body[:0], maxError)
	c.keep(body)
	switch {
	case errors.Is(err, http1.ErrTooLarge):
		a.answerError(call, "Function.ResponseSizeTooLarge", nil)
		return c.refuse(errEntity)
	case err != nil:
		a.answerError(call, "Runtime.TruncatedResponse", nil)
		return c.refuseAndClose(errTruncated)
	}
	if !a.answerRaw(call, kind, body) {
		return c.refuse(errRequestID)
	}
	return c.accept()
}

// serveInitError takes the reason a runtime could not start.
func (a *Agent) serveInitError(c *conn, req *http1.Request) error {
	kind := string(req.Get(headerErrorType))
	body, err := c.http.ReadBody(nil, maxError)
	if errors.Is(err, http1.ErrTooLarge) {
		return c.refuse(errEntity)
	} else if err != nil {
		return c.refuseAndClose(errTruncated)
	}
	body, kind = errorJSON(kind, body)
	a.mu.Lock()
	if a.runtime.state != born || a.init.Framed {
		refusal := stateError(a.stateName(), "InitError")
		a.mu.Unlock()
		return c.refuse(refusal)
	}
	a.failWith(&failure{kind, "the function's initialization failed"}, body)
	a.mu.Unlock()
	return c.accept()
}

// answerError answers a call with an error of ours; a nil body makes one of kind.
func (a *Agent) answerError(call *call, kind string, body *frame.ErrorBody) {
	if body == nil {
		body = &frame.ErrorBody{Type: kind, Message: "RequestId: " + call.id + " Error: " + kind}
	}
	a.finish(call, kind, func() error { return a.control.sendJSON(frame.Failed, call.id, body) })
}

// answerRaw answers a call with the runtime's own error.
func (a *Agent) answerRaw(call *call, kind string, body []byte) bool {
	body, kind = errorJSON(kind, body)
	return a.finish(call, kind, func() error {
		return a.control.send(frame.Failed, []byte(call.id), body)
	})
}

// errorJSON makes a JSON object of a runtime's error, and finds its type: the
// one in the body, else the one of the header.
func errorJSON(kind string, body []byte) ([]byte, string) {
	var e struct {
		Type string `json:"errorType"`
	}
	if err := json.Unmarshal(body, &e); err == nil {
		if e.Type == "" {
			e.Type = kind
		}
		return body, e.Type
	}
	if kind == "" {
		kind = "Runtime.Unknown"
	}
	made, _ := json.Marshal(frame.ErrorBody{Type: kind, Message: string(body)}) // strings always encode
	return made, kind
}

// trailerBody decodes the trailer that carries a streamed answer's error.
func trailerBody(c *conn) []byte {
	b, err := base64.StdEncoding.DecodeString(string(c.http.Trailer(headerErrorBody)))
	if err != nil {
		return nil
	}
	return b
}

func streamError(kind string, body []byte) *frame.ErrorBody {
	e := frame.ErrorBody{}
	if json.Unmarshal(body, &e) != nil || e.Type == "" {
		e.Type = kind
	}
	return &e
}
