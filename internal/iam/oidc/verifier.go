package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/sync/singleflight"

	"github.com/mayfly-cloud/mayfly/internal/clock"
)

const (
	// maxToken bounds a token, in bytes, as AWS does.
	maxToken = 20000
	// keysKept is how long an issuer's keys are used without asking again.
	keysKept = time.Hour
	// keysAgain is how soon they may be asked for again.
	keysAgain = time.Minute
	// failedAgain is how soon they may be asked for again where they could not be had.
	failedAgain = 5 * time.Second
	// maxIssuers bounds how many issuers' keys are kept.
	maxIssuers = 256
	// leeway is how far an issuer's clock may be ahead of ours.
	leeway = 5 * time.Minute
)

// algorithms are those of asymmetric keys; a token signed with another, or with
// none, is refused before its key is looked for.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512,
}

var (
	// ErrInvalid says that a token proves nothing.
	ErrInvalid = errors.New("the token is not valid")
	// ErrExpired says that a token was good and is no longer.
	ErrExpired = errors.New("the token has expired")
	// ErrUnreachable says that the issuer's keys could not be had.
	ErrUnreachable = errors.New("the issuer's keys could not be fetched")
)

// Claims are what a token says, proven by its signature.
type Claims struct {
	Issuer, Subject string
	Audience        []string
	// Party is the client the token was made for (azp), where that is not the audience.
	Party   string
	Methods []string // how the subject was authenticated (amr)
	Expires time.Time
	// Raw are all claims, for those of a provider's own.
	Raw map[string]json.RawMessage
}

// Config is what a Verifier is built from. All of it may be zero.
type Config struct {
	// Client fetches keys; the default has limits on time and redirects.
	Client *http.Client
	Clock  clock.Clock
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	client *http.Client
	clock  clock.Clock
	flight singleflight.Group

	mu    sync.Mutex
	known map[string]keySet // by issuer
}

// keySet are an issuer's keys as they were at a time, and when they could not be had
// last, and why.
type keySet struct {
	keys            jose.JSONWebKeySet
	fetched, failed time.Time
	err             error
}

// New makes a Verifier.
func New(c Config) *Verifier {
	v := &Verifier{client: c.Client, clock: c.Clock, known: map[string]keySet{}}
	if v.client == nil {
		v.client = newClient()
	}
	if v.clock == nil {
		v.clock = clock.System
	}
	return v
}

// Issuer says who a token claims to be from, before anything is proven.
func Issuer(token string) (string, error) {
	_, claims, err := parse(token)
	return claims.Issuer, err
}

func parse(token string) (*jwt.JSONWebToken, jwt.Claims, error) {
	var claims jwt.Claims
	if len(token) > maxToken {
		return nil, claims, fmt.Errorf("%w: it has more than %d bytes", ErrInvalid, maxToken)
	}
	t, err := jwt.ParseSigned(token, algorithms)
	if err != nil || len(t.Headers) != 1 {
		return nil, claims, fmt.Errorf("%w: it is not a signed JWT of a known algorithm", ErrInvalid)
	}
	if err := t.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return nil, claims, fmt.Errorf("%w: its claims cannot be read", ErrInvalid)
	}
	return t, claims, nil
}

// Verify proves that a token is issuer's and counts now, and says what it claims.
// The errors are ErrInvalid, ErrExpired and ErrUnreachable.
func (v *Verifier) Verify(ctx context.Context, token, issuer string) (*Claims, error) {
	t, claimed, err := parse(token)
	if err != nil {
		return nil, err
	}
	if claimed.Issuer != issuer {
		return nil, fmt.Errorf("%w: it is of another issuer", ErrInvalid)
	}
	key, err := v.key(ctx, issuer, t.Headers[0])
	if err != nil {
		return nil, err
	}
	var claims struct {
		jwt.Claims
		Party   string    `json:"azp"`
		Methods stringSet `json:"amr"`
	}
	raw := map[string]json.RawMessage{}
	if err := t.Claims(key, &claims, &raw); err != nil {
		return nil, fmt.Errorf("%w: its signature does not match", ErrInvalid)
	}
	now := v.clock.Now()
	switch {
	case claims.Subject == "" || claims.Expiry == nil || claims.IssuedAt == nil:
		return nil, fmt.Errorf("%w: sub, exp or iat is missing", ErrInvalid)
	case !now.Before(claims.Expiry.Time()):
		return nil, ErrExpired
	case now.Add(leeway).Before(claims.IssuedAt.Time()), claims.NotBefore != nil && now.Add(leeway).Before(claims.NotBefore.Time()):
		return nil, fmt.Errorf("%w: it is of the future", ErrInvalid)
	}
	return &Claims{
		Issuer: issuer, Subject: claims.Subject, Audience: claims.Audience, Party: claims.Party,
		Methods: claims.Methods, Expires: claims.Expiry.Time(), Raw: raw,
	}, nil
}

// stringSet reads one text or a list of them.
type stringSet []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *stringSet) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*s = []string{""}
		return json.Unmarshal(b, &(*s)[0])
	}
	return json.Unmarshal(b, (*[]string)(s))
}

// key finds the key that a token's header names.
func (v *Verifier) key(ctx context.Context, issuer string, h jose.Header) (*jose.JSONWebKey, error) {
	set, err := v.keys(ctx, issuer, false)
	if err != nil {
		return nil, err
	}
	if k := pick(set, h); k != nil {
		return k, nil
	}
	if set, err = v.keys(ctx, issuer, true); err != nil {
		return nil, err
	}
	if k := pick(set, h); k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("%w: its issuer has no such key", ErrInvalid)
}

// pick chooses a key that may have signed with the header's algorithm.
func pick(set jose.JSONWebKeySet, h jose.Header) *jose.JSONWebKey {
	for i := range set.Keys {
		k := &set.Keys[i]
		if h.KeyID != "" && k.KeyID != h.KeyID || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != h.Algorithm {
			continue
		}
		if k.IsPublic() && k.Valid() {
			return k
		}
	}
	return nil
}

// keys gives an issuer's keys; again, those it has now.
func (v *Verifier) keys(ctx context.Context, issuer string, again bool) (jose.JSONWebKeySet, error) {
	now := v.clock.Now()
	v.mu.Lock()
	have := v.known[issuer]
	v.mu.Unlock()
	age := now.Sub(have.fetched)
	if age < keysAgain || age < keysKept && !again {
		return have.keys, nil
	}
	if have.err == nil || now.Sub(have.failed) >= failedAgain {
		have = v.ask(ctx, issuer, have, now)
	}
	if have.err != nil && age >= 2*keysKept { // for less the issuer may be away
		return jose.JSONWebKeySet{}, fmt.Errorf("%w: %w", ErrUnreachable, have.err)
	}
	return have.keys, nil
}

// ask fetches an issuer's keys and keeps them, or that they could not be had.
func (v *Verifier) ask(ctx context.Context, issuer string, have keySet, now time.Time) keySet {
	// One fetch serves all who wait for it, so it is no one caller's to end.
	got, err, _ := v.flight.Do(issuer, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		return v.fetch(ctx, issuer)
	})
	if err != nil {
		have.failed, have.err = v.clock.Now(), err
	} else {
		have = keySet{keys: got.(jose.JSONWebKeySet), fetched: now}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxIssuers {
		v.known = map[string]keySet{}
	}
	v.known[strings.Clone(issuer)] = have
	return have
}
