package gateway

import (
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// writeTime is how long a caller may take over one piece of an answer.
const writeTime = time.Minute

// answer is the response to one request and what is known for it so far.
type answer struct {
	http.ResponseWriter
	span   oteltrace.Span // nil without tracing
	status int            // 0 until the answer is begun
	visit  visit

	router *wire.Router // nil until the service is known
	call   *wire.Call   // nil until the operation is known
}

// WriteHeader implements http.ResponseWriter.
func (w *answer) WriteHeader(status int) {
	if status >= http.StatusOK && w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer. A caller that reads nothing for writeTime is cut off.
func (w *answer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTime))
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *answer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// protocol is the one that the request speaks, as far as it is known yet.
func (w *answer) protocol(r *http.Request) wire.Protocol {
	switch {
	case w.call != nil:
		return w.call.Protocol()
	case w.router != nil:
		return w.router.Protocol(r)
	}
	return wire.Guess(r)
}

// fail answers with an error; the answer has not begun.
func (w *answer) fail(r *http.Request, err error, requestID string) {
	switch {
	case w.call != nil:
		w.call.WriteError(w, err, requestID)
	case w.router != nil:
		w.router.WriteError(w, r, err, requestID)
	default:
		wire.WriteError(w, wire.Guess(r), err, requestID)
	}
}

// begun says whether anything has been sent.
func (w *answer) begun() bool { return w.status != 0 }

// name names the request's span.
func (w *answer) name(service, operation string) {
	if w.span != nil && w.span.IsRecording() {
		w.span.SetName(service + " " + operation)
	}
}

func (w *answer) endSpan() {
	if w.span.IsRecording() {
		w.span.SetAttributes(attribute.Int("http.response.status_code", w.status))
		if w.status >= http.StatusInternalServerError {
			w.span.SetStatus(codes.Error, http.StatusText(w.status))
		}
	}
	w.span.End()
}

// readWithin gives the caller time to send size bytes of a body.
func (w *answer) readWithin(size int64) {
	size = min(size, maxObject) // a length may be anything
	w.setReadDeadline(time.Now().Add(bodyTime + time.Duration(size/minRate)*time.Second))
}

// readWhenever ends what readWithin began: the connection lives on.
func (w *answer) readWhenever() { w.setReadDeadline(time.Time{}) }

func (w *answer) setReadDeadline(t time.Time) {
	// Where there is no connection to have a deadline, there is none to be slow.
	_ = http.NewResponseController(w.ResponseWriter).SetReadDeadline(t)
}

// recover keeps the node alive when a handler panics. Half an answer must not look
// like a whole one, so its connection is cut. It is deferred.
func (g *Gateway) recover(w *answer, r *http.Request, requestID string) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // a handler that wants its connection cut
	}
	g.log.ErrorContext(r.Context(), "handler panicked", "request", requestID, "method", r.Method, "path", r.URL.Path,
		"panic", v, "stack", string(debug.Stack()))
	if w.begun() {
		panic(http.ErrAbortHandler)
	}
	w.fail(r, errPanic, requestID)
}

// errPanic is no fault, so it is answered as InternalFailure.
var errPanic = errors.New("handler panicked")

// dialects says how the services of a protocol word refusals.
var dialects = map[wire.Protocol]auth.Dialect{
	wire.RestJSON: auth.REST,
	wire.JSON10:   auth.JSON,
	wire.JSON11:   auth.JSON,
	wire.CBOR:     auth.JSON,
	wire.Query:    auth.Query,
	wire.RestXML:  auth.S3,
}

// inDialect words refusals as the services of a protocol do. Other errors stay.
func inDialect(err error, p wire.Protocol) error {
	d := dialects[p]
	var refusal *auth.Refusal
	if errors.As(err, &refusal) {
		return refusal.Fault(d)
	}
	if !fault.Is(err, accessDenied) {
		return err
	}
	denied := *fault.As(err)
	switch d {
	case auth.JSON:
		denied.Status = http.StatusBadRequest
	case auth.Query, auth.S3:
		denied.Code = "AccessDenied"
	}
	return &denied
}
