package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/clock"
)

// serviceS3 is the service with rules of its own.
const serviceS3 = "s3"

// maxBuffer is the largest buffer kept for the next canonical request.
const maxBuffer = 64 << 10

// Config is what a Verifier needs.
type Config struct {
	// Keys finds the credentials.
	Keys Keys
	// Region is this node's, the one that requests must be signed for.
	Region string
	// Clock tells the time; nil for the machine's.
	Clock clock.Clock
}

// Verifier checks signatures. It is safe for concurrent use.
type Verifier struct {
	keys    Keys
	region  string
	clock   clock.Clock
	signing *signingKeys
	buffers sync.Pool // of *[]byte, for canonical requests
}

// NewVerifier makes a Verifier.
func NewVerifier(c Config) *Verifier {
	v := &Verifier{keys: c.Keys, region: c.Region, clock: c.Clock, signing: newSigningKeys()}
	if v.clock == nil {
		v.clock = clock.System
	}
	v.buffers.New = func() any { b := make([]byte, 0, 2<<10); return &b }
	return v
}

// Authenticate does all the steps for a service whose requests have small bodies:
// it says who signed r, whose whole body is body. A refusal is a *Refusal; any
// other error is a fault of ours.
func (v *Verifier) Authenticate(r *http.Request, service string, body []byte) (Principal, error) {
	s, err := Parse(r)
	if err != nil {
		return Principal{}, err
	}
	a, err := v.Admit(r, s, service)
	if err != nil {
		return Principal{}, err
	}
	return a.Verify(body)
}

// Admit checks all that can be checked before the body has been read: that s is made
// for service and this region, now, over the headers that matter, by a key that
// is known. The errors are Authenticate's.
func (v *Verifier) Admit(r *http.Request, s Signature, service string) (*Admission, error) {
	if refusal := v.checkScope(&s, service); refusal != nil {
		return nil, refusal
	}
	if refusal := v.checkDate(&s); refusal != nil {
		return nil, refusal
	}
	if refusal := checkHeaders(r.Header, &s); refusal != nil {
		return nil, refusal
	}
	cred, err := v.credential(r.Context(), &s)
	if err != nil {
		return nil, err
	}
	return &Admission{v: v, r: r, s: s, cred: cred}, nil
}

// Admission is a request that may have its body read, and nothing more: whose it is
// is not said before the signature has matched.
type Admission struct {
	v    *Verifier
	r    *http.Request
	s    Signature
	cred Credential
}

// Verify checks the signature with the whole body of the request and says whose it
// is. Requests for S3 go to Open instead. The errors are Authenticate's.
//
// When the path was signed in its normalised form, the request's URL is changed to
// that form, for that is what the caller asked for.
func (a *Admission) Verify(body []byte) (Principal, error) {
	sum := sha256.Sum256(body)
	var digest [2 * sha256.Size]byte
	hex.Encode(digest[:], sum[:])
	if _, err := a.v.match(a.r, &a.s, a.cred.Secret, string(digest[:])); err != nil {
		return Principal{}, err
	}
	return a.cred.Principal, nil
}

func (v *Verifier) credential(ctx context.Context, s *Signature) (Credential, error) {
	cred, err := v.keys.Secret(ctx, s.AccessKeyID, s.Token)
	switch {
	case err == nil:
		return cred, nil
	case errors.Is(err, ErrUnknownKey):
		return cred, &Refusal{Reason: UnknownKey}
	case errors.Is(err, ErrInvalidToken):
		return cred, &Refusal{Reason: InvalidToken}
	case errors.Is(err, ErrExpiredToken):
		return cred, &Refusal{Reason: ExpiredToken}
	}
	return cred, fmt.Errorf("find access key: %w", err)
}

// match computes the signature of r with the claimed headers and payload hash and
// compares. It returns the signing key, which chunk signatures are made with too.
func (v *Verifier) match(r *http.Request, s *Signature, secret, payload string) ([sha256.Size]byte, error) {
	scope := keyScope{s.AccessKeyID, s.Day, s.Region, s.Service}
	key, fresh := v.signing.of(secret, scope)
	sent := sentPath(r)
	ok := v.matches(r, s, key, sent, payload)
	if normal := normalPath(sent); !ok && s.Service != serviceS3 && normal != sent {
		if ok = v.matches(r, s, key, normal, payload); ok {
			if err := setPath(r.URL, normal); err != nil {
				return key, &Refusal{Reason: Mismatch}
			}
		}
	}
	if !ok {
		return key, &Refusal{Reason: Mismatch}
	}
	if fresh {
		v.signing.remember(secret, scope, key)
	}
	return key, nil
}

// setPath replaces the path of u by an encoded one.
func setPath(u *url.URL, encoded string) error {
	p, err := url.PathUnescape(encoded)
	if err != nil {
		return fmt.Errorf("decode path: %w", err)
	}
	u.Path, u.RawPath = p, encoded
	return nil
}

func (v *Verifier) matches(r *http.Request, s *Signature, key [sha256.Size]byte, path, payload string) bool {
	buf := v.buffers.Get().(*[]byte)
	b := appendCanonical((*buf)[:0], r, s, path, payload)
	digest := sha256.Sum256(b)
	b = append(b[:0], algorithm+"\n"...)
	b = append(append(b, s.stamp...), '\n')
	b = append(append(b, s.scope...), '\n')
	b = hex.AppendEncode(b, digest[:])
	sum := sign(key[:], b)
	want := hex.AppendEncode(b[:0], sum[:])
	ok := subtle.ConstantTimeCompare(want, []byte(s.mac)) == 1
	if cap(b) <= maxBuffer {
		*buf = b
		v.buffers.Put(buf)
	}
	return ok
}
