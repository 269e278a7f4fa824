package wire

import (
	"math"
	"strconv"
	"time"
)

// jsonReader reads a JSON text in place. The standard library's decoder cannot be
// led by a shape without a token, and so an allocation or two, for every name and
// value; this one looks a member up by the bytes that are there.
type jsonReader struct {
	b     []byte
	pos   int
	first bool // nothing was read yet of the object or array that was just entered
	names bool // jsonName is honoured (restJson1)
}

// end checks that only white space is left.
func (r *jsonReader) end() error {
	if c := r.peek(); c != 0 || r.pos < len(r.b) {
		return r.unexpected("after the end of the document")
	}
	return nil
}

func (r *jsonReader) null() bool {
	if r.peek() != 'n' || !r.literal("null") {
		return false
	}
	return true
}

func (r *jsonReader) enterStruct() error {
	if r.peek() != '{' {
		return r.mismatch("a structure")
	}
	r.pos++
	r.first = true
	return nil
}

func (r *jsonReader) nextMember(s *shape) (*member, error) {
	names := s.byName
	if r.names {
		names = s.byJSON
	}
	for {
		key, ok, err := r.key()
		if !ok || err != nil {
			return nil, err
		}
		if m := names[string(key)]; m != nil {
			return m, nil
		}
		if err := r.skip(); err != nil {
			return nil, err
		}
	}
}

func (r *jsonReader) enterMap(*member) error {
	if r.peek() != '{' {
		return r.mismatch("a map")
	}
	r.pos++
	r.first = true
	return nil
}

func (r *jsonReader) nextKey() (string, bool, error) {
	key, ok, err := r.key()
	return string(key), ok, err
}

// key reads the name of an object's next member and the colon, or the object's end.
func (r *jsonReader) key() ([]byte, bool, error) {
	c := r.peek()
	if c == '}' {
		r.pos++
		r.first = false
		return nil, false, nil
	}
	if !r.first {
		if c != ',' {
			return nil, false, r.unexpected("where a comma or a closing brace was expected")
		}
		r.pos++
		c = r.peek()
	}
	r.first = false
	if c != '"' {
		return nil, false, r.unexpected("where a member's name was expected")
	}
	key, err := r.text()
	if err != nil {
		return nil, false, err
	}
	if r.peek() != ':' {
		return nil, false, r.unexpected("where a colon was expected")
	}
	r.pos++
	return key, true, nil
}

func (r *jsonReader) enterList(*member) error {
	if r.peek() != '[' {
		return r.mismatch("a list")
	}
	r.pos++
	r.first = true
	return nil
}

func (r *jsonReader) nextItem() (bool, error) {
	c := r.peek()
	if c == ']' {
		r.pos++
		r.first = false
		return false, nil
	}
	if !r.first {
		if c != ',' {
			return false, r.unexpected("where a comma or a closing bracket was expected")
		}
		r.pos++
	}
	r.first = false
	return true, nil
}

func (r *jsonReader) str() (string, error) {
	if r.peek() != '"' {
		return "", r.mismatch("a String")
	}
	b, err := r.text()
	return string(b), err
}

func (r *jsonReader) boolean() (bool, error) {
	switch c := r.peek(); {
	case c == 't' && r.literal("true"):
		return true, nil
	case c == 'f' && r.literal("false"):
		return false, nil
	}
	return false, r.mismatch("a Boolean")
}

func (r *jsonReader) integer(bits int) (int64, error) {
	want := "an Integer"
	if bits == 64 {
		want = "a Long"
	}
	start := r.pos
	tok, err := r.number(want)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(tok), 10, bits)
	if err == nil {
		return n, nil
	}
	if f, ferr := strconv.ParseFloat(string(tok), 64); ferr == nil && f == math.Trunc(f) && math.Abs(f) < float64(uint64(1)<<(min(bits, 54)-1)) {
		return int64(f), nil // 5.0 and 5e0 are integers to AWS
	}
	r.pos = start
	return 0, malformedf("the number %s can not be converted to %s", clip(tok), want)
}

func (r *jsonReader) float(bits int) (float64, error) {
	if r.peek() == '"' {
		tok, err := r.text()
		if err != nil {
			return 0, err
		}
		if f, ok := specialFloat(string(tok)); ok {
			return f, nil
		}
		return 0, malformedf("STRING_VALUE can not be converted to a Double")
	}
	tok, err := r.number("a Double")
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(tok), bits)
	if err != nil {
		return 0, malformedf("the number %s can not be converted to a Double", clip(tok))
	}
	return f, nil
}

func (r *jsonReader) blob() ([]byte, error) {
	if r.peek() != '"' {
		return nil, r.mismatch("a Blob")
	}
	tok, err := r.text()
	if err != nil {
		return nil, err
	}
	return decodeBase64(tok)
}

func (r *jsonReader) time(f timeFormat) (time.Time, error) {
	var tok []byte
	var err error
	if f = f.or(formatEpoch); f == formatEpoch {
		tok, err = r.number("a Timestamp")
	} else if r.peek() != '"' {
		return time.Time{}, r.mismatch("a Timestamp")
	} else {
		tok, err = r.text()
	}
	if err != nil {
		return time.Time{}, err
	}
	return textTime(string(tok), f)
}

// skip passes over one value of any kind, checking its form but for its depth,
// which costs nothing here beyond a bit per level.
func (r *jsonReader) skip() error {
	var arrays []bool // one per open level
	for {
		switch c := r.peek(); c {
		case '{', '[':
			if len(arrays) >= maxDepth {
				return malformedf("the value is nested more than %d levels deep", maxDepth)
			}
			r.pos++
			r.first = true
			arrays = append(arrays, c == '[')
		default:
			if err := r.scalar(c); err != nil {
				return err
			}
		}
		for { // to the next value, or out of as many levels as end here
			if len(arrays) == 0 {
				return nil
			}
			var more bool
			var err error
			if arrays[len(arrays)-1] {
				more, err = r.nextItem()
			} else {
				_, more, err = r.key()
			}
			if err != nil {
				return err
			}
			if more {
				break
			}
			arrays = arrays[:len(arrays)-1]
		}
	}
}

func (r *jsonReader) scalar(c byte) error {
	switch {
	case c == '"':
		_, err := r.text()
		return err
	case c == 't' && r.literal("true"), c == 'f' && r.literal("false"), c == 'n' && r.literal("null"):
		return nil
	case c == '-' || '0' <= c && c <= '9':
		_, err := r.number("a Double")
		return err
	}
	return r.unexpected("where a value was expected")
}
