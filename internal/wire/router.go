package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// Router finds the operation a request means. It does not change after New and is
// safe for concurrent use.
type Router struct {
	api    API
	ops    map[string]*operation
	absent map[string]bool
	errors map[string]*smithy.Schema // by their codes
	root   *node
}

// Service is the API's signing name.
func (r *Router) Service() string { return r.api.Service }

// Operations names all operations served, in the order of the API.
func (r *Router) Operations() []string {
	names := make([]string, 0, len(r.api.Operations))
	for _, o := range r.api.Operations {
		names = append(names, o.Name())
	}
	return names
}

// Unsigned says whether the API has operations that are served without a signature.
func (r *Router) Unsigned() bool {
	for _, op := range r.ops {
		if op.access.Unsigned {
			return true
		}
	}
	return false
}

func (r *Router) add(op *operation) error {
	if r.ops[op.name] != nil {
		return fmt.Errorf("it is listed twice")
	}
	r.ops[op.name] = op
	if !r.api.speaks(RestJSON, RestXML) {
		return nil
	}
	route, path, err := newRoute(op.schema)
	if err != nil {
		return err
	}
	h, _ := smithy.SchemaTrait[*traits.HTTP](op.schema)
	op.code = h.Code
	route.op, route.header = op, op.header
	if err := r.root.insert(route, path); err != nil {
		return err
	}
	return checkLabels(op, route)
}

// checkLabels makes sure that every label of the path has a member to go to.
func checkLabels(op *operation, r *route) error {
	for _, name := range r.labels {
		if m := op.in.shape.byName[name]; m == nil || m.in != inLabel {
			return fmt.Errorf("no member of %s is bound to the label {%s}", op.in.shape.name, name)
		}
	}
	return nil
}

func (r *Router) addAbsent(schema *smithy.Schema) error {
	name := schema.ID().Name
	if r.ops[name] != nil {
		return fmt.Errorf("it is served")
	}
	r.absent[name] = true
	if !r.api.speaks(RestJSON, RestXML) {
		return nil
	}
	route, path, err := newRoute(schema)
	if err != nil {
		return err
	}
	return r.root.insert(route, path)
}

// Match tells which protocol a request speaks and which operation it means. An
// operation that is not offered, or that nobody knows, is a fault that names it.
// For a form, Match reads the body, which may hold the operation's name, and puts
// it back into req; the caller must have limited it.
func (r *Router) Match(req *http.Request) (*Call, error) {
	p := r.protocol(req)
	switch p {
	case CBOR:
		_, name, _ := strings.Cut(strings.Trim(req.URL.Path, "/"), "/operation/")
		return r.named(p, name)
	case JSON10, JSON11:
		target := req.Header.Get("X-Amz-Target")
		at := strings.LastIndexByte(target, '.')
		if at < 0 || !r.targets(target[:at]) {
			return nil, r.unknown(p, target)
		}
		return r.named(p, target[at+1:])
	case Query:
		form, err := readForm(req)
		if err != nil {
			return nil, err
		}
		c, err := r.named(p, form.Get("Action"))
		if c != nil {
			c.form = form
		}
		return c, err
	default:
		return r.routed(p, req)
	}
}

// targets says whether the first part of an X-Amz-Target means this service. Some
// clients write the model's whole name where others write its last part alone:
// com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.
func (r *Router) targets(service string) bool {
	before, ok := strings.CutSuffix(service, r.api.Target)
	return ok && (before == "" || strings.HasSuffix(before, "."))
}

// Protocol tells the protocol of a request before it is matched, for an answer that
// turns it away.
func (r *Router) Protocol(req *http.Request) Protocol { return r.protocol(req) }

// protocol is Guess among the protocols spoken.
func (r *Router) protocol(req *http.Request) Protocol {
	if len(r.api.Protocols) == 1 {
		return r.api.Protocols[0]
	}
	if p := Guess(req); r.api.speaks(p) {
		return p
	}
	if req.Header.Get("X-Amz-Target") != "" {
		for _, p := range r.api.Protocols {
			if p == JSON10 || p == JSON11 {
				return p
			}
		}
	}
	return r.api.Protocols[0]
}

func (r *Router) named(p Protocol, name string) (*Call, error) {
	if op := r.ops[name]; op != nil {
		return &Call{router: r, op: op, protocol: p}, nil
	}
	if r.absent[name] {
		return nil, r.notOffered(p, name)
	}
	return nil, r.unknown(p, name)
}

func (r *Router) routed(p Protocol, req *http.Request) (*Call, error) {
	c := &Call{router: r, protocol: p}
	s := search{req: req, values: c.labelSpace[:0]}
	route := s.find(r.root, strings.TrimPrefix(req.URL.EscapedPath(), "/"))
	if route == nil {
		return nil, r.unknown(p, req.Method+" "+req.URL.Path)
	}
	if route.op == nil {
		return nil, r.notOffered(p, route.name)
	}
	for i, v := range s.values {
		plain, err := url.PathUnescape(v)
		if err != nil {
			return nil, serializationFault(malformedf("the path is malformed at %s", route.labels[i]))
		}
		s.values[i] = plain
	}
	c.op, c.labels, c.values = route.op, route.labels, s.values
	return c, nil
}

// notOffered is the fault for an operation that AWS has and Mayfly has not. 501
// is no status that SDKs retry.
func (r *Router) notOffered(p Protocol, name string) error {
	return fault.New(http.StatusNotImplemented, unknownCode(p),
		"The operation %s of the service %s is not offered by Mayfly.", name, r.api.Service)
}

// unknown is the fault for what names no operation at all.
func (r *Router) unknown(p Protocol, what string) error {
	status := http.StatusBadRequest
	if p.rest() || p == CBOR {
		status = http.StatusNotFound
	}
	if what == "" {
		return fault.New(status, unknownCode(p), "The request names no operation of the service %s.", r.api.Service)
	}
	return fault.New(status, unknownCode(p), "The service %s has no operation %s that Mayfly knows.", r.api.Service, what)
}

func unknownCode(p Protocol) string {
	switch p {
	case Query:
		return "InvalidAction"
	case RestXML:
		return "NotImplemented"
	}
	return "UnknownOperationException"
}

// readForm reads the parameters of awsQuery, from the body or the query string.
func readForm(req *http.Request) (url.Values, error) {
	body, err := readBody(req.Body)
	if err != nil {
		return nil, fault.New(http.StatusBadRequest, "SerializationException", "read request body: %w", err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(req.URL.RawQuery + "&" + string(body))
	if err != nil {
		return nil, serializationFault(malformedf("the form is malformed"))
	}
	return form, nil
}
