package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
)

// Remedy is the smallest statement that allows what a kind of policy didn't.
type Remedy struct {
	Kind Kind
	// Statement is its JSON, to be put into a policy's list of statements. The
	// policy has to be of Version2012.
	Statement string
}

// remedies supposes for each kind of policy that is missing that it allowed, until
// the request would be.
func (q *question) remedies() []Remedy {
	var list []Remedy
	for d := q.decide(); !d.Allowed; d = q.decide() {
		if d.strangersRole(q.r) {
			return nil
		}
		list = append(list, Remedy{d.By.Kind, q.r.smallest(d.By.Kind)})
		supposed := grant{by: byName, from: d.By}
		switch d.By.Kind {
		case Identity:
			q.identity = supposed
		case Boundary:
			q.boundary = supposed
		case Session:
			q.session = supposed
		default:
			if q.r.Principal.Type == RoleSession {
				supposed.by = byIssuer
			}
			q.named = supposed
		}
	}
	return list
}

// smallest is the statement that allows the request, and as little else as the
// language can say.
func (r *Request) smallest(k Kind) string {
	s := struct {
		Effect    string
		Principal any `json:",omitempty"`
		Action    string
		Resource  string         `json:",omitempty"`
		Condition map[string]any `json:",omitempty"`
	}{Effect: "Allow", Action: r.Action, Resource: literal(r.Resource)}
	if k.namesPrincipals() {
		s.Principal = r.Principal.element()
		s.Condition = r.onBehalf()
	}
	if k == Trust {
		s.Resource = ""
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "" // structs of strings can't fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// onBehalf is the condition without which a service could be sent by anybody, an
// identity provider vouch for anybody, and who may call a function's open URL could
// call the function by every way:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (r *Request) onBehalf() map[string]any {
	var names []string
	switch r.Principal.Type {
	case Anonymous:
		if r.Action == "lambda:InvokeFunction" && len(r.Keys.Get(viaURL)) == 1 {
			return map[string]any{"Bool": map[string]string{viaURL: "true"}}
		}
		names = []string{"lambda:FunctionUrlAuthType"}
	case Service:
		names = []string{"aws:SourceAccount", "aws:SourceArn"}
	case Federated:
		_, provider, ok := strings.Cut(r.Principal.Provider, "oidc-provider/")
		if !ok {
			provider = r.Principal.Provider
		}
		names = []string{provider + ":aud", provider + ":sub"}
	}
	equals := map[string]string{}
	for _, name := range names {
		if v := r.Keys.Get(name); len(v) == 1 {
			equals[name] = strings.ReplaceAll(v[0], "${", "${$}{")
		}
	}
	if len(equals) == 0 {
		return nil
	}
	return map[string]any{"StringEquals": equals}
}

// viaURL is the key that tells calls by way of a function's URL from others.
const viaURL = "lambda:InvokedViaFunctionUrl"

// element is the Principal that names p: the role rather than one session of it,
// which is gone before the policy is.
func (p *Principal) element() any {
	switch p.Type {
	case Anonymous:
		return "*"
	case Service:
		return map[string]string{"Service": p.Service}
	case Federated:
		return map[string]string{"Federated": p.Provider}
	case RoleSession:
		return map[string]string{"AWS": cmp.Or(p.Issuer, p.ARN)}
	}
	return map[string]string{"AWS": p.ARN}
}

// literal writes a resource so that it matches itself alone. A "*" at its end is
// kept: operations on all of a kind, as lists are, name their resource so.
func literal(resource string) string {
	open := ""
	if resource == "*" || strings.HasSuffix(resource, ":*") || strings.HasSuffix(resource, "/*") {
		resource, open = strings.TrimSuffix(resource, "*"), "*"
	}
	return strings.NewReplacer("*", "${*}", "?", "${?}", "${", "${$}{").Replace(resource) + open
}
