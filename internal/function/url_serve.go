package function

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/trace"
)

// urlLabel is the second label of a function URL's host.
const urlLabel = "lambda-url."

// ServesHost says whether a request's Host is a function URL's:
// ID.lambda-url.REGION.DOMAIN, with or without a port.
func (s *Service) ServesHost(host string) bool {
	_, rest, ok := strings.Cut(host, ".")
	return ok && len(rest) > len(urlLabel) && strings.EqualFold(rest[:len(urlLabel)], urlLabel)
}

// urls serves function URLs.
type urls struct {
	*Service
	run Invoker
	who Authenticator
	may Permissions
}

// URLs serves the hosts of function URLs. Calls are run by the Invoker; callers
// of URLs with AuthType AWS_IAM are told by the Authenticator; whether they, or
// everybody, may call is for Permissions to say.
func (s *Service) URLs(run Invoker, who Authenticator, may Permissions) http.Handler {
	return urls{s, run, who, may}
}

// ServeHTTP makes an event of a request, calls the function, and makes a response
// of its answer.
func (u urls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if w.Header().Get("X-Amzn-Requestid") == "" { // a gateway sets both
		requestID := id.Request(ctx)
		ctx = id.WithRequest(ctx, requestID)
		w.Header().Set("X-Amzn-Requestid", requestID)
	}
	prefix, _, _ := strings.Cut(r.Host, ".")
	at, err := u.site(ctx, strings.ToLower(prefix))
	if err != nil {
		u.refuse(ctx, w, err)
		return
	}
	if at.CORS != nil && at.CORS.preflight(w.Header(), r) {
		w.WriteHeader(http.StatusOK)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, invoke.MaxPayload))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		u.refuse(ctx, w, fault.New(http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request Entity Too Large"))
		return
	}
	if err != nil {
		return // the caller is gone
	}
	caller, err := u.admit(r, at, body)
	if err != nil {
		u.refuse(ctx, w, err)
		return
	}
	event, err := u.event(r, at, caller, body)
	if err != nil {
		u.refuse(ctx, w, err)
		return
	}
	call := invoke.Request{
		ID: id.Request(ctx), Function: at.Function, Qualifier: at.Qualifier,
		Payload: event, TraceHeader: trace.Header(ctx),
	}
	finish := func(h http.Header) {
		if at.CORS != nil {
			at.CORS.apply(h, r)
		}
	}
	if at.Mode == "RESPONSE_STREAM" {
		u.stream(ctx, w, call, finish)
		return
	}
	u.buffer(ctx, w, call, finish)
}

// buffer calls the function and answers when it is done.
func (u urls) buffer(ctx context.Context, w http.ResponseWriter, call invoke.Request, finish func(http.Header)) {
	resp, err := u.run.Invoke(ctx, call)
	if err == nil {
		w.Header().Set("Server-Timing", resp.Report.ServerTiming())
	}
	if err == nil && resp.FunctionError != "" {
		err = errBadAnswer
	}
	var a *answer
	if err == nil {
		a, err = parseAnswer(resp.Payload)
	}
	if err != nil {
		finish(w.Header())
		u.refuse(ctx, w, err)
		return
	}
	a.writeHeader(w.Header())
	finish(w.Header())
	w.WriteHeader(a.status)
	w.Write(a.body) // the caller may be gone: there is nobody to tell
}

// site finds the URL of an id.
func (u urls) site(ctx context.Context, urlID string) (*URL, error) {
	return u.sites.Get(&u.generation, urlID, func() (at *URL, err error) {
		err = u.cfg.Store.View(ctx, func(r store.Reader) error {
			o, err := loadOr[urlOwner](r, hostKey(urlID), errForbidden)
			if err != nil {
				return err
			}
			at, err = loadOr[URL](r, urlKey(o.Function, o.Qualifier), errForbidden)
			return err
		})
		return at, err
	})
}

// errForbidden answers who may not call a URL, and who calls one that is not
// there.
var errForbidden = fault.New(http.StatusForbidden, "AccessDeniedException", "Forbidden")

// admit tells who calls, and lets in who may. Nobody is the caller of a URL without
// AWS_IAM.
func (u urls) admit(r *http.Request, at *URL, body []byte) (auth.Principal, error) {
	p := auth.Nobody
	if at.Auth != "NONE" {
		var err error
		p, err = u.who.Authenticate(r, "lambda", body)
		var refusal *auth.Refusal
		if errors.As(err, &refusal) {
			return p, refusal.Fault(auth.REST)
		}
		if err != nil {
			return p, err
		}
	}
	err := u.may.May(r.Context(), p, u.needs(at)...)
	var refusal *auth.Refusal
	switch {
	case fault.Is(err, errForbidden.Code):
		return p, errForbidden // why is for the audit trail
	case errors.As(err, &refusal):
		return p, refusal.Fault(auth.REST)
	}
	return p, err
}

// needs is what a call of a URL asks for: the URL, and the function behind it, which
// a permission may open to calls by way of the URL alone.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (u urls) needs(at *URL) []access.Need {
	function := u.arn(at.Function, at.Qualifier)
	keys := access.Keys{"lambda:FunctionUrlAuthType": {at.Auth}, "lambda:InvokedViaFunctionUrl": {"true"}}
	return []access.Need{
		{Action: "lambda:InvokeFunctionUrl", Resource: function, Keys: keys},
		{Action: "lambda:InvokeFunction", Resource: function, Keys: keys},
	}
}

// errBadAnswer is what callers get when a function failed, or answered what is
// no response.
var errBadAnswer = fault.New(http.StatusBadGateway, "InternalServerErrorException", "Internal Server Error")

// refuse answers with a fault, as function URLs do: JSON with a Message.
func (u urls) refuse(ctx context.Context, w http.ResponseWriter, err error) {
	f := fault.As(err)
	var known *fault.Error
	if !errors.As(err, &known) {
		u.report(ctx, "serve function URL", err)
		f = fault.New(http.StatusInternalServerError, "ServiceException", "Internal Server Error")
	}
	body, err := json.Marshal(map[string]string{"Message": f.Message})
	if err != nil { // a map of strings always has an encoding
		body = []byte("{}")
	}
	w.Header().Set("X-Amzn-Errortype", f.Code)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	w.Write(body) // the caller may be gone: there is nobody to tell
}
