package wire

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// xmlWriter appends an XML document. An opening tag stays open until something
// other than an attribute follows.
type xmlWriter struct {
	b    []byte
	open bool // the last tag lacks its '>'
	attr bool // within an attribute's quotes
}

// root opens the document's element, in the service's namespace if it has none.
func (w *xmlWriter) root(m *member, namespace string) {
	space := m.space
	if space.uri == "" {
		space.uri = namespace
	}
	w.start(m.xml, space)
}

func (w *xmlWriter) start(name string, space xmlSpace) {
	w.content()
	w.b = append(append(w.b, '<'), name...)
	if space.uri != "" {
		w.b = append(w.b, " xmlns"...)
		if space.prefix != "" {
			w.b = append(append(w.b, ':'), space.prefix...)
		}
		w.b = append(w.b, `="`...)
		w.b = appendXMLText(w.b, space.uri)
		w.b = append(w.b, '"')
	}
	w.open = true
}

func (w *xmlWriter) end(name string) {
	w.content()
	w.b = append(append(w.b, "</"...), name...)
	w.b = append(w.b, '>')
}

// element writes an element of text.
func (w *xmlWriter) element(name, text string) {
	w.start(name, xmlSpace{})
	w.str(text)
	w.end(name)
}

// content ends the opening tag that is still open.
func (w *xmlWriter) content() {
	if w.open {
		w.b = append(w.b, '>')
		w.open = false
	}
}

func (w *xmlWriter) beginStruct() {}
func (w *xmlWriter) endStruct()   {}
func (w *xmlWriter) beginList()   {}
func (w *xmlWriter) endList()     {}
func (w *xmlWriter) beginMap()    {}
func (w *xmlWriter) endMap()      {}

func (w *xmlWriter) field(m *member) {
	switch {
	case m.attr:
		w.b = append(append(append(w.b, ' '), m.xml...), `="`...)
		w.attr = true
	case !m.flat: // a flattened list's items stand where it would
		w.start(m.xml, m.space)
	}
}

func (w *xmlWriter) endField(m *member) {
	switch {
	case m.attr:
		w.b = append(w.b, '"')
		w.attr = false
	case !m.flat:
		w.end(m.xml)
	}
}

func (w *xmlWriter) item(list *member) {
	if list.flat {
		w.start(list.xml, list.space)
		return
	}
	w.start(list.shape.elem.xml, list.shape.elem.space)
}

func (w *xmlWriter) endItem(list *member) {
	if list.flat {
		w.end(list.xml)
		return
	}
	w.end(list.shape.elem.xml)
}

func (w *xmlWriter) entry(m *member, key string) {
	name := "entry"
	if m.flat {
		name = m.xml
	}
	w.start(name, xmlSpace{})
	w.element(m.shape.key.xml, key)
	w.start(m.shape.elem.xml, m.shape.elem.space)
}

func (w *xmlWriter) endEntry(m *member) {
	w.end(m.shape.elem.xml)
	if m.flat {
		w.end(m.xml)
		return
	}
	w.end("entry")
}

func (w *xmlWriter) text() {
	if !w.attr {
		w.content()
	}
}

func (w *xmlWriter) null() {}

func (w *xmlWriter) str(s string) {
	w.text()
	w.b = appendXMLText(w.b, s)
}

func (w *xmlWriter) boolean(v bool) {
	w.text()
	w.b = strconv.AppendBool(w.b, v)
}

func (w *xmlWriter) integer(n int64) {
	w.text()
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *xmlWriter) float(f float64, bits int) {
	w.text()
	w.b = appendFloat(w.b, f, bits)
}

func (w *xmlWriter) blob(b []byte) {
	w.text()
	w.b = base64.StdEncoding.AppendEncode(w.b, b)
}

func (w *xmlWriter) time(t time.Time, f timeFormat) {
	w.text()
	w.b = appendTime(w.b, t, f.or(formatDateTime))
}

// appendXMLText writes s escaped for text and attributes alike. Line ends are
// escaped, since readers would normalise them; what XML cannot hold becomes the
// replacement character.
func appendXMLText(b []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&#34;"...)
		case r == '\t' || r == '\n' || r == '\r':
			b = append(append(append(b, "&#"...), strconv.Itoa(int(r))...), ';')
		case r < ' ' || r == 0xfffe || r == 0xffff:
			b = append(b, "\ufffd"...)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			b = append(b, "\ufffd"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// queryResponse encodes awsQuery's answer: the output within <Result> within
// <Response>, and the request's id.
func (c *Call) queryResponse(b []byte, v reflect.Value, requestID string) []byte {
	w := xmlWriter{b: b}
	response, result := c.op.name+"Response", c.op.name+"Result"
	w.start(response, xmlSpace{uri: c.router.api.Namespace})
	w.start(result, xmlSpace{})
	encoder{w: &w}.structure(c.op.out.shape, v)
	w.end(result)
	w.start("ResponseMetadata", xmlSpace{})
	w.element("RequestId", requestID)
	w.end("ResponseMetadata")
	w.end(response)
	return w.b
}

// xml encodes an error: S3's <Error>, or <ErrorResponse> around it.
func (a *answer) xml(p Protocol, namespace, requestID string) []byte {
	var w xmlWriter
	if p == RestXML {
		w.b = append(w.b, xmlHeader...)
	} else {
		w.start("ErrorResponse", xmlSpace{uri: namespace})
	}
	w.start("Error", xmlSpace{})
	if p == Query {
		w.element("Type", a.kind)
	}
	w.element("Code", a.code)
	w.element("Message", a.message)
	for _, m := range a.members {
		w.element(m.name, m.value)
	}
	if p == RestXML {
		w.element("RequestId", requestID)
		w.end("Error")
		return w.b
	}
	w.end("Error")
	w.element("RequestId", requestID)
	w.end("ErrorResponse")
	return w.b
}
