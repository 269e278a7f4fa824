package auth

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// skew is how far a request's date may be from the clock; S3 is more patient.
	skew   = 5 * time.Minute
	skewS3 = 15 * time.Minute
	// presignedLife is the life of a presigned URL that names none, which S3 does
	// not take and the others do.
	presignedLife = 15 * time.Minute
	// homeRegion is the region that services without regions are signed for.
	homeRegion = "us-east-1"
)

// global are the services whose requests AWS's own endpoints take for homeRegion.
var global = map[string]bool{"iam": true, "sts": true, "organizations": true}

func (v *Verifier) checkScope(s *Signature, service string) *Refusal {
	regionOK := s.Region == v.region || global[service] && s.Region == homeRegion
	if regionOK && s.Service == service {
		return nil
	}
	refusal := &Refusal{Reason: WrongScope, query: s.Presigned}
	start := "the "
	if s.Presigned {
		start = "Error parsing the X-Amz-Credential parameter; the "
	}
	if !regionOK {
		refusal.detail = "Credential should be scoped to a valid region, not '" + clip(s.Region) + "'. "
		refusal.s3 = start + "region '" + clip(s.Region) + "' is wrong; expecting '" + v.region + "'"
		refusal.fields = map[string]string{"Region": v.region} // S3's clients sign again for it
		return refusal
	}
	refusal.detail = "Credential should be scoped to correct service: '" + service + "'. "
	refusal.s3 = start + "service '" + clip(s.Service) + "' is wrong; expecting '" + service + "'"
	return refusal
}

func (v *Verifier) checkDate(s *Signature) *Refusal {
	now := v.clock.Now().UTC()
	patience, life := skew, skew
	if s.Service == serviceS3 {
		patience, life = skewS3, skewS3
	}
	late := Stale
	if s.Presigned {
		late, life = Expired, s.Expires
		if life == 0 {
			life = presignedLife
		}
	}
	stamp := func(t time.Time) string { return t.Format(basicTime) }
	if latest := now.Add(patience); s.Date.After(latest) {
		return &Refusal{Reason: Stale, query: s.Presigned, detail: fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %s)",
			s.stamp, stamp(latest), stamp(now), inWords(patience))}
	}
	if earliest := now.Add(-life); s.Date.Before(earliest) {
		return &Refusal{Reason: late, query: s.Presigned, detail: fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s)",
			s.stamp, stamp(earliest), stamp(now), inWords(life)), fields: expiry(s, now)}
	}
	return nil
}

// expiry are the members of S3's answer to an expired URL.
func expiry(s *Signature, now time.Time) map[string]string {
	if !s.Presigned {
		return nil
	}
	return map[string]string{
		"X-Amz-Expires": fmt.Sprint(int(s.Expires.Seconds())),
		"Expires":       s.Date.Add(s.Expires).Format(time.RFC3339),
		"ServerTime":    now.Format(time.RFC3339),
	}
}

func inWords(d time.Duration) string {
	if d%time.Minute != 0 {
		return fmt.Sprintf("%d sec.", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min.", int(d.Minutes()))
}

// checkHeaders sees that all that must be under the signature is: the host, and
// every X-Amz- header, so that none can be added on the way. A session token
// outside the signature is bound to the access key anyway, and SDKs for other
// services than S3 have sent it so.
func checkHeaders(h http.Header, s *Signature) *Refusal {
	if !s.signs("host") && !s.signs(":authority") {
		return &Refusal{Reason: NotSigned, query: s.Presigned,
			detail: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	for name := range h {
		if !strings.HasPrefix(name, "X-Amz-") || s.signs(name) {
			continue
		}
		if name == "X-Amz-Security-Token" && s.Service != serviceS3 {
			continue
		}
		return &Refusal{Reason: NotSigned, query: s.Presigned,
			detail: "'" + name + "' must be a 'SignedHeader' in the AWS Authorization.",
			fields: map[string]string{"HeadersNotSigned": strings.ToLower(name)}}
	}
	return nil
}
