package oidc_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/iam/oidc"
	"github.com/mayfly-cloud/mayfly/internal/iam/oidc/oidctest"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func start(t testing.TB) (*oidctest.Provider, *oidc.Verifier, *clock.Manual) {
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	p, c := oidctest.New(t, nil), clock.NewManual(noon)
	return p, oidc.New(oidc.Config{Client: p.Client, Clock: c}), c
}

func TestVerify(t *testing.T) {
	p, v, _ := start(t)
	token := p.Token(t, noon, map[string]any{"azp": "client", "amr": "pwd", "aud": []string{"a", "b"}})
	c, err := v.Verify(t.Context(), token, p.URL)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Issuer, c.Subject, c.Audience, c.Party, c.Methods, c.Expires.UTC(), string(c.Raw["sub"])}
	want := []any{p.URL, "repo:org/app", []string{"a", "b"}, "client", []string{"pwd"}, noon.Add(10 * time.Minute), `"repo:org/app"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if issuer, err := oidc.Issuer(token); err != nil || issuer != p.URL {
		t.Errorf("issuer %q %v", issuer, err)
	}
}

func TestRefusedTokens(t *testing.T) {
	p, v, _ := start(t)
	good := p.Token(t, noon, nil)
	parts := strings.Split(good, ".")
	other := oidctest.New(t, nil)
	encode := base64.RawURLEncoding.EncodeToString
	hmac, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: make([]byte, 32)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	symmetric, err := jwt.Signed(hmac).Claims(map[string]any{"iss": p.URL, "sub": "x"}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct {
		token string
		want  error
	}{
		"nothing":             {"", oidc.ErrInvalid},
		"no JWT":              {"a.b.c", oidc.ErrInvalid},
		"long":                {strings.Repeat("x", 20001), oidc.ErrInvalid},
		"without signature":   {encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", oidc.ErrInvalid},
		"symmetric":           {symmetric, oidc.ErrInvalid},
		"other claims":        {parts[0] + "." + encode([]byte(strings.Replace(string(decode(t, parts[1])), "org/app", "org/evil", 1))) + "." + parts[2], oidc.ErrInvalid},
		"another's key":       {other.Token(t, noon, map[string]any{"iss": p.URL}), oidc.ErrInvalid},
		"another issuer":      {p.Token(t, noon, map[string]any{"iss": "https://id.example.com"}), oidc.ErrInvalid},
		"no subject":          {p.Token(t, noon, map[string]any{"sub": nil}), oidc.ErrInvalid},
		"no end":              {p.Token(t, noon, map[string]any{"exp": nil}), oidc.ErrInvalid},
		"no date":             {p.Token(t, noon, map[string]any{"iat": nil}), oidc.ErrInvalid},
		"ended":               {p.Token(t, noon, map[string]any{"exp": noon.Unix()}), oidc.ErrExpired},
		"of the future":       {p.Token(t, noon, map[string]any{"iat": noon.Add(6 * time.Minute).Unix()}), oidc.ErrInvalid},
		"not yet":             {p.Token(t, noon, map[string]any{"nbf": noon.Add(6 * time.Minute).Unix()}), oidc.ErrInvalid},
		"a clock ahead of us": {p.Token(t, noon, map[string]any{"iat": noon.Add(time.Minute).Unix()}), nil},
	} {
		if _, err := v.Verify(t.Context(), tt.token, p.URL); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", what, err, tt.want)
		}
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeysAreKept(t *testing.T) {
	p, v, c := start(t)
	verify := func(want error) {
		t.Helper()
		if _, err := v.Verify(t.Context(), p.Token(t, c.Now(), nil), p.URL); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	fetched := func(n int32) {
		t.Helper()
		if got := p.Fetched.Load(); got != n {
			t.Errorf("keys were fetched %d times, not %d", got, n)
		}
	}
	verify(nil)
	verify(nil)
	fetched(1)
	p.Rotate(t, "second") // a key that is not known, too soon to ask again
	verify(oidc.ErrInvalid)
	fetched(1)
	c.Advance(time.Minute)
	verify(nil)
	fetched(2)
	c.Advance(time.Hour)
	verify(nil)
	fetched(3)
}

func TestUnreachableIssuers(t *testing.T) {
	keys := func(keysURL string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"issuer":"https://%s","jwks_uri":%q}`, r.Host, keysURL)
		}
	}
	for what, handler := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"no JSON":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"too much": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat(" ", 300<<10)+"{}") },
		"another issuer": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"issuer":"https://id.example.com","jwks_uri":"https://id.example.com"}`)
		},
		"keys by http":   keys("http://127.0.0.1:1/keys"),
		"keys in a file": keys("file:///etc/passwd"),
		"no keys":        keys(""),
	} {
		t.Run(what, func(t *testing.T) {
			p := oidctest.New(t, handler)
			v := oidc.New(oidc.Config{Client: p.Client, Clock: clock.NewManual(noon)})
			if _, err := v.Verify(t.Context(), p.Token(t, noon, nil), p.URL); !errors.Is(err, oidc.ErrUnreachable) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Whoever has no key at all may have an issuer asked, so one that is away is left alone
// for a while, and asked again then.
func TestUnreachableIssuersAreLeftAlone(t *testing.T) {
	var asked atomic.Int32
	p := oidctest.New(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	c := clock.NewManual(noon)
	v := oidc.New(oidc.Config{Client: p.Client, Clock: c})
	for round := range int32(2) {
		for range 10 {
			if _, err := v.Verify(t.Context(), p.Token(t, noon, nil), p.URL); !errors.Is(err, oidc.ErrUnreachable) {
				t.Errorf("%v", err)
			}
		}
		if n := asked.Load(); n != round+1 {
			t.Fatalf("asked %d times in round %d", n, round+1)
		}
		c.Advance(5 * time.Second)
	}
}

// FuzzIssuer: any text is read or refused.
func FuzzIssuer(f *testing.F) {
	p := oidctest.New(f, nil)
	f.Add(p.Token(f, noon, nil))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := oidc.Issuer(token); err != nil && !errors.Is(err, oidc.ErrInvalid) {
			t.Errorf("%v", err)
		}
	})
}
