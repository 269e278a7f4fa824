package wire

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// decodeREST fills v from the path, the query string, the headers and the body.
func (c *Call) decodeREST(req *http.Request, body []byte, v reflect.Value) error {
	s := c.op.in.shape
	var query url.Values
	if req.URL.RawQuery != "" {
		query = req.URL.Query()
	}
	for _, m := range s.bound {
		if err := c.bindIn(m, req, query, v.Field(m.field)); err != nil {
			return at(err, m.name)
		}
	}
	if p := s.payload; p != nil {
		if err := c.payloadIn(p, req, body, v.Field(p.field)); err != nil {
			return at(err, p.name)
		}
		return nil
	}
	if !s.body {
		return nil
	}
	return c.decodeBody(c.op.in, body, v, true)
}

func (c *Call) bindIn(m *member, req *http.Request, query url.Values, v reflect.Value) error {
	switch m.in {
	case inLabel:
		for i, name := range c.labels {
			if name == m.name {
				return m.setText(v, c.values[i], formatDateTime)
			}
		}
	case inQuery:
		if vs := query[m.binding]; len(vs) > 0 {
			return m.setTexts(v, vs, formatDateTime)
		}
	case inQueryParams:
		c.queryParams(m, query, v)
	case inHeader:
		vs := req.Header[m.binding]
		if len(vs) == 0 {
			return nil
		}
		if m.shape.kind != kindList {
			return m.setText(v, strings.TrimSpace(vs[0]), formatHTTPDate)
		}
		vs, err := m.splitHeader(vs)
		if err != nil {
			return malformedf("the header %s is malformed", m.binding)
		}
		return m.setTexts(v, vs, formatHTTPDate)
	case inPrefixHeaders:
		prefixHeaders(m, req.Header, v)
	}
	return nil
}

// splitHeader takes apart the items of a list that travels in a header.
func (m *member) splitHeader(vs []string) ([]string, error) {
	e := m.shape.elem
	if e.shape.kind == kindTime && e.format.or(formatHTTPDate) == formatHTTPDate {
		return smithyhttp.SplitHTTPDateTimestampHeaderListValues(vs)
	}
	return smithyhttp.SplitHeaderListValues(vs)
}

// prefixHeaders gathers the headers with the member's prefix into a map; names
// lose their case in HTTP, and AWS hands them on in lower case.
func prefixHeaders(m *member, h http.Header, v reflect.Value) {
	found := map[string]string{}
	for name, vs := range h {
		if len(name) > len(m.binding) && strings.EqualFold(name[:len(m.binding)], m.binding) {
			found[strings.ToLower(name[len(m.binding):])] = vs[0]
		}
	}
	if len(found) > 0 {
		v.Set(reflect.ValueOf(found).Convert(v.Type()))
	}
}

// queryParams gathers the parameters that are no other member's.
func (c *Call) queryParams(m *member, query url.Values, v reflect.Value) {
	taken := map[string]bool{}
	for _, o := range c.op.in.shape.bound {
		if o.in == inQuery {
			taken[o.binding] = true
		}
	}
	lists := m.shape.elem.shape.kind == kindList
	for k, vs := range query {
		if taken[k] {
			continue
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		item := reflect.ValueOf(vs)
		if !lists {
			item = reflect.ValueOf(vs[0])
		}
		v.SetMapIndex(reflect.ValueOf(k), item.Convert(v.Type().Elem()))
	}
}

// payloadIn sets the member that is the whole body.
func (c *Call) payloadIn(m *member, req *http.Request, body []byte, v reflect.Value) error {
	switch m.shape.kind {
	case kindStream:
		if req.Body != nil {
			v.Set(reflect.ValueOf(io.ReadCloser(req.Body)))
		}
	case kindBlob:
		if len(body) > 0 {
			v.SetBytes(body)
		}
	case kindString:
		if len(body) > 0 {
			return m.setText(v, string(body), formatDateTime)
		}
	default:
		if len(body) == 0 {
			return nil
		}
		p := reflect.New(m.shape.goType)
		if err := c.decodeBody(m, body, p.Elem(), false); err != nil {
			return err
		}
		if !m.ptr {
			p = p.Elem()
		}
		v.Set(p)
	}
	return nil
}

// setTexts sets a list from its items, or another member from the first.
func (m *member) setTexts(v reflect.Value, vs []string, f timeFormat) error {
	if m.shape.kind != kindList {
		return m.setText(v, vs[0], f)
	}
	list := reflect.MakeSlice(v.Type(), len(vs), len(vs))
	for i, s := range vs {
		if err := m.shape.elem.setText(list.Index(i), s, f); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// setText sets a simple member from text; f is how the place writes timestamps.
func (m *member) setText(v reflect.Value, s string, f timeFormat) error {
	if m.ptr {
		if p, ok := v.Addr().Interface().(**string); ok && !m.encoded {
			*p = &s // the commonest of all, without reflection
			return nil
		}
		v.Set(reflect.New(m.shape.goType))
		v = v.Elem()
	}
	switch m.shape.kind {
	case kindString:
		if m.encoded {
			plain, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				return malformedf("the value is not valid base64")
			}
			s = string(plain)
		}
		v.SetString(s)
		return nil
	case kindBool:
		b, err := textBool(s)
		v.SetBool(b)
		return err
	case kindInt:
		n, err := textInt(s, v.Type().Bits())
		v.SetInt(n)
		return err
	case kindFloat:
		n, err := textFloat(s, v.Type().Bits())
		v.SetFloat(n)
		return err
	case kindTime:
		t, err := textTime(s, m.format.or(f))
		v.Set(reflect.ValueOf(time.Time(t)))
		return err
	case kindBlob:
		b, err := decodeBase64([]byte(s))
		v.SetBytes(b)
		return err
	}
	return malformedf("the member cannot travel as text")
}
