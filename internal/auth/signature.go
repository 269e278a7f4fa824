package auth

import (
	"net/http"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	// basicTime is ISO 8601's basic form, the only one SigV4 dates come in.
	basicTime = "20060102T150405Z"
	// maxClaim bounds a credential, a list of headers or a token; a token of
	// AWS's own may have 4 KiB.
	maxClaim = 8 << 10
)

// Signature is what a request claims about itself. Nothing of it is true before
// an Admission has verified it.
type Signature struct {
	AccessKeyID string
	// Token is the session token, "" for none.
	Token string
	// Region and Service are the scope's; Day is its YYYYMMDD.
	Day, Region, Service string
	// Date is when the request was signed.
	Date time.Time
	// Presigned says that the signature is in the query; Expires is then how long
	// after Date it is good for, 0 when the query does not say.
	Presigned bool
	Expires   time.Duration

	stamp   string // Date as it is signed
	scope   string // "20150830/us-east-1/iam/aws4_request"
	headers string // "content-type;host;x-amz-date"
	mac     string // 64 hexadecimal digits
}

// Parse reads the signature of a request from its Authorization header or, for a
// presigned URL, its query. The error is a *Refusal, whose Reason is Missing when
// the request has neither.
func Parse(r *http.Request) (Signature, error) {
	header, presigned := r.Header["Authorization"], isPresigned(r.URL.RawQuery)
	switch {
	case len(header) == 1 && !presigned:
		return parseHeader(header[0], r.Header)
	case len(header) == 0 && presigned:
		return parseQuery(r.URL.RawQuery)
	case len(header) == 0:
		return Signature{}, &Refusal{Reason: Missing}
	}
	return Signature{}, malformed(presigned, "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "+
		"Signature query string parameter or the Authorization header should be specified")
}

// setCredential splits keyid/date/region/service/term. The key id may hold no slash.
func (s *Signature) setCredential(credential string) *Refusal {
	key, scope, _ := strings.Cut(credential, "/")
	parts := strings.Split(scope, "/")
	if len(parts) != 4 || key == "" {
		return malformed(s.Presigned, "Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%.200s'", credential)
	}
	if parts[3] != terminator {
		return malformed(s.Presigned, "Credential should be scoped with a valid terminator: '%s', not '%.200s'.", terminator, parts[3])
	}
	s.AccessKeyID, s.scope = key, scope
	s.Day, s.Region, s.Service = parts[0], parts[1], parts[2]
	return nil
}

// setDate reads the date in its signed form and holds the scope's day against it.
func (s *Signature) setDate(stamp string) *Refusal {
	date, err := time.Parse(basicTime, stamp)
	if err != nil || len(stamp) != len(basicTime) { // Parse lets fractions of a second pass
		return malformed(s.Presigned, "Date must be in ISO-8601 'basic format'. Got '%.200s'. "+
			"See http://en.wikipedia.org/wiki/ISO_8601", stamp)
	}
	if s.Day != stamp[:8] {
		return &Refusal{Reason: WrongScope, query: s.Presigned, detail: "Date in Credential scope does not match YYYYMMDD " +
			"from ISO-8601 version of date from HTTP: '" + clip(s.Day) + "' != '" + stamp[:8] + "', from '" + stamp + "'."}
	}
	s.Date, s.stamp = date, stamp
	return nil
}

// signs says whether the header name, in any case, is among the signed ones.
func (s *Signature) signs(name string) bool {
	for rest := s.headers; rest != ""; {
		var h string
		if h, rest, _ = strings.Cut(rest, ";"); strings.EqualFold(h, name) {
			return true
		}
	}
	return false
}

// clip bounds what an error message repeats of a request.
func clip(s string) string { return s[:min(len(s), 200)] }
