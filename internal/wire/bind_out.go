package wire

import (
	"encoding/base64"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// writeREST answers with an output's status, headers and body.
func (c *Call) writeREST(w http.ResponseWriter, v reflect.Value) error {
	s := c.op.out.shape
	status := c.bindOut(w.Header(), v)
	if s.payload != nil {
		return c.payloadOut(w, status, v.Field(s.payload.field))
	}
	if !s.body || status == http.StatusNoContent {
		return send(w, status, nil)
	}
	setType(w.Header(), c.protocol.contentType())
	buf := getBuffer()
	defer buf.free()
	buf.b = c.document(buf.b, c.op.out, v, true)
	return send(w, status, buf.b)
}

// bindOut sets the headers of an output and gives its status.
func (c *Call) bindOut(h http.Header, v reflect.Value) int {
	status := c.op.code
	for _, m := range c.op.out.shape.bound {
		f := v.Field(m.field)
		if !isSet(m, f) {
			continue
		}
		switch m.in {
		case inStatus:
			if n := int(reflect.Indirect(f).Int()); n >= 100 && n <= 999 {
				status = n
			}
		case inHeader:
			setHeader(h, m, f)
		case inPrefixHeaders:
			for it := f.MapRange(); it.Next(); {
				h.Set(m.binding+it.Key().String(), it.Value().String())
			}
		}
	}
	return status
}

func (c *Call) payloadOut(w http.ResponseWriter, status int, v reflect.Value) error {
	m := c.op.out.shape.payload
	if !isSet(m, v) {
		return send(w, status, nil)
	}
	media := typeBlob
	if c.op.media != "" {
		media = c.op.media
	}
	switch m.shape.kind {
	case kindStream:
		setType(w.Header(), media)
		return sendStream(w, status, v.Interface().(io.Reader))
	case kindBlob:
		setType(w.Header(), media)
		return send(w, status, v.Bytes())
	case kindString:
		setType(w.Header(), "text/plain")
		return send(w, status, []byte(reflect.Indirect(v).String()))
	}
	setType(w.Header(), c.protocol.contentType())
	buf := getBuffer()
	defer buf.free()
	buf.b = c.document(buf.b, m, v, false)
	return send(w, status, buf.b)
}

// setType labels the body, unless the output bound the header itself.
func setType(h http.Header, contentType string) {
	if h["Content-Type"] == nil {
		h["Content-Type"] = []string{contentType}
	}
}

// setHeader writes a member as a header.
func setHeader(h http.Header, m *member, v reflect.Value) {
	if m.shape.kind != kindList {
		h[m.binding] = []string{m.text(v)}
		return
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = m.shape.elem.text(v.Index(i))
		if m.shape.elem.shape.kind == kindString && strings.ContainsAny(items[i], `",`) {
			items[i] = strconv.Quote(items[i])
		}
	}
	h[m.binding] = []string{strings.Join(items, ", ")}
}

// text writes a simple value as a header holds it.
func (m *member) text(v reflect.Value) string {
	if m.ptr {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch m.shape.kind {
	case kindString:
		if m.encoded {
			return base64.StdEncoding.EncodeToString([]byte(v.String()))
		}
		return v.String()
	case kindBool:
		return strconv.FormatBool(v.Bool())
	case kindInt:
		return strconv.FormatInt(v.Int(), 10)
	case kindFloat:
		return string(appendFloat(nil, v.Float(), v.Type().Bits()))
	case kindTime:
		return string(appendTime(nil, timeOf(v), m.format.or(formatHTTPDate)))
	case kindBlob:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return ""
}
