package auth

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxExpires is the longest life of a presigned URL.
const maxExpires = 7 * 24 * time.Hour

// isPresigned says whether a query claims to carry a signature.
func isPresigned(query string) bool {
	return strings.Contains(query, "X-Amz-Algorithm=") || strings.Contains(query, "X-Amz-Signature=") ||
		strings.Contains(query, "X-Amz-Credential=")
}

// parseQuery reads a presigned URL's X-Amz-* parameters:
//
//	X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=key%2F20150830%2F...&X-Amz-Date=...
//	  &X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=...&X-Amz-Signature=...
func parseQuery(query string) (Signature, error) {
	s := Signature{Presigned: true}
	var kind, credential, stamp, expires string
	params := []struct {
		name     string
		into     *string
		optional bool
		seen     bool
	}{
		{name: "X-Amz-Algorithm", into: &kind},
		{name: "X-Amz-Credential", into: &credential},
		{name: "X-Amz-Signature", into: &s.mac},
		{name: "X-Amz-SignedHeaders", into: &s.headers},
		{name: "X-Amz-Date", into: &stamp},
		{name: "X-Amz-Expires", into: &expires, optional: true},
		{name: "X-Amz-Security-Token", into: &s.Token, optional: true},
	}
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		for i := range params {
			p := &params[i]
			if p.name != name {
				continue
			}
			text, err := url.QueryUnescape(value)
			if err != nil || p.seen || len(text) > maxClaim {
				return s, malformed(true, "AWS query-string parameter '%s' must be given once, encoded as in a URL.", name)
			}
			*p.into, p.seen = text, true
		}
	}
	var missing []string
	for _, p := range params {
		if !p.optional && *p.into == "" {
			missing = append(missing, "AWS query-string parameters must include '"+p.name+"'.")
		}
	}
	if len(missing) > 0 {
		return s, malformed(true, "%s Re-examine the query-string parameters.", strings.Join(missing, " "))
	}
	return s, s.setQuery(kind, credential, stamp, expires)
}

// setQuery takes the parameters over. It returns an error, not a *Refusal, so
// that none is nil.
func (s *Signature) setQuery(kind, credential, stamp, expires string) error {
	if kind != algorithm {
		return malformed(true, "X-Amz-Algorithm only supports \"%s\"", algorithm)
	}
	if refusal := s.setCredential(credential); refusal != nil {
		return refusal
	}
	if refusal := s.setDate(stamp); refusal != nil {
		return refusal
	}
	if expires == "" {
		return nil
	}
	seconds, err := strconv.ParseInt(expires, 10, 64)
	switch {
	case err != nil:
		return malformed(true, "X-Amz-Expires should be a number")
	case seconds < 1:
		return malformed(true, "X-Amz-Expires must be non-negative")
	case seconds > int64(maxExpires/time.Second):
		return malformed(true, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "+
			"must be less than %d seconds", maxExpires/time.Second)
	}
	s.Expires = time.Duration(seconds) * time.Second
	return nil
}
