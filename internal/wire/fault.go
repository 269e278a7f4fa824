package wire

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// WriteError answers a request whose service is not known with the fault in err's
// chain, or an InternalFailure. [Guess] tells the protocol.
func WriteError(w http.ResponseWriter, p Protocol, err error, requestID string) {
	(&Router{}).writeError(w, p, err, requestID)
}

// WriteError answers a request that Match found no call for, or that was turned
// away before it was matched.
func (r *Router) WriteError(w http.ResponseWriter, req *http.Request, err error, requestID string) {
	r.writeError(w, r.protocol(req), err, requestID)
}

func (r *Router) writeError(w http.ResponseWriter, p Protocol, err error, requestID string) {
	f := fault.As(err)
	a := r.answer(p, f)
	h := w.Header()
	setRequestID(h, p, requestID)
	for k, v := range a.headers {
		h.Set(k, v)
	}
	h.Set("Content-Type", p.contentType())
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	switch p {
	case CBOR:
		h.Set("Smithy-Protocol", "rpc-v2-cbor")
	case RestJSON:
		h.Set("X-Amzn-Errortype", f.Code)
	}
	body := a.document(p, r.api.Namespace, requestID)
	_ = send(w, a.status, body) // the client is gone: there is nobody to tell
}

// answer is a fault laid out for a protocol: what goes to headers, what into the
// body, and in what order.
type answer struct {
	code, message string
	kind          string // "Sender" or "Receiver"
	status        int
	headers       map[string]string
	members       []pair
}

// pair is one member of an error's body; number is set for what is written bare.
type pair struct {
	name, value string
	number      bool
}

// answer lays out f by its error shape, where the SDK has one of its code.
func (r *Router) answer(p Protocol, f *fault.Error) *answer {
	schema := r.errors[f.Code]
	a := &answer{code: f.Code, message: f.Message, status: f.Status, kind: "Sender", headers: map[string]string{}}
	if a.status == 0 {
		a.status = http.StatusBadRequest
	}
	if a.status >= 500 {
		a.kind = "Receiver"
	}
	queryCode := f.Code
	if q, ok := smithy.SchemaTrait[*traits.AWSQueryError](schema); ok {
		queryCode = q.ErrorCode
	}
	switch {
	case p == Query:
		a.code = queryCode
	case p == JSON10 || p == CBOR:
		if r.api.speaks(Query) { // what those that spoke awsQuery switch on
			a.headers["X-Amzn-Query-Error"] = queryCode + ";" + a.kind
		}
		if schema != nil {
			a.code = schema.ID().String()
		}
	}
	if p == JSON10 || p == JSON11 || p == CBOR {
		a.members = append(a.members, pair{name: "__type", value: a.code})
	}
	if f.Type != "" && p == RestJSON {
		a.members = append(a.members, pair{name: "Type", value: f.Type})
	}
	if p != Query && p != RestXML {
		a.members = append(a.members, pair{name: messageName(schema), value: f.Message})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		a.add(schema, name, f.Fields[name])
	}
	return a
}

// add places one further member where its shape has it.
func (a *answer) add(schema *smithy.Schema, name, value string) {
	if schema == nil || schema.Member(name) == nil {
		a.members = append(a.members, pair{name: name, value: value})
		return
	}
	m := schema.Member(name)
	if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok {
		a.headers[h.Name] = value
		return
	}
	number := false
	switch m.Type() {
	case smithy.ShapeTypeByte, smithy.ShapeTypeShort, smithy.ShapeTypeInteger, smithy.ShapeTypeLong:
		_, err := strconv.ParseInt(value, 10, 64)
		number = err == nil
	}
	a.members = append(a.members, pair{name, value, number})
}

// errorSchemas indexes a registry by the codes of its errors.
func errorSchemas(types *smithy.TypeRegistry) map[string]*smithy.Schema {
	m := map[string]*smithy.Schema{}
	if types == nil {
		return m
	}
	for _, e := range types.Entries {
		if _, ok := smithy.SchemaTrait[*traits.Error](e.Schema); ok {
			m[e.Schema.ID().Name] = e.Schema
		}
	}
	return m
}

// messageName is "message", as the error's shape spells it.
func messageName(schema *smithy.Schema) string {
	if schema != nil {
		for name := range schema.Members() {
			if strings.EqualFold(name, "message") {
				return name
			}
		}
	}
	return "message"
}

// document encodes the error's body.
func (a *answer) document(p Protocol, namespace, requestID string) []byte {
	switch p {
	case Query, RestXML:
		return a.xml(p, namespace, requestID)
	case CBOR:
		w := cborWriter{}
		a.encode(&w)
		return w.b
	}
	w := jsonWriter{}
	a.encode(&w)
	return w.b
}

// encode writes the members as a structure of JSON or CBOR.
func (a *answer) encode(w writer) {
	w.beginStruct()
	for _, p := range a.members {
		m := &member{name: p.name, json: p.name}
		w.field(m)
		if n, err := strconv.ParseInt(p.value, 10, 64); p.number && err == nil {
			w.integer(n)
		} else {
			w.str(p.value)
		}
		w.endField(m)
	}
	w.endStruct()
}
