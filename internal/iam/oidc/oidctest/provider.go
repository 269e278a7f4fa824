// Package oidctest is an OpenID Connect provider for tests.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Provider publishes keys over HTTPS and signs tokens with them.
type Provider struct {
	URL    string       // its issuer
	Client *http.Client // trusts its certificate
	// Fetched counts the fetches of its keys.
	Fetched atomic.Int32

	mu   sync.Mutex
	keys []jose.JSONWebKey
}

// New starts a provider with one key; it ends with its test. Handler, if not nil,
// answers in its place.
func New(t testing.TB, handler http.Handler) *Provider {
	p := &Provider{}
	if handler == nil {
		handler = http.HandlerFunc(p.serve)
	}
	server := httptest.NewTLSServer(handler)
	p.URL, p.Client = server.URL, server.Client()
	t.Cleanup(func() {
		p.Client.CloseIdleConnections()
		server.Close()
	})
	p.Rotate(t, "first")
	return p
}

// Rotate replaces the provider's key.
func (p *Provider) Rotate(t testing.TB, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = []jose.JSONWebKey{{Key: key, KeyID: name, Algorithm: string(jose.ES256), Use: "sig"}}
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/.well-known/openid-configuration" {
		json.NewEncoder(w).Encode(map[string]string{"issuer": p.URL, "jwks_uri": p.URL + "/keys"})
		return
	}
	p.Fetched.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	set := jose.JSONWebKeySet{}
	for _, k := range p.keys {
		set.Keys = append(set.Keys, k.Public())
	}
	json.NewEncoder(w).Encode(set)
}

// Token signs the claims of a good token, changed by some, of which nil removes one.
func (p *Provider) Token(t testing.TB, now time.Time, changed map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": p.URL, "sub": "repo:org/app", "aud": "sts.amazonaws.com", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	maps.Copy(claims, changed)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	p.mu.Lock()
	key := p.keys[0]
	p.mu.Unlock()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
