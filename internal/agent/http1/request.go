package http1

import "bytes"

// Request is the head of a request.
type Request struct {
	Method []byte
	// Path is the request's target without its query; it starts with a slash.
	Path []byte
	// Close says that the connection ends with this request's answer.
	Close bool

	fields [maxFields]field
	n      int
}

type field struct{ name, value []byte }

// Get gives the value of the first header of that name, in any case. It is
// empty where there is none.
func (r *Request) Get(name string) []byte {
	for i := range r.n {
		if equalFold(r.fields[i].name, name) {
			return r.fields[i].value
		}
	}
	return nil
}

// parse reads a head that ends with a blank line.
func (r *Request) parse(head []byte) error {
	r.n, r.Close = 0, false
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if err := r.parseLine(line); err != nil {
		return err
	}
	var err error
	if r.n, err = parseFields(r.fields[:], rest); err != nil {
		return err
	}
	if v := r.Get("Connection"); v != nil {
		if hasToken(v, "close") {
			r.Close = true
		} else if hasToken(v, "keep-alive") {
			r.Close = false
		}
	}
	return nil
}

// parseLine reads "METHOD /path?query HTTP/1.x".
func (r *Request) parseLine(line []byte) error {
	method, rest, ok := bytes.Cut(line, []byte{' '})
	target, version, ok2 := bytes.Cut(rest, []byte{' '})
	if !ok || !ok2 || !isToken(method) {
		return ErrMalformed
	}
	switch string(version) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		r.Close = true
	default:
		return ErrMalformed
	}
	if len(target) == 0 || target[0] != '/' {
		return ErrMalformed
	}
	for _, b := range target {
		if b <= ' ' || b >= 0x7f {
			return ErrMalformed
		}
	}
	r.Method = method
	r.Path, _, _ = bytes.Cut(target, []byte{'?'})
	return nil
}

// parseFields reads "Name: value" lines up to the blank line into fs, and
// returns how many there were.
func parseFields(fs []field, b []byte) (int, error) {
	n := 0
	for {
		line, rest, ok := bytes.Cut(b, []byte("\r\n"))
		if !ok {
			return 0, ErrMalformed
		}
		if len(line) == 0 {
			return n, nil
		}
		if n == len(fs) {
			return 0, ErrTooLarge
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok || !isToken(name) {
			return 0, ErrMalformed
		}
		value = trim(value)
		for _, c := range value {
			if c < ' ' && c != '\t' || c == 0x7f {
				return 0, ErrMalformed
			}
		}
		fs[n] = field{name, value}
		n++
		b = rest
	}
}

// isToken says whether b is an RFC 9110 token: one or more of these bytes.
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c > ' ' && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}

// hasToken says whether a comma-separated list has the (lower-case) token.
func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var one []byte
		one, list, _ = bytes.Cut(list, []byte{','})
		if equalFold(trim(one), token) {
			return true
		}
	}
	return false
}

func trim(b []byte) []byte { return bytes.Trim(b, " \t") }

// equalFold compares ASCII without regard to case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
