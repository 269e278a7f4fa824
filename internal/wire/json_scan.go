package wire

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// peek passes over white space and gives the next byte, or 0 at the end.
func (r *jsonReader) peek() byte {
	for r.pos < len(r.b) {
		switch c := r.b[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

func (r *jsonReader) literal(word string) bool {
	if len(r.b)-r.pos < len(word) || string(r.b[r.pos:r.pos+len(word)]) != word {
		return false
	}
	r.pos += len(word)
	return true
}

// number reads the bytes of a number in JSON's grammar.
func (r *jsonReader) number(want string) ([]byte, error) {
	if c := r.peek(); c != '-' && (c < '0' || c > '9') {
		return nil, r.mismatch(want)
	}
	start := r.pos
	if r.b[r.pos] == '-' {
		r.pos++
	}
	whole := r.digits()
	ok := whole == 1 || whole > 1 && r.b[r.pos-whole] != '0'
	if ok && r.at('.') {
		r.pos++
		ok = r.digits() > 0
	}
	if ok && (r.at('e') || r.at('E')) {
		r.pos++
		if r.at('+') || r.at('-') {
			r.pos++
		}
		ok = r.digits() > 0
	}
	if !ok {
		return nil, malformedf("a number is malformed at offset %d", start)
	}
	return r.b[start:r.pos], nil
}

func (r *jsonReader) at(c byte) bool { return r.pos < len(r.b) && r.b[r.pos] == c }

func (r *jsonReader) digits() int {
	start := r.pos
	for r.pos < len(r.b) && '0' <= r.b[r.pos] && r.b[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - start
}

// text reads a string from its opening quote on. The bytes are the body's own
// unless the string has escapes.
func (r *jsonReader) text() ([]byte, error) {
	start := r.pos + 1
	for i := start; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			r.pos = i + 1
			return valid(r.b[start:i])
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			return nil, malformedf("a string has an unescaped control character at offset %d", i)
		}
	}
	return nil, malformedf("the document ends inside a string")
}

// escaped reads on from the first backslash, at i, of the string that began at start.
func (r *jsonReader) escaped(start, i int) ([]byte, error) {
	out := append(make([]byte, 0, i-start+32), r.b[start:i]...)
	for i < len(r.b) {
		c := r.b[i]
		switch {
		case c == '"':
			r.pos = i + 1
			return valid(out)
		case c < ' ':
			return nil, malformedf("a string has an unescaped control character at offset %d", i)
		case c != '\\':
			out = append(out, c)
			i++
			continue
		}
		if i+1 >= len(r.b) {
			break
		}
		if r.b[i+1] == 'u' {
			u, n := r.unicode(i)
			if n == 0 {
				return nil, malformedf("a string has a malformed escape at offset %d", i)
			}
			out = utf8.AppendRune(out, u)
			i += n
			continue
		}
		plain, ok := unescape(r.b[i+1])
		if !ok {
			return nil, malformedf("a string has a malformed escape at offset %d", i)
		}
		out = append(out, plain)
		i += 2
	}
	return nil, malformedf("the document ends inside a string")
}

// unicode reads the \uXXXX at i, or a surrogate pair of two, and how long it is;
// half a pair becomes the replacement character.
func (r *jsonReader) unicode(i int) (rune, int) {
	hi, ok := r.hex4(i + 2)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(hi) {
		return hi, 6
	}
	if i+7 < len(r.b) && r.b[i+6] == '\\' && r.b[i+7] == 'u' {
		if lo, ok := r.hex4(i + 8); ok {
			if c := utf16.DecodeRune(hi, lo); c != utf8.RuneError {
				return c, 12
			}
		}
	}
	return utf8.RuneError, 6
}

func (r *jsonReader) hex4(i int) (rune, bool) {
	if i+4 > len(r.b) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.b[i:i+4]), 16, 16)
	return rune(n), err == nil
}

func unescape(c byte) (byte, bool) {
	switch c {
	case '"', '\\', '/':
		return c, true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

func valid(b []byte) ([]byte, error) {
	if !utf8.Valid(b) {
		return nil, malformedf("a string is not valid UTF-8")
	}
	return b, nil
}

// mismatch says in AWS's words what was found instead of what the model wants.
func (r *jsonReader) mismatch(want string) error {
	found := ""
	switch c := r.peek(); {
	case c == '"':
		found = "STRING_VALUE"
	case c == '{':
		return malformedf("Start of structure or map found where not expected: the member is %s", want)
	case c == '[':
		return malformedf("Start of list found where not expected: the member is %s", want)
	case c == 't':
		found = "TRUE_VALUE"
	case c == 'f':
		found = "FALSE_VALUE"
	case c == 'n':
		found = "NULL_VALUE"
	case c == '-' || '0' <= c && c <= '9':
		found = "NUMBER_VALUE"
	default:
		return r.unexpected("where a value was expected")
	}
	return malformedf("%s can not be converted to %s", found, want)
}

func (r *jsonReader) unexpected(where string) error {
	if r.pos >= len(r.b) {
		return malformedf("the document ends %s", where)
	}
	return malformedf("unexpected character %q %s, at offset %d", r.b[r.pos], where, r.pos)
}
