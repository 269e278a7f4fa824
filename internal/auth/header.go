package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// parseHeader reads
//
//	AWS4-HMAC-SHA256 Credential=key/20150830/us-east-1/iam/aws4_request,
//	  SignedHeaders=host;x-amz-date, Signature=5d67...
//
// The parts come in any order, with or without spaces after the commas.
func parseHeader(value string, h http.Header) (Signature, error) {
	var s Signature
	kind, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if kind != algorithm {
		return s, &Refusal{Reason: Unsupported, detail: missingFromHeader(Signature{}, "", h) + " Authorization=" + clip(kind)}
	}
	if len(value) > maxClaim {
		return s, malformed(false, "Authorization header is longer than %d bytes.", maxClaim)
	}
	var credential string
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		part = strings.TrimSpace(part)
		name, val, ok := strings.Cut(part, "=")
		if !ok {
			sum := sha256.Sum256([]byte(part))
			return s, malformed(false, "Invalid key=value pair (missing equal-sign) in Authorization header "+
				"(hashed with SHA-256 and encoded with Base64): '%s'.", base64.StdEncoding.EncodeToString(sum[:]))
		}
		switch name {
		case "Credential":
			credential = val
		case "SignedHeaders":
			s.headers = val
		case "Signature":
			s.mac = val
		}
	}
	s.Token = h.Get("X-Amz-Security-Token")
	stamp := dateOf(h)
	if missing := missingFromHeader(s, credential, h); missing != "" {
		return s, malformed(false, "%s", missing)
	}
	if refusal := s.setCredential(credential); refusal != nil {
		return s, refusal
	}
	if refusal := s.setDate(stamp); refusal != nil {
		return s, refusal
	}
	return s, nil
}

// missingFromHeader lists all that an Authorization header lacks, in the words AWS
// uses; "" if it is complete.
func missingFromHeader(s Signature, credential string, h http.Header) string {
	if credential != "" && s.mac != "" && s.headers != "" && dateOf(h) != "" {
		return ""
	}
	var missing []string
	for _, part := range []struct{ name, value string }{
		{"Credential", credential}, {"Signature", s.mac}, {"SignedHeaders", s.headers},
	} {
		if part.value == "" {
			missing = append(missing, "Authorization header requires '"+part.name+"' parameter.")
		}
	}
	if dateOf(h) == "" {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return strings.Join(missing, " ")
}

// dateOf is the date a header signature was made with, in its basic form:
// X-Amz-Date, or else Date, which may also be in HTTP's own form.
func dateOf(h http.Header) string {
	if d := h["X-Amz-Date"]; len(d) > 0 {
		return strings.TrimSpace(d[0])
	}
	date := h.Get("Date")
	if t, err := http.ParseTime(date); err == nil {
		return t.UTC().Format(basicTime)
	}
	return date
}
