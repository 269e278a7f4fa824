package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// TestRoundTrip calls every operation of the SDK's clients in every protocol that
// can carry it, and expects each side to see what the other sent.
func TestRoundTrip(t *testing.T) {
	for _, s := range services {
		for p := range protocols {
			rest := p == wire.RestJSON || p == wire.RestXML
			if rest != (s.name == "lambda") {
				continue // only Lambda's schemas have routes
			}
			if s.name == "dynamodb" && p == wire.Query {
				continue // the SDK writes maps within lists in a way of its own there
			}
			t.Run(s.name+"/"+p.String(), func(t *testing.T) { s.roundTrip(t, p) })
		}
	}
}

func (s *sdkService) roundTrip(t *testing.T, p wire.Protocol) {
	f := newFiller(s, p)
	srv := newEcho(t, s, p, f)
	client := s.client(srv, protocols[p](s.schema))
	for _, name := range srv.router.Operations() {
		if p == wire.Query && name == "ReceiveMessage" {
			continue // two of its members have one name in a form
		}
		t.Run(name, func(t *testing.T) {
			for i := range 4 {
				f.sparse = i > 0 && p != wire.Query // a form cannot say that a structure is empty
				srv.roundTrip(t, client, name)
			}
		})
	}
}

func newFiller(s *sdkService, p wire.Protocol) *filler {
	return &filler{
		rand: rand.New(rand.NewPCG(1, uint64(p))), unions: s.unions,
		plain: p == wire.RestXML || p == wire.Query, single: s.name == "lambda",
	}
}

// echo serves all operations of a service, keeping the input of the last call and
// answering with the output it was given.
type echo struct {
	url    string
	router *wire.Router
	fill   *filler
	in     any
	out    any
	err    error

	onInput func(in any) // looks at a body while it is there
}

func newEcho(t *testing.T, s *sdkService, p wire.Protocol, f *filler) *echo {
	e := &echo{fill: f}
	api := s.api
	api.Protocols = []wire.Protocol{p}
	if api.Target == "" {
		api.Target = s.schema.ID().Name
	}
	for _, op := range s.operations(t, f) {
		api.Operations = append(api.Operations, wire.OpOf(op.schema, op.in, op.out, func(_ context.Context, in any) (any, error) {
			keepBody(in)
			e.in = in
			return e.out, e.err
		}))
	}
	var err error
	if e.router, err = compile(api); err != nil {
		t.Fatal(err)
	}
	return e
}

// keepBody reads a body that ends with its request.
func keepBody(in any) {
	if in, ok := in.(*lambda.InvokeAsyncInput); ok {
		b, err := io.ReadAll(in.InvokeArgs)
		if err != nil {
			panic(err)
		}
		in.InvokeArgs = strings.NewReader(string(b))
	}
}

// Do makes the echo an HTTP client that is its own server: thousands of calls need
// no sockets. Other tests go over the network.
func (e *echo) Do(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.ContentLength > 0 {
		in.Header.Set("Content-Length", strconv.FormatInt(in.ContentLength, 10))
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, in)
	return w.Result(), nil
}

func (e *echo) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	const id = "11111111-2222-4333-8444-555555555555"
	call, err := e.router.Match(req)
	if err != nil {
		e.router.WriteError(w, req, err, id)
		return
	}
	var body []byte
	if !call.Streams() {
		if body, err = io.ReadAll(req.Body); err != nil {
			call.WriteError(w, err, id)
			return
		}
	}
	in, err := call.Decode(req, body)
	if err != nil {
		call.WriteError(w, err, id)
		return
	}
	if e.onInput != nil {
		e.onInput(in)
	}
	_ = call.Serve(req.Context(), w, in, id)
}

func (e *echo) roundTrip(t *testing.T, client any, name string) {
	t.Helper()
	method := reflect.ValueOf(client).MethodByName(name)
	in := reflect.New(method.Type().In(1).Elem())
	e.out = reflect.New(method.Type().Out(0).Elem()).Interface()
	e.in, e.err = nil, nil
	e.fill.fill(in.Interface())
	e.fill.fill(e.out)
	got, err := call(method, in)
	var invalid smithy.InvalidParamsError
	if errors.As(err, &invalid) { // something required was left out
		e.fill.sparse = false
		e.fill.fill(in.Interface())
		got, err = call(method, in)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, show(in.Interface()))
	}
	if diff := cmp.Diff(in.Interface(), e.in, same); diff != "" {
		t.Errorf("%s: the input changed on its way (-sent +received):\n%s", name, diff)
	}
	if diff := cmp.Diff(e.out, got, same); diff != "" {
		t.Errorf("%s: the output changed on its way (-sent +received):\n%s", name, diff)
	}
}

// call calls an operation with a random input and gives its error.
func (e *echo) call(client any, name string) error {
	method := reflect.ValueOf(client).MethodByName(name)
	in := reflect.New(method.Type().In(1).Elem())
	e.fill.fill(in.Interface())
	_, err := call(method, in)
	return err
}

func call(method, in reflect.Value) (any, error) {
	res := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
	err, _ := res[1].Interface().(error)
	return res[0].Interface(), err
}

func show(v any) string { return fmt.Sprintf("%+v", v) }

func contains(s, part string) bool { return strings.Contains(s, part) }

// found is an operation of an SDK client.
type found struct {
	schema  *smithy.Schema
	in, out reflect.Type
}

// operations finds a client's operations: its methods, and the schema that each
// hands to its protocol.
func (s *sdkService) operations(t *testing.T, f *filler) []found {
	spy := &schemaSpy{}
	client := reflect.ValueOf(s.client(nil, spy))
	var all []found
	for i := range client.NumMethod() {
		m := client.Type().Method(i)
		if m.Type.NumIn() != 4 || m.Type.NumOut() != 2 || !strings.HasSuffix(m.Type.In(2).String(), "Input") || s.streams[m.Name] {
			continue
		}
		in := reflect.New(m.Type.In(2).Elem())
		f.fill(in.Interface())
		spy.op = nil
		_, err := call(client.Method(i), in)
		if spy.op == nil {
			t.Fatalf("%s: no schema was handed to the protocol: %v", m.Name, err)
		}
		all = append(all, found{spy.op.Schema, m.Type.In(2).Elem(), m.Type.Out(0).Elem()})
	}
	return all
}

// schemaSpy is a protocol that only remembers what it was asked to send.
type schemaSpy struct {
	smithyhttp.ClientProtocol
	op *smithy.OperationSchema
}

func (*schemaSpy) ID() smithy.ShapeID { return smithy.ShapeID{} }

func (s *schemaSpy) SerializeRequest(_ context.Context, op *smithy.OperationSchema, _ smithy.Serializable, _ *smithyhttp.Request) error {
	s.op = op
	return errors.New("only the schema is wanted")
}
