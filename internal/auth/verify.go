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

// Verify checks that s is a signature of r, whose whole body is body, by a known key
// for service, and says whose key it is. S3's requests go to VerifyStream. A
// refusal is a *Refusal; any other error is a fault of ours.
//
// When the path was signed in its normalised form, r.URL is changed to that form.
func (v *Verifier) Verify(r *http.Request, s *Signature, service string, body []byte) (Principal, error) {
	cred, err := v.admit(r, s, service)
	if err != nil {
		return Principal{}, err
	}
	sum := sha256.Sum256(body)
	var digest [2 * sha256.Size]byte
	hex.Encode(digest[:], sum[:])
	if _, err := v.match(r, s, cred.Secret, string(digest[:])); err != nil {
		return Principal{}, err
	}
	return cred.Principal, nil
}

// admit checks all that can be checked before the signature, and finds the secret.
func (v *Verifier) admit(r *http.Request, s *Signature, service string) (Credential, error) {
	if refusal := v.checkScope(s, service); refusal != nil {
		return Credential{}, refusal
	}
	if refusal := v.checkDate(s); refusal != nil {
		return Credential{}, refusal
	}
	if refusal := checkHeaders(r.Header, s); refusal != nil {
		return Credential{}, refusal
	}
	return v.credential(r.Context(), s)
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
