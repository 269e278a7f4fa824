package auth

import (
	"bytes"
	"net/http"
	"path"
	"slices"
	"strings"
)

// appendCanonical appends the canonical request that s is a signature of:
//
//	METHOD \n path \n query \n name:value\n... \n signed;headers \n payload hash
func appendCanonical(b []byte, r *http.Request, s *Signature, path, payload string) []byte {
	b = append(append(b, r.Method...), '\n')
	b = append(appendPath(b, path, s.Service), '\n')
	b = append(appendQuery(b, r.URL.RawQuery, s.Presigned), '\n')
	for rest := s.headers; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, ";")
		b = append(append(b, name...), ':')
		b = append(appendHeader(b, r, name), '\n')
	}
	b = append(b, '\n')
	b = append(append(b, s.headers...), '\n')
	return append(b, payload...)
}

// sentPath is the path as it came over the wire, before anything decoded it.
func sentPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		p, _, _ := strings.Cut(r.RequestURI, "?")
		return p
	}
	if p := r.URL.EscapedPath(); p != "" { // an absolute-form target, or a request made by hand
		return p
	}
	return "/"
}

// normalPath is p without its empty and dot segments; a final slash stays.
func normalPath(p string) string {
	if !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return p
	}
	clean := path.Clean(p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		clean += "/"
	}
	return clean
}

// appendPath appends the canonical path. S3's is the key in its one encoding; for
// everyone else what was sent is encoded again, percent signs included.
func appendPath(b []byte, p, service string) []byte {
	for i := 0; i < len(p); i++ {
		c := p[i]
		if service == serviceS3 {
			if d, ok := unhex(p, i); ok {
				c = d
				i += 2
				if c == '/' { // not a separator: it was sent as %2F, so it stays that
					b = append(b, "%2F"...)
					continue
				}
			}
		}
		if c == '/' {
			b = append(b, c)
			continue
		}
		b = appendEncoded(b, c)
	}
	return b
}

// appendQuery appends the canonical query: each name and value in its one encoding,
// sorted by name, then by value. A presigned URL's own signature is left out.
func appendQuery(b []byte, query string, presigned bool) []byte {
	if query == "" {
		return b
	}
	type param struct{ name, value []byte }
	params := make([]param, 0, 16)
	buf := make([]byte, 0, 3*len(query)) // never grows: slices of it are kept
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		start := len(buf)
		buf = appendParam(buf, name)
		mid := len(buf)
		buf = appendParam(buf, value)
		if presigned && string(buf[start:mid]) == "X-Amz-Signature" {
			continue
		}
		params = append(params, param{buf[start:mid], buf[mid:]})
	}
	slices.SortFunc(params, func(x, y param) int {
		if c := bytes.Compare(x.name, y.name); c != 0 {
			return c
		}
		return bytes.Compare(x.value, y.value)
	})
	for i, p := range params {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	return b
}

// appendParam brings one side of a parameter to its one encoding. A plus is a space,
// as in every form.
func appendParam(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if d, ok := unhex(s, i); ok {
			c = d
			i += 2
		} else if c == '+' {
			c = ' '
		}
		b = appendEncoded(b, c)
	}
	return b
}

// appendHeader appends the canonical value of a header by its lower-case name: all
// its values, joined with commas. net/http keeps a few headers elsewhere.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	switch name {
	case "host", ":authority":
		return appendTrimmed(b, r.Host)
	case "transfer-encoding":
		return append(b, strings.Join(r.TransferEncoding, ",")...)
	}
	var canonical [64]byte
	values := r.Header[string(appendMIME(canonical[:0], name))] // the conversion does not allocate
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, v)
	}
	return b
}

// appendMIME appends a lower-case header name as http.Header's keys spell it.
func appendMIME(b []byte, name string) []byte {
	upper := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
		upper = c == '-'
	}
	return b
}

// appendTrimmed appends v without spaces around it, runs of spaces as one.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	for i := 0; i < len(v); i++ {
		if v[i] == ' ' && v[i-1] == ' ' { // v does not begin with a space
			continue
		}
		b = append(b, v[i])
	}
	return b
}

const upperHex = "0123456789ABCDEF"

// appendEncoded appends c, percent-encoded unless RFC 3986 calls it unreserved.
func appendEncoded(b []byte, c byte) []byte {
	if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
		return append(b, c)
	}
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

// unhex reads a percent-encoded byte at s[i:]; a percent sign without two digits
// stands for itself.
func unhex(s string, i int) (byte, bool) {
	if s[i] != '%' || i+2 >= len(s) {
		return 0, false
	}
	hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
	return hi<<4 | lo&15, hi < 16 && lo < 16
}

// hexDigit is the value of a hexadecimal digit; 255 for anything else.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
