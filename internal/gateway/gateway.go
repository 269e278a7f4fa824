package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/trace"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// Config is what a Gateway is made of.
type Config struct {
	// APIs are the services offered. Two may share a signing name.
	APIs []*wire.Router
	// Sites answer for hosts of their own.
	Sites []Site
	// Pages are Mayfly's own, besides /_mayfly/health.
	Pages []Page
	// Auth verifies signatures.
	Auth *auth.Verifier
	// Permissions decides what callers may do.
	Permissions *Permissions
	// Audit keeps who asked for what; nil keeps nothing.
	Audit Auditor
	// Tracing makes the root spans; nil for none.
	Tracing *trace.Tracing
	// Log takes what is wrong with us; nil discards it.
	Log *slog.Logger
	// MaxBody has the limits in bytes of operations that differ from
	// DefaultMaxBody, by "service:Operation"; nil for AWS's own.
	MaxBody map[string]int64
	// Region is the node's, for the audit trail.
	Region string
	// Clock tells when requests arrive; nil for the machine's.
	Clock clock.Clock
	// Version is told by the health page.
	Version string
	// Ready says why the node cannot serve yet, for the health page; nil is always
	// ready.
	Ready func() error
}

// Gateway is the front door. It is an http.Handler, safe for concurrent use.
type Gateway struct {
	cfg   Config
	log   *slog.Logger
	apis  map[string][]*wire.Router // by signing name
	names []string                  // the signing names, sorted
	// unsigned are the APIs with operations that need no signature.
	unsigned []*wire.Router
	pages    *http.ServeMux
	bodies   *semaphore.Weighted // bytes of large bodies that nobody has verified yet
}

// New makes the gateway.
func New(c Config) *Gateway {
	g := &Gateway{cfg: c, log: c.Log, apis: map[string][]*wire.Router{}, bodies: semaphore.NewWeighted(maxUnverified)}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.cfg.Clock == nil {
		g.cfg.Clock = clock.System
	}
	if g.cfg.MaxBody == nil {
		g.cfg.MaxBody = awsMaxBody
	}
	for _, api := range c.APIs {
		if g.apis[api.Service()] == nil {
			g.names = append(g.names, api.Service())
		}
		g.apis[api.Service()] = append(g.apis[api.Service()], api)
		if api.Unsigned() {
			g.unsigned = append(g.unsigned, api)
		}
	}
	slices.Sort(g.names)
	g.pages = g.newPages(c.Pages)
	return g
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	requestID := id.UUID()
	ctx := id.WithRequest(r.Context(), requestID)
	w := &answer{ResponseWriter: rw, visit: visit{r: r, at: g.cfg.Clock.Now()}}
	ctx = context.WithValue(ctx, visitKey{}, &w.visit)
	if g.cfg.Tracing != nil {
		ctx, w.span = g.cfg.Tracing.Root(ctx, "request", r.Header)
		defer w.endSpan()
		w.Header()["X-Amzn-Trace-Id"] = []string{trace.Header(ctx)}
	}
	defer g.recover(w, r, requestID)
	switch size := r.ContentLength; { // whoever reads the body: the server does when nobody else has
	case size > 0:
		w.readWithin(size)
	case size < 0:
		w.readWithin(DefaultMaxBody)
	}

	if site := g.site(r.Host); site != nil {
		w.Header()["X-Amzn-Requestid"] = []string{requestID}
		w.name("site", site.Name)
		r = r.WithContext(ctx)
		r.Body = &limited{ReadCloser: r.Body, left: DefaultMaxBody, end: w.readWhenever}
		defer g.audit(ctx, w, nil)
		site.Handler.ServeHTTP(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, pagesPath) {
		w.Header()["X-Amzn-Requestid"] = []string{requestID}
		w.name("mayfly", "page")
		g.pages.ServeHTTP(w, r.WithContext(ctx))
		return
	}
	g.serveAPI(ctx, w, r)
}
