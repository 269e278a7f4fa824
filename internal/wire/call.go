package wire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"reflect"

	"github.com/mayfly-cloud/mayfly/internal/access"
)

// Call is one request whose operation is known. It goes through Decode, then
// Serve, or ends early in WriteError. It belongs to one goroutine.
type Call struct {
	router   *Router
	op       *operation
	protocol Protocol

	labels     []string // names and values of the path's labels
	values     []string
	labelSpace [4]string
	form       url.Values // awsQuery's parameters
}

// Operation is the operation's name: "CreateFunction".
func (c *Call) Operation() string { return c.op.name }

// Access is what the operation asks of its caller.
func (c *Call) Access() access.Rule { return c.op.access }

// Protocol is the one the request came in, and the answer goes out.
func (c *Call) Protocol() Protocol { return c.protocol }

// Streams says whether the input takes the request's body as it arrives, as S3's
// PutObject does. Such a body must not be read before Decode.
func (c *Call) Streams() bool {
	p := c.op.in.shape.payload
	return c.protocol.rest() && p != nil && p.shape.kind == kindStream
}

// Decode makes the operation's input, a pointer to the SDK's struct, of the
// request and its whole body. When the call Streams, body is ignored and the
// input takes over req.Body. The input may keep parts of body: it must not change
// afterwards. An error is a fault for the caller.
func (c *Call) Decode(req *http.Request, body []byte) (any, error) {
	v := reflect.New(c.op.in.shape.goType)
	if unsent := c.op.in.shape.unsent; unsent.IsValid() {
		v.Elem().Set(unsent)
	}
	var err error
	if c.protocol.rest() {
		err = c.decodeREST(req, body, v.Elem())
	} else {
		err = c.decodeBody(c.op.in, body, v.Elem(), false)
	}
	if err != nil {
		return nil, serializationFault(err)
	}
	return v.Interface(), nil
}

// decodeBody decodes a whole body into the struct v. With bound, members that
// travel elsewhere are not read from it.
func (c *Call) decodeBody(m *member, body []byte, v reflect.Value, bound bool) error {
	if c.protocol != Query && len(bytes.TrimSpace(body)) == 0 {
		return nil // AWS takes nothing for an empty structure
	}
	var r reader
	var text *jsonReader
	var err error
	switch c.protocol {
	case Query:
		r, err = newFormReader(c.form)
	case RestXML:
		r, err = newXMLReader(body)
	case CBOR:
		r, err = newCBORReader(body)
	default:
		text = &jsonReader{b: body, names: c.protocol == RestJSON}
		r = text
	}
	if err != nil {
		return err
	}
	d := newDecoder(r, len(body))
	d.bound = bound
	if r.null() {
		return nil
	}
	if err := d.into(m, v); err != nil {
		return err
	}
	if text != nil {
		return text.end()
	}
	return nil
}

// Serve calls the operation's function and writes its answer, or its error as a
// fault. It returns that error, and those of encoding and of events that could
// not be sent, so that the caller can log and count them; an answer has been
// begun in every case.
func (c *Call) Serve(ctx context.Context, w http.ResponseWriter, in any, requestID string) error {
	if c.op.stream != nil {
		return c.serveStream(ctx, w, in, requestID)
	}
	out, err := c.op.serve(ctx, in)
	if err != nil {
		c.WriteError(w, err, requestID)
		return err
	}
	return c.write(w, out, requestID)
}

// WriteError answers with the fault in err's chain, or an InternalFailure.
func (c *Call) WriteError(w http.ResponseWriter, err error, requestID string) {
	c.router.writeError(w, c.protocol, err, requestID)
}

// write answers with an output struct.
func (c *Call) write(w http.ResponseWriter, out any, requestID string) error {
	v := reflect.ValueOf(out).Elem()
	h := w.Header()
	setRequestID(h, c.protocol, requestID)
	if c.protocol.rest() {
		return c.writeREST(w, v)
	}
	buf := getBuffer()
	defer buf.free()
	if c.protocol == Query {
		buf.b = c.queryResponse(buf.b, v, requestID)
	} else {
		buf.b = c.document(buf.b, c.op.out, v, false)
	}
	if c.protocol == CBOR {
		h.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	h.Set("Content-Type", c.protocol.contentType())
	return send(w, http.StatusOK, buf.b)
}

// document encodes a struct as the whole of a body. With bound, members that
// travel elsewhere are not in it.
func (c *Call) document(b []byte, m *member, v reflect.Value, bound bool) []byte {
	switch c.protocol {
	case RestXML:
		w := xmlWriter{b: append(b, xmlHeader...)}
		w.root(m, c.router.api.Namespace)
		encoder{w: &w, bound: bound}.value(m, v)
		w.endField(m)
		return w.b
	case CBOR:
		w := cborWriter{b: b}
		encoder{w: &w}.value(m, v)
		return w.b
	}
	w := jsonWriter{b: b, names: c.protocol == RestJSON}
	encoder{w: &w, bound: bound}.value(m, v)
	return w.b
}

// send writes status and body.
func send(w http.ResponseWriter, status int, body []byte) error {
	setLength(w.Header(), status, len(body))
	w.WriteHeader(status)
	if len(body) == 0 || status == http.StatusNoContent {
		return nil
	}
	_, err := w.Write(body)
	return err
}

// sendStream copies a body and closes it.
func sendStream(w http.ResponseWriter, status int, body io.Reader) error {
	if c, ok := body.(io.Closer); ok {
		defer c.Close()
	}
	w.WriteHeader(status)
	_, err := io.Copy(w, body)
	return err
}
