package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

const (
	// pagesPath begins the paths of Mayfly's own pages.
	pagesPath = "/_mayfly/"
	// pagesService is the service that requests for them are signed for.
	pagesService = "mayfly"
)

// Page is one of Mayfly's own, besides AWS's APIs.
type Page struct {
	// Pattern is http.ServeMux's: "GET /_mayfly/bill".
	Pattern string
	// Action is what a caller must be allowed to do, without the "mayfly:" before
	// it; requests are signed for the service "mayfly". An empty one opens the
	// page to everybody who reaches the port.
	Action  string
	Handler http.Handler
}

func (g *Gateway) newPages(pages []Page) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pagesPath+"health", g.health)
	mux.HandleFunc(pagesPath, func(w http.ResponseWriter, r *http.Request) {
		g.failPage(w, r, fault.New(http.StatusNotFound, "ResourceNotFoundException", "There is no page %.200s here.", r.URL.Path))
	})
	for _, p := range pages {
		h := p.Handler
		if p.Action != "" {
			h = g.signed(p.Action, h)
		}
		mux.Handle(p.Pattern, h)
	}
	return mux
}

// health tells load balancers and people whether the node serves.
func (g *Gateway) health(w http.ResponseWriter, _ *http.Request) {
	type health struct {
		Version  string   `json:"version"`
		Ready    bool     `json:"ready"`
		Reason   string   `json:"reason,omitempty"`
		Services []string `json:"services"`
	}
	h, status := health{Version: g.cfg.Version, Ready: true, Services: g.names}, http.StatusOK
	if g.cfg.Ready != nil {
		if err := g.cfg.Ready(); err != nil {
			h.Ready, h.Reason, status = false, err.Error(), http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(h) // a caller that has gone
}

// signed lets in those who may do the action.
func (g *Gateway) signed(action string, h http.Handler) http.Handler {
	rule := access.Rule{Action: pagesService + ":" + action}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w, ctx := rw.(*answer), r.Context()
		v := &w.visit
		body, err := readPage(w, r)
		if err == nil {
			v.principal, err = g.cfg.Auth.Authenticate(r, pagesService, body)
		}
		if err != nil {
			g.failPage(w, r, err)
			return
		}
		v.known, v.service, v.operation = true, pagesService, action
		err = g.cfg.Permissions.authorize(ctx, v, rule, nil)
		defer func() { g.audit(ctx, w, err) }()
		if err != nil {
			g.failPage(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r.WithContext(auth.With(ctx, v.principal)))
	})
}

// readPage reads the body of a request for a page.
func readPage(w *answer, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxPage {
		return nil, tooLarge(wire.RestJSON, maxPage, "")
	}
	defer w.readWhenever()
	r.Body = &limited{ReadCloser: r.Body, left: maxPage}
	body, err := readAll(r)
	switch {
	case errors.Is(err, errOver):
		return nil, tooLarge(wire.RestJSON, maxPage, "")
	case err != nil:
		return nil, fault.New(http.StatusBadRequest, "IncompleteBody", "The request's body could not be read: %w", err)
	}
	return body, nil
}

// failPage answers with an error. The pages' mux is given an *answer by ServeHTTP and
// passes it on as it is.
func (g *Gateway) failPage(w http.ResponseWriter, r *http.Request, err error) {
	g.fail(r.Context(), w.(*answer), r, r.Pattern, err)
}
