package auth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
)

const (
	role     = "arn:aws:iam::123456789012:role/service/reader"
	function = "arn:aws:lambda:us-east-1:123456789012:function:hello"
)

func openSessions(t testing.TB, dir string, c clock.Clock) *auth.Sessions {
	t.Helper()
	s, err := auth.OpenSessions(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mint(t testing.TB, s *auth.Sessions) auth.Credentials {
	t.Helper()
	c, err := s.ForRole(role, "hello", function, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSessionSignsAndVerifies(t *testing.T) {
	now := at(t, "20260101T120000Z")
	sessions := openSessions(t, t.TempDir(), now)
	c := mint(t, sessions)
	r, _ := http.NewRequest("GET", "http://localhost/", nil)
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.Secret, SessionToken: c.Token},
		r, empty, "lambda", "us-east-1", now.Now())
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(auth.Ring{docsKey, sessions}, now)
	got, err := check(v, send(t, r), "lambda")
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Principal{
		Kind: auth.RoleSession, Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/reader/hello",
		UserID: got.UserID, AccessKeyID: c.AccessKeyID, RoleARN: role, SessionName: "hello", SourceARN: function, Expires: c.Expires, Issued: now.Now(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(got.UserID, "AROA") || !strings.HasSuffix(got.UserID, ":hello") || len(got.UserID) != 21+6 {
		t.Errorf("user id %q", got.UserID)
	}
	sessions.Revoke(c.AccessKeyID, c.Expires)
	if _, err := check(v, send(t, r), "lambda"); code(err, auth.REST) != "UnrecognizedClientException" {
		t.Errorf("after it was revoked: %v", err)
	}
}

func TestSessionTokens(t *testing.T) {
	dir, now := t.TempDir(), at(t, "20260101T120000Z")
	sessions := openSessions(t, dir, now)
	a, b := mint(t, sessions), mint(t, sessions)
	flipped := func(i int) string {
		x := []byte(a.Token)
		if x[i] == 'A' {
			x[i] = 'B'
		} else {
			x[i] = 'A'
		}
		return string(x)
	}
	for name, tt := range map[string]struct {
		id, token string
		want      error
	}{
		"good":               {a.AccessKeyID, a.Token, nil},
		"none":               {a.AccessKeyID, "", auth.ErrInvalidToken},
		"another's":          {a.AccessKeyID, b.Token, auth.ErrInvalidToken},
		"another key":        {b.AccessKeyID, a.Token, auth.ErrInvalidToken},
		"garbage":            {a.AccessKeyID, "%%%", auth.ErrInvalidToken},
		"short":              {a.AccessKeyID, a.Token[:8], auth.ErrInvalidToken},
		"longer":             {a.AccessKeyID, a.Token + "AAAA", auth.ErrInvalidToken},
		"version":            {a.AccessKeyID, flipped(0), auth.ErrInvalidToken},
		"permanent key's id": {"AKIAIOSFODNN7EXAMPLE", a.Token, auth.ErrUnknownKey},
	} {
		if _, err := sessions.Secret(t.Context(), tt.id, tt.token); err != tt.want {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	for i := range a.Token {
		if _, err := sessions.Secret(t.Context(), a.AccessKeyID, flipped(i)); err != auth.ErrInvalidToken {
			t.Fatalf("character %d changed: %v", i, err)
		}
	}
	now.Advance(time.Hour)
	if _, err := sessions.Secret(t.Context(), a.AccessKeyID, a.Token); err != auth.ErrExpiredToken {
		t.Errorf("at its end: %v", err)
	}
}

func TestSessionEndsWithTheProcess(t *testing.T) {
	dir, now := t.TempDir(), at(t, "20260101T120000Z")
	c := mint(t, openSessions(t, dir, now))
	if _, err := openSessions(t, dir, now).Secret(t.Context(), c.AccessKeyID, c.Token); err != auth.ErrInvalidToken {
		t.Errorf("after a restart: %v", err)
	}
}

func TestRefusedSessions(t *testing.T) {
	s := openSessions(t, t.TempDir(), nil)
	for _, tt := range []struct {
		role, name string
		life       time.Duration
	}{
		{"", "hello", time.Hour},
		{function, "hello", time.Hour},
		{"arn:aws:iam::123456789012:role/", "hello", time.Hour},
		{"arn:aws:iam::1:role/x", "hello", time.Hour},
		{role, "", time.Hour},
		{role, "a/b", time.Hour},
		{role, strings.Repeat("x", 65), time.Hour},
		{role, "hello", 0},
		{role, "hello", 13 * time.Hour},
	} {
		if _, err := s.ForRole(tt.role, tt.name, function, tt.life); err == nil {
			t.Errorf("%+v was taken", tt)
		}
	}
	// A function's name is its sessions' name, and may be as short or as long.
	for _, name := range []string{"x", strings.Repeat("x", 64)} {
		if _, err := s.ForRole(role, name, function, time.Hour); err != nil {
			t.Errorf("a function called %s: %v", name, err)
		}
	}
}

func TestRevocationsAreForgotten(t *testing.T) {
	now := at(t, "20260101T120000Z")
	s := openSessions(t, t.TempDir(), now)
	live := mint(t, s)
	s.Revoke(live.AccessKeyID, live.Expires)
	for range 3000 {
		c := mint(t, s)
		s.Revoke(c.AccessKeyID, c.Expires)
		now.Advance(3 * time.Second)
	}
	now.Advance(-3 * 3000 * time.Second)
	if _, err := s.Secret(t.Context(), live.AccessKeyID, live.Token); err != nil {
		t.Errorf("an expired revocation is still kept: %v", err) // the clock went back: only the sweep can have let it in
	}
}

func TestCredentialsPrintNoSecret(t *testing.T) {
	c := mint(t, openSessions(t, t.TempDir(), nil))
	if out := fmt.Sprintf("%v %+v %s", c, c, c); strings.Contains(out, c.Secret) || strings.Contains(out, c.Token) {
		t.Error("printing credentials shows the secret")
	}
}
