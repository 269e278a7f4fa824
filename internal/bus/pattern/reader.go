package pattern

import (
	"bytes"
	"encoding/json"
)

// reader walks over JSON that is known to be valid.
type reader struct {
	b []byte
	i int
}

// peek gives the first byte of the next token.
func (r *reader) peek() byte {
	for r.i < len(r.b) {
		switch c := r.b[r.i]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			r.i++
		default:
			return c
		}
	}
	return 0
}

// enter steps into an object or array.
func (r *reader) enter() {
	r.peek()
	r.i++
}

// more says whether the object or array has another element; if not, it steps out.
func (r *reader) more() bool {
	if c := r.peek(); c == '}' || c == ']' || c == 0 {
		r.i++
		return false
	}
	return true
}

// str reads a string and gives what is between its quotes.
func (r *reader) str() (raw []byte, escaped bool) {
	r.peek()
	r.i++
	start := r.i
	for {
		at := bytes.IndexByte(r.b[r.i:], '"')
		if slash := bytes.IndexByte(r.b[r.i:r.i+at], '\\'); slash >= 0 {
			escaped = true
			r.i += slash + 2
			continue
		}
		raw = r.b[start : r.i+at]
		r.i += at + 1
		return raw, escaped
	}
}

// text reads a string.
func (r *reader) text() string {
	r.peek()
	start := r.i
	raw, escaped := r.str()
	if !escaped {
		return string(raw)
	}
	return unquote(r.b[start:r.i])
}

func unquote(quoted []byte) (s string) {
	if json.Unmarshal(quoted, &s) != nil {
		return ""
	}
	return s
}

// literal reads a number, true, false or null.
func (r *reader) literal() []byte {
	r.peek()
	start := r.i
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\t', '\r', '\n', ',', ']', '}':
			return r.b[start:r.i]
		}
		r.i++
	}
	return r.b[start:]
}

// skip passes over a value.
func (r *reader) skip() {
	for depth := 0; ; {
		switch r.peek() {
		case '{', '[':
			depth++
			r.i++
		case '}', ']':
			depth--
			r.i++
		case '"':
			r.str()
		case 0:
			return
		default:
			r.literal()
		}
		if depth == 0 {
			return
		}
	}
}
