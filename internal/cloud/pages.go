package cloud

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/function"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/runtime"
)

// pages are Mayfly's own, beside AWS's APIs.
func (n *Node) pages() []gateway.Page {
	return []gateway.Page{
		{Pattern: "GET /_mayfly/node", Action: "GetNode", Handler: http.HandlerFunc(n.nodePage)},
		{Pattern: "GET /_mayfly/runtimes", Action: "ListRuntimes", Handler: http.HandlerFunc(n.runtimesPage)},
		{Pattern: "POST /_mayfly/runtimes/{name}", Action: "AddRuntime", Handler: http.HandlerFunc(n.addRuntimePage)},
		{Pattern: "POST /_mayfly/root", Action: "RotateRoot", Handler: http.HandlerFunc(n.rotateRootPage)},
		{Pattern: "GET /_mayfly/bill", Action: "GetBill", Handler: http.HandlerFunc(n.bill.ServeBill)},
		{Pattern: "GET /_mayfly/bill/invocations", Action: "GetBill", Handler: http.HandlerFunc(n.bill.ServeInvocations)},
		{Pattern: "GET /_mayfly/audit", Action: "GetAuditTrail", Handler: http.HandlerFunc(n.audit.ServeEvents)},
		{Pattern: function.LinkPath, Handler: n.functions.Download()},
	}
}

func (n *Node) nodePage(w http.ResponseWriter, _ *http.Request) { answerJSON(w, n.Info()) }

func (n *Node) runtimesPage(w http.ResponseWriter, _ *http.Request) { answerJSON(w, n.runtimes.List()) }

// addRuntimePage fetches a runtime; it takes as long as that does.
func (n *Node) addRuntimePage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	err := n.runtimes.Add(r.Context(), name, func(line string) { n.cfg.Log.Info("adding runtime", "runtime", name, "step", line) })
	var unknown *runtime.UnknownError
	switch {
	case errors.As(err, &unknown):
		w.WriteHeader(http.StatusBadRequest)
		answerJSON(w, map[string]string{"message": err.Error()})
	case err != nil:
		w.WriteHeader(http.StatusBadGateway)
		answerJSON(w, map[string]string{"message": err.Error()})
	default:
		answerJSON(w, map[string]string{"added": name})
	}
}

// rotateRootPage makes new root credentials. They stay in the data folder; whoever
// may read it learns them there. No policy gives this away: it takes root's own keys.
func (n *Node) rotateRootPage(w http.ResponseWriter, r *http.Request) {
	if p := auth.From(r.Context()); p.Kind != auth.RootUser || p.Session != nil {
		w.WriteHeader(http.StatusForbidden)
		answerJSON(w, map[string]string{"message": "Only the root user's own keys can rotate them."})
		return
	}
	if err := n.root.Rotate(n.cfg.Data); err != nil {
		n.cfg.Log.Error("root credentials could not be rotated", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		answerJSON(w, map[string]string{"message": err.Error()})
		return
	}
	n.cfg.Log.Warn("root credentials were rotated: the old ones are refused")
	answerJSON(w, map[string]string{"accessKeyId": n.root.AccessKeyID()})
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a caller that has gone
}
