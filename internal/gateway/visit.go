package gateway

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// visit is a request from when it arrived to when it is answered. Its context carries
// it, so that whoever decides about the request knows its circumstances, and the
// audit trail learns what was decided. It belongs to the request's goroutine.
type visit struct {
	r  *http.Request
	at time.Time

	known     bool // who calls is known: the visit belongs into the audit trail
	principal auth.Principal
	service   string
	operation string
	resources []string
	denial    *Denial
}

type visitKey struct{}

// visitOf is the visit that ctx belongs to; nil for work of the node's own.
func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// Denied notes for the audit trail why an operation that decides by itself has refused
// its caller. What it is given must not change.
func Denied(ctx context.Context, r policy.Request, p policy.Policies, d policy.Decision) {
	if v := visitOf(ctx); v != nil {
		v.denial = &Denial{r, p, d}
	}
}

// Endpoint is where the request that ctx belongs to reached the node, by its own word:
// "http://HOST"; "" for work of the node's own.
func Endpoint(ctx context.Context) string {
	v := visitOf(ctx)
	switch {
	case v == nil || v.r.Host == "":
		return ""
	case v.r.TLS != nil:
		return "https://" + v.r.Host
	}
	return "http://" + v.r.Host
}

// SetKeys sets the condition keys that a request has whoever makes it, as far as ctx
// belongs to one: when it came, from where, and by what.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func SetKeys(ctx context.Context, k *policy.Keys) {
	v := visitOf(ctx)
	if v == nil {
		return
	}
	at := v.at.UTC()
	k.Set("aws:CurrentTime", at.Format(time.RFC3339))
	k.Set("aws:EpochTime", strconv.FormatInt(at.Unix(), 10))
	k.Set("aws:SourceIp", v.sourceIP())
	k.Set("aws:SecureTransport", strconv.FormatBool(v.r.TLS != nil))
	if agent := v.r.UserAgent(); agent != "" {
		k.Set("aws:UserAgent", agent)
	}
	if referer := v.r.Referer(); referer != "" {
		k.Set("aws:Referer", referer)
	}
}

// sourceIP is the caller's address. One at a socket of this machine has none. What a
// caller says in a header about itself is no address.
func (v *visit) sourceIP() string {
	ip, _, err := net.SplitHostPort(v.r.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return ip
}
