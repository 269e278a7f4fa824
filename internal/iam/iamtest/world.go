package iamtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/oidc"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/iam/sts"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// Account and Region are those of every World.
const (
	Account = "123456789012"
	Region  = "us-east-1"
)

// Noon is the time of every World, unless its test moves it.
var Noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// World is identity management and its door.
type World struct {
	Clock    *clock.Manual
	FS       *vfs.MemFS
	Store    store.Store
	Root     *auth.Root
	NodeKey  auth.NodeKey
	Sessions *auth.Sessions
	IAM      *iam.Service
	STS      *sts.Service
	// URL is where both APIs are served, and Client reaches it.
	URL    string
	Client *http.Client

	verifier *auth.Verifier
	apis     map[string]served
}

// served is an API and what its operations ask.
type served struct {
	router *wire.Router
	access access.Table
}

// New makes a World, which ends with its test. tokens fetches providers' keys and may
// be nil.
func New(t testing.TB, tokens *http.Client) *World {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	w := &World{Clock: clock.NewManual(Noon), FS: vfs.NewCrashableMem(), apis: map[string]served{}}
	dir := t.TempDir()
	opened, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: w.FS, Reserve: 64 << 10})
	must(t, err)
	w.Store = opened
	w.Root, err = auth.OpenRoot(dir, Account)
	must(t, err)
	w.NodeKey, err = auth.OpenNodeKey(dir)
	must(t, err)
	w.Sessions, err = auth.OpenSessions(dir, w.Clock)
	must(t, err)
	w.IAM = iam.New(iam.Config{Store: w.Store, Account: Account, Region: Region, Sealer: w.NodeKey, Clock: w.Clock})
	w.STS = sts.New(sts.Config{
		Identities: w.IAM, Sessions: w.Sessions, Clock: w.Clock, Tokens: oidc.New(oidc.Config{Client: tokens, Clock: w.Clock}),
	})
	w.verifier = auth.NewVerifier(auth.Config{
		Keys: auth.Ring{w.Root, w.IAM.Keys(), w.IAM.Owned(w.Sessions)}, Region: Region, Clock: w.Clock,
	})
	for _, api := range []wire.API{w.IAM.API(), w.STS.API()} {
		router, err := wire.New(api)
		must(t, err)
		w.apis[api.Service] = served{router, api.Access}
	}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	transport := &http.Transport{}
	w.URL, w.Client = server.URL, &http.Client{Transport: sdkhttp.Over(transport)}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		if tokens != nil {
			tokens.CloseIdleConnections()
		}
		must(t, opened.Close())
		goleak.VerifyNone(t, ignore)
	})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Crash gives identity management as another process would find it, were the machine
// to lose power now.
func (w *World) Crash(t testing.TB) *iam.Service {
	t.Helper()
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: w.FS.CrashClone(vfs.CrashCloneCfg{}), Reserve: 64 << 10})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return iam.New(iam.Config{Store: s, Account: Account, Region: Region, Sealer: w.NodeKey, Clock: w.Clock})
}

// serve is the way of a request through the gateway, in short.
func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	const id = "11111111-2222-4333-8444-555555555555"
	body, err := io.ReadAll(r.Body)
	if err != nil {
		wire.WriteError(rw, wire.Query, err, id)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	service, principal, err := w.authenticate(r, body)
	api := w.apis[service]
	if err != nil || api.router == nil {
		wire.WriteError(rw, wire.Query, err, id)
		return
	}
	call, err := api.router.Match(r)
	if err != nil {
		api.router.WriteError(rw, r, err, id)
		return
	}
	in, err := call.Decode(r, body)
	ctx := auth.With(r.Context(), principal)
	if err == nil {
		err = w.Authorize(ctx, principal, api.access[call.Operation()], in)
	}
	if err != nil {
		call.WriteError(rw, err, id)
		return
	}
	w.IAM.Note(principal, service)
	call.Serve(ctx, rw, in, id)
}

// authenticate says who signed; a request without a signature is for STS.
func (w *World) authenticate(r *http.Request, body []byte) (string, auth.Principal, error) {
	if r.Header.Get("Authorization") == "" {
		return "sts", auth.Nobody, nil
	}
	s, err := auth.Parse(r)
	if err != nil {
		return "", auth.Nobody, asFault(err)
	}
	p, err := w.verifier.Authenticate(r, s.Service, body)
	return s.Service, p, asFault(err)
}

func asFault(err error) error {
	if refusal, ok := err.(*auth.Refusal); ok {
		return refusal.Fault(auth.Query)
	}
	return err
}

// Authorize asks what a rule asks for, as the gateway does.
func (w *World) Authorize(ctx context.Context, p auth.Principal, rule access.Rule, in any) error {
	if p.Kind == auth.Anonymous && !rule.Unsigned {
		return fault.New(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	if rule.Itself {
		return nil
	}
	c, err := w.IAM.Caller(ctx, p)
	if err != nil {
		return err
	}
	for _, need := range rule.Needs(ctx, in) {
		req := policy.Request{Principal: c.Principal, Action: need.Action, Resource: need.Resource, ResourceAccount: Account}
		c.SetKeys(&req.Keys)
		for k, v := range need.Keys {
			req.Keys.Set(k, v...)
		}
		d := policy.Evaluate(&req, &policy.Policies{Identity: c.Identity, Boundary: c.Boundary, Session: c.Session})
		if !d.Allowed {
			return fault.New(http.StatusForbidden, "AccessDenied", "%s", d.Message(&req))
		}
	}
	return nil
}

// Allow is a policy with one statement that allows an action on a resource.
func Allow(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action, resource)
}

// Trust is a trust policy for principals, the JSON of a Principal element.
func Trust(principal string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"}]}`, principal)
}
