package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/trace"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// serveAPI answers a request for an operation of an AWS API.
func (g *Gateway) serveAPI(ctx context.Context, w *answer, r *http.Request) {
	signature, err := auth.Parse(r)
	if refusal := new(auth.Refusal); errors.As(err, &refusal) && refusal.Reason == auth.Missing && g.serveUnsigned(ctx, w, r) {
		return
	}
	if err != nil {
		g.fail(ctx, w, r, "parse signature", err)
		return
	}
	routers := g.apis[signature.Service]
	if routers == nil {
		w.fail(r, g.notOffered(w.protocol(r), signature.Service), id.Request(ctx))
		return
	}
	w.router = routers[0]
	admission, err := g.cfg.Auth.Admit(r, signature, signature.Service)
	if err != nil {
		g.fail(ctx, w, r, "admit", err)
		return
	}
	q := request{Gateway: g, w: w, r: r, service: signature.Service}
	if err := q.match(routers); err != nil {
		w.fail(r, err, id.Request(ctx))
		return
	}
	w.name(q.service, w.call.Operation())
	if err := q.serve(ctx, admission); err != nil {
		g.fail(ctx, w, r, q.name, err)
	}
}

// serveUnsigned answers a request that nobody signed, if its operation is one that
// needs no signature: what it is sent says who calls.
func (g *Gateway) serveUnsigned(ctx context.Context, w *answer, r *http.Request) bool {
	if len(g.unsigned) == 0 || wire.Guess(r) != wire.Query {
		return false
	}
	r.Body = &limited{ReadCloser: r.Body, left: maxUnsigned, end: w.readWhenever}
	for _, router := range g.unsigned {
		call, err := router.Match(r)
		if err != nil || !call.Access().Unsigned {
			continue
		}
		w.router, w.call = router, call
		q := request{Gateway: g, w: w, r: r, service: router.Service(), name: router.Service() + ":" + call.Operation()}
		w.name(q.service, call.Operation())
		if err := q.perform(ctx, auth.Nobody, nil); err != nil {
			g.fail(ctx, w, r, q.name, err)
		}
		return true
	}
	return false
}

// request is one request whose operation is being found out, or known.
type request struct {
	*Gateway
	w       *answer
	r       *http.Request
	body    *limited
	service string
	name    string // "lambda:CreateFunction"
}

// match finds the operation among the APIs of one signing name. A form names it in
// the body, which Match reads and puts back.
func (q *request) match(routers []*wire.Router) (err error) {
	q.body = &limited{ReadCloser: q.r.Body, left: maxForm}
	q.r.Body = q.body
	for _, q.w.router = range routers {
		if q.w.call, err = q.w.router.Match(q.r); err == nil {
			q.name = q.service + ":" + q.w.call.Operation()
			return nil
		}
	}
	if q.body.over {
		return tooLarge(wire.Query, maxForm, "")
	}
	return err
}

// serve takes a request through the steps of the package's documentation. When the
// error is returned the answer may have been begun.
func (q *request) serve(ctx context.Context, admission *auth.Admission) error {
	principal, body, err := q.authenticate(ctx, admission)
	if err != nil {
		return err
	}
	return q.perform(ctx, principal, body)
}

// perform does the operation for its caller, and leaves the event of it.
func (q *request) perform(ctx context.Context, principal auth.Principal, body []byte) error {
	v := &q.w.visit
	v.known, v.principal, v.service, v.operation = true, principal, q.service, q.w.call.Operation()
	err := errPanic // unless it returns
	defer func() { q.audit(ctx, q.w, err) }()
	err = q.run(auth.With(ctx, principal), body)
	return err
}

func (q *request) run(ctx context.Context, body []byte) error {
	in, err := q.w.call.Decode(q.r, body)
	if err != nil {
		return err
	}
	if err := q.authorize(ctx, in); err != nil {
		return err
	}
	return q.w.call.Serve(ctx, q.w, in, id.Request(ctx))
}

// authenticate reads the body and says who sent it. The body is nil when the
// operation takes it as it arrives.
func (q *request) authenticate(ctx context.Context, admission *auth.Admission) (auth.Principal, []byte, error) {
	_, span := trace.Start(ctx, "authenticate")
	defer span.End()
	if q.service == "s3" {
		return q.open(ctx, admission)
	}
	body, release, err := q.read(ctx)
	if err != nil {
		return auth.Principal{}, nil, err
	}
	defer release()
	path := q.r.URL.Path
	principal, err := admission.Verify(body)
	if err == nil && q.r.URL.Path != path { // it was signed normalised: serve what was signed
		q.r.Body = io.NopCloser(bytes.NewReader(body))
		err = q.match([]*wire.Router{q.w.router})
	}
	return principal, body, err
}

// open is authenticate for S3, whose body is verified as it is read.
func (q *request) open(ctx context.Context, admission *auth.Admission) (auth.Principal, []byte, error) {
	principal, payload, err := admission.Open()
	if err != nil {
		return principal, nil, err
	}
	q.body.left = 2 * maxObject // the framing counts here, the payload in what reads it
	q.body = &limited{ReadCloser: readCloser{payload, q.body}, left: maxObject}
	q.r.Body = q.body
	if q.w.call.Streams() {
		if q.r.ContentLength < 0 {
			q.w.readWithin(maxObject)
		}
		q.body.end = q.w.readWhenever
		return principal, nil, nil
	}
	if q.r.ContentLength > 0 {
		q.r.ContentLength = -1 // it counts the framing too
	}
	body, release, err := q.read(ctx)
	if err != nil {
		return principal, nil, err
	}
	release()
	return principal, body, nil
}

func (q *request) authorize(ctx context.Context, in any) error {
	ctx, span := trace.Start(ctx, "authorize")
	defer span.End()
	return q.cfg.Permissions.authorize(ctx, &q.w.visit, q.w.call.Access(), in)
}

// notOffered is the fault for a service that AWS has and this node has not.
func (g *Gateway) notOffered(p wire.Protocol, service string) error {
	code := "UnknownOperationException"
	switch p {
	case wire.Query:
		code = "InvalidAction"
	case wire.RestXML:
		code = "NotImplemented"
	}
	return fault.New(http.StatusNotImplemented, code, "The service %.100q is not offered by Mayfly. It offers: %s.",
		service, strings.Join(g.names, ", "))
}

// fail answers with an error, unless an answer has begun, and logs it if it is a fault
// of ours. What a caller did wrong is told to the caller alone.
func (g *Gateway) fail(ctx context.Context, w *answer, r *http.Request, operation string, err error) {
	requestID := id.Request(ctx)
	err = inDialect(err, w.protocol(r))
	switch {
	case ctx.Err() != nil || w.begun() && isConnection(err):
		g.log.DebugContext(ctx, "caller has gone", "request", requestID, "operation", operation, "error", err)
	case fault.As(err).Status >= http.StatusInternalServerError:
		g.log.ErrorContext(ctx, "request failed", "request", requestID, "operation", operation, "error", err)
	}
	if !w.begun() {
		w.fail(r, err, requestID)
	}
}

// isConnection says whether err is of a connection.
func isConnection(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}
