package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/traits"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// EventStream is where an operation that answers with events sends them. Every
// event leaves at once. It belongs to one goroutine and ends with the operation's
// function: returning nil ends the stream, an error before the first event is
// answered as any operation's, and one after it as an exception event.
type EventStream[O any] struct{ s *stream }

// Start sends the status and headers of the answer, which out holds. It may be
// called once, before the first event; without it the first event sends an empty
// output.
func (e *EventStream[O]) Start(out *O) error { return e.s.start(reflect.ValueOf(out).Elem()) }

// Send sends one event: a pointer to one of the structs of the SDK's union, as
// &types.InvokeWithResponseStreamResponseEventMemberPayloadChunk{...}. It does not
// keep the event.
func (e *EventStream[O]) Send(event any) error { return e.s.send(event) }

// stream is an EventStream without its type.
type stream struct {
	c       *Call
	w       http.ResponseWriter
	id      string // of the request
	started bool
	enc     *eventstream.Encoder
	buf     bytes.Buffer // one message
	body    []byte       // one event's payload
}

var errStarted = errors.New("event stream: Start after the first event")

func (c *Call) serveStream(ctx context.Context, w http.ResponseWriter, in any, requestID string) error {
	setRequestID(w.Header(), c.protocol, requestID)
	s := &stream{c: c, w: w, id: requestID, enc: eventstream.NewEncoder()}
	err := c.op.stream(ctx, in, s)
	switch {
	case err == nil && s.started:
		return nil
	case err == nil:
		return s.start(reflect.New(c.op.Operation.out).Elem())
	case !s.started:
		c.WriteError(w, err, requestID)
		return err
	}
	return errors.Join(err, s.exception(err))
}

func (s *stream) start(out reflect.Value) error {
	if s.started {
		return errStarted
	}
	s.started = true
	h := s.w.Header()
	status := http.StatusOK
	if s.c.protocol.rest() {
		status = s.c.bindOut(h, out)
	}
	h.Set("Content-Type", typeEvents)
	s.w.WriteHeader(status)
	if s.c.protocol.rest() {
		return s.flush()
	}
	s.body = s.c.document(s.body[:0], s.c.op.out, out, false) // RPC protocols have an event for it
	return s.message("event", "initial-response", s.c.eventType(), s.body)
}

func (s *stream) send(event any) error {
	if !s.started {
		if err := s.start(reflect.New(s.c.op.Operation.out).Elem()); err != nil {
			return err
		}
	}
	v := reflect.ValueOf(event)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("event stream: send %T: not a pointer to an event", event)
	}
	m := s.c.op.events.variants[v.Type().Elem()]
	if m == nil {
		return fmt.Errorf("event stream: send %T: not an event of %s", event, s.c.op.events.name)
	}
	v = v.Elem().Field(m.field)
	for _, p := range m.shape.members {
		if p.eventPayload && p.shape.kind == kindBlob {
			return s.message("event", m.name, typeBlob, v.Field(p.field).Bytes())
		}
	}
	s.body = s.c.document(s.body[:0], m, v, false)
	return s.message("event", m.name, s.c.eventType(), s.body)
}

// exception ends the stream with a fault.
func (s *stream) exception(err error) error {
	f := fault.As(err)
	a := s.c.router.answer(s.c.protocol, f)
	return s.message("exception", f.Code, s.c.eventType(), a.document(s.c.protocol, s.c.router.api.Namespace, s.id))
}

// message frames and sends one message; kind is "event" or "exception".
func (s *stream) message(kind, name, media string, payload []byte) error {
	var msg eventstream.Message
	msg.Headers.Set(":message-type", eventstream.StringValue(kind))
	msg.Headers.Set(":"+kind+"-type", eventstream.StringValue(name))
	msg.Headers.Set(":content-type", eventstream.StringValue(media))
	msg.Payload = payload
	s.buf.Reset()
	if err := s.enc.Encode(&s.buf, msg); err != nil {
		return fmt.Errorf("event stream: encode %s: %w", name, err)
	}
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return fmt.Errorf("event stream: send %s: %w", name, err)
	}
	return s.flush()
}

func (s *stream) flush() error {
	if err := http.NewResponseController(s.w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("event stream: flush: %w", err)
	}
	return nil
}

// eventType labels the payload of an event that is a structure.
func (c *Call) eventType() string {
	switch c.protocol {
	case RestXML:
		return typeXML
	case CBOR:
		return typeCBOR
	}
	return typeJSON
}

// eventsOf finds the union of the events in an output's schema, which the Go
// struct does not show, and makes its shape.
func (c *compiler) eventsOf(out reflect.Type) (*shape, error) {
	schema := schemaOf(out)
	if schema == nil {
		return nil, fmt.Errorf("%s has no schema that names its events", out)
	}
	for _, m := range schema.Members() {
		if _, ok := smithy.SchemaTrait[*traits.Streaming](m); !ok || m.Type() != smithy.ShapeTypeUnion {
			continue
		}
		for iface := range c.unions {
			if iface.Name() == shapeName(m) {
				return c.shape(iface, m)
			}
		}
		return nil, fmt.Errorf("no Go types are listed for the events %s (API.Unions)", shapeName(m))
	}
	return nil, fmt.Errorf("the schema of %s has no events", out)
}
