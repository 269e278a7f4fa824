package wire

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/access"
)

// API is what one service answers, as data.
type API struct {
	// Service is the name in signatures and messages: "lambda".
	Service string
	// Protocols are those spoken; the first answers what came in none of them.
	Protocols []Protocol
	// Target is the model's name of the service, which comes before the operation
	// in the X-Amz-Target header and in the paths of CBOR: "Logs_20140328".
	Target string
	// Namespace is the XML namespace of awsQuery's and restXml's bodies.
	Namespace string
	// Operations are those served.
	Operations []Operation
	// Absent are operations AWS has and this service has not: their callers are
	// told so by name. Only REST protocols need them, where a request does not
	// name its operation.
	Absent []*smithy.Schema
	// Unions lists the Go types of the unions the operations use.
	Unions []Union
	// Errors is the SDK's registry of the service's error types (its package's
	// TypeRegistry), which says how each error's members travel. Nil is fine:
	// errors are then a code and a message.
	Errors *smithy.TypeRegistry
	// Traits complete the shapes of an SDK module that has no schemas.
	Traits Traits
	// Unsent are structs of inputs, or within them, as they are before a request is
	// read into them. They tell a member that was not sent from a zero that was,
	// where the SDK's type is no pointer: sqs.ReceiveMessageInput{WaitTimeSeconds: -1}.
	Unsent []any
	// Access is what each operation asks of its caller. One that is not in it is a
	// mistake: New refuses the API, so nothing is ever served unasked.
	Access access.Table
}

// Operation is one operation of an API with the function that serves it.
type Operation struct {
	schema  *smithy.Schema
	in, out reflect.Type
	serve   func(ctx context.Context, in any) (any, error)
	stream  func(ctx context.Context, in any, s *stream) error
	media   string
	header  string
}

// Name is the operation's: "CreateFunction".
func (o Operation) Name() string { return o.schema.ID().Name }

// Op makes an operation of its schema in the SDK (schemas.CreateFunction), which
// gives its name and HTTP route, and the function that serves it. I and O are the
// SDK's input and output structs. The input is the function's own; a nil output
// with a nil error is an empty one.
func Op[I, O any](schema *smithy.Schema, serve func(ctx context.Context, in *I) (*O, error)) Operation {
	return Operation{
		schema: schema, in: reflect.TypeFor[I](), out: reflect.TypeFor[O](),
		serve: func(ctx context.Context, in any) (any, error) {
			out, err := serve(ctx, in.(*I))
			if err == nil && out == nil {
				out = new(O)
			}
			return out, err
		},
	}
}

// Stream makes an operation that answers with a stream of events. O is the SDK's
// output struct, sent with the first event or by [EventStream.Start].
func Stream[I, O any](schema *smithy.Schema, serve func(ctx context.Context, in *I, events *EventStream[O]) error) Operation {
	return Operation{
		schema: schema, in: reflect.TypeFor[I](), out: reflect.TypeFor[O](),
		stream: func(ctx context.Context, in any, s *stream) error {
			return serve(ctx, in.(*I), &EventStream[O]{s})
		},
	}
}

// Media returns the operation with another content type for its blob payload than
// application/octet-stream, unless the output binds the header itself.
func (o Operation) Media(contentType string) Operation {
	o.media = contentType
	return o
}

// WithHeader returns the operation bound to requests that have the header, where
// two share a route: S3's CopyObject is PutObject with X-Amz-Copy-Source.
func (o Operation) WithHeader(name string) Operation {
	o.header = name
	return o
}

// Union lists the Go structs of one union.
type Union struct {
	iface    reflect.Type
	variants []any
}

// Variants lists all structs of the SDK's union U, as pointers:
// Variants[types.AttributeValue](&types.AttributeValueMemberS{}, ...).
func Variants[U any](variants ...U) Union {
	u := Union{iface: reflect.TypeFor[U]()}
	for _, v := range variants {
		u.variants = append(u.variants, v)
	}
	return u
}

// operation is a compiled Operation.
type operation struct {
	Operation
	name string
	in   *member
	out  *member
	code int // HTTP status of success

	events *shape // of the event stream, or nil
	access access.Rule
}

// New compiles the API: it makes the shapes of all operations and the routes to
// them. An error is a mistake in the API's tables, so start-up should end with it.
func New(api API) (*Router, error) {
	if len(api.Protocols) == 0 {
		return nil, fmt.Errorf("api %s: no protocol is listed", api.Service)
	}
	unions, err := unionTypes(api.Unions)
	if err != nil {
		return nil, fmt.Errorf("api %s: %w", api.Service, err)
	}
	c := &compiler{
		unions: unions,
		loader: &typeLoader{traits: api.Traits, unions: unions, done: map[reflect.Type]*smithy.Schema{}},
		done:   map[shapeKey]*shape{},
		unsent: map[reflect.Type]reflect.Value{},
	}
	for _, v := range api.Unsent {
		c.unsent[reflect.TypeOf(v)] = reflect.ValueOf(v)
	}
	r := &Router{api: api, ops: map[string]*operation{}, absent: map[string]bool{}, errors: errorSchemas(api.Errors), root: &node{}}
	var errs []error
	for _, o := range api.Operations {
		op, err := c.operation(o)
		if err == nil {
			op.access, err = api.rule(op.name)
		}
		if err == nil {
			err = r.add(op)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("api %s: operation %s: %w", api.Service, o.Name(), err))
		}
	}
	for name := range api.Access {
		if r.ops[name] == nil && len(errs) == 0 {
			errs = append(errs, fmt.Errorf("api %s: access is said for %s, which is no operation of it", api.Service, name))
		}
	}
	for _, s := range api.Absent {
		if err := r.addAbsent(s); err != nil {
			errs = append(errs, fmt.Errorf("api %s: absent operation %s: %w", api.Service, s.ID().Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

// rule is what an operation asks of its caller.
func (a *API) rule(name string) (access.Rule, error) {
	r, ok := a.Access[name]
	if !ok {
		return r, errors.New("nothing says what it asks of its caller")
	}
	return r, nil
}

// unionTypes indexes the structs of unions by the name of their member, which the
// SDK puts behind the union's name and "Member".
func unionTypes(unions []Union) (map[reflect.Type]map[string]reflect.Type, error) {
	m := make(map[reflect.Type]map[string]reflect.Type, len(unions))
	for _, u := range unions {
		named := make(map[string]reflect.Type, len(u.variants))
		for _, v := range u.variants {
			t := reflect.TypeOf(v).Elem()
			_, name, ok := strings.Cut(t.Name(), u.iface.Name()+"Member")
			if !ok {
				return nil, fmt.Errorf("union %s: %s is not named like a member of it", u.iface, t)
			}
			named[name] = t
		}
		m[u.iface] = named
	}
	return m, nil
}

func (c *compiler) operation(o Operation) (*operation, error) {
	op := &operation{Operation: o, name: o.Name(), code: 200}
	var err error
	if op.in, err = c.top(o.in); err != nil {
		return nil, err
	}
	if op.out, err = c.top(o.out); err != nil {
		return nil, err
	}
	if o.stream != nil {
		op.events, err = c.eventsOf(o.out)
	}
	return op, err
}

// speaks says whether the API speaks any of the protocols.
func (a *API) speaks(ps ...Protocol) bool {
	return slices.ContainsFunc(ps, func(p Protocol) bool { return slices.Contains(a.Protocols, p) })
}
