package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

const (
	someUser = "arn:aws:iam::123456789012:user/x/ada"
	rootUser = "arn:aws:iam::123456789012:root"
)

// What a session is made with comes back with it, after a restart too.
func TestIssue(t *testing.T) {
	dir, now := t.TempDir(), at(t, "20260101T120000Z")
	for what, tt := range map[string]struct {
		grant auth.Grant
		want  auth.Principal
	}{
		"a role": {
			auth.Grant{Kind: auth.RoleSession, ARN: role, ID: "AROAEXAMPLE", Name: "s", Session: auth.Session{
				Policy: "{}", PolicyARNs: []string{"a", "b"}, Tags: map[string]string{"k": "v"}, Transitive: []string{"k"}, SourceIdentity: "ada",
			}},
			auth.Principal{Kind: auth.RoleSession, ARN: "arn:aws:sts::123456789012:assumed-role/reader/s", UserID: "AROAEXAMPLE:s", RoleARN: role, SessionName: "s",
				Session: &auth.Session{Policy: "{}", PolicyARNs: []string{"a", "b"}, Tags: map[string]string{"k": "v"}, Transitive: []string{"k"}, SourceIdentity: "ada"}},
		},
		"a user": {
			auth.Grant{Kind: auth.User, ARN: someUser, ID: "AIDAEXAMPLE"},
			auth.Principal{Kind: auth.User, ARN: someUser, UserID: "AIDAEXAMPLE", Session: &auth.Session{Owner: someUser, OwnerID: "AIDAEXAMPLE"}},
		},
		"root": {
			auth.Grant{Kind: auth.RootUser, ARN: rootUser, ID: "123456789012"},
			auth.Principal{Kind: auth.RootUser, ARN: rootUser, UserID: "123456789012", Session: &auth.Session{Owner: rootUser, OwnerID: "123456789012"}},
		},
		"a guest": {
			auth.Grant{Kind: auth.FederatedUser, ARN: someUser, ID: "AIDAEXAMPLE", Name: "guest"},
			auth.Principal{Kind: auth.FederatedUser, ARN: "arn:aws:sts::123456789012:federated-user/guest", UserID: "123456789012:guest", SessionName: "guest",
				Session: &auth.Session{Owner: someUser, OwnerID: "AIDAEXAMPLE"}},
		},
	} {
		tt.grant.Life = time.Hour
		c, err := openSessions(t, dir, now).Issue(tt.grant)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		got, err := openSessions(t, dir, now).Secret(t.Context(), c.AccessKeyID, c.Token)
		if err != nil || got.Secret != c.Secret {
			t.Errorf("%s, after a restart: %v", what, err)
		}
		tt.want.Account, tt.want.AccessKeyID, tt.want.Issued, tt.want.Expires = "123456789012", c.AccessKeyID, now.Now(), now.Now().Add(time.Hour)
		if diff := cmp.Diff(tt.want, got.Principal); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// What runs on this node under a role is gone with the process, and so are its keys.
func TestGrantWithASourceEndsWithTheProcess(t *testing.T) {
	dir, now := t.TempDir(), at(t, "20260101T120000Z")
	s := openSessions(t, dir, now)
	c, err := s.Issue(auth.Grant{Kind: auth.RoleSession, ARN: role, ID: "AROAEXAMPLE", Name: "s", Life: time.Hour, Source: function})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Secret(t.Context(), c.AccessKeyID, c.Token); err != nil || got.Principal.SourceARN != function {
		t.Errorf("%+v %v", got.Principal, err)
	}
	if _, err := openSessions(t, dir, now).Secret(t.Context(), c.AccessKeyID, c.Token); err != auth.ErrInvalidToken {
		t.Errorf("after a restart: %v", err)
	}
}

func TestRefusedGrants(t *testing.T) {
	s := openSessions(t, t.TempDir(), nil)
	large := map[string]string{}
	for i := range 50 {
		large[fmt.Sprintf("%0128d", i)] = strings.Repeat("x", 256)
	}
	for what, g := range map[string]auth.Grant{
		"no life":          {Kind: auth.User, ARN: someUser},
		"long role":        {Kind: auth.RoleSession, ARN: role, Name: "s", Life: 13 * time.Hour},
		"long user":        {Kind: auth.User, ARN: someUser, Life: 37 * time.Hour},
		"no role":          {Kind: auth.RoleSession, ARN: someUser, Name: "s", Life: time.Hour},
		"no session name":  {Kind: auth.RoleSession, ARN: role, Life: time.Hour},
		"no federated one": {Kind: auth.FederatedUser, ARN: someUser, Name: "a/b", Life: time.Hour},
		"no user":          {Kind: auth.User, ARN: function, Life: time.Hour},
		"a service":        {Kind: auth.Service, ARN: someUser, Life: time.Hour},
	} {
		if _, err := s.Issue(g); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	g := auth.Grant{Kind: auth.RoleSession, ARN: role, Name: "s", Life: time.Hour, Session: auth.Session{Tags: large}}
	if _, err := s.Issue(g); !errors.Is(err, auth.ErrTooLarge) || g.Session.Packed() <= 100 {
		t.Errorf("%d%%: %v", g.Session.Packed(), err)
	}
	g.Session = auth.Session{Policy: strings.Repeat("x", 4096)} // as much as there may be
	c, err := s.Issue(g)
	if err != nil || len(c.Token) > 8<<10 {
		t.Errorf("a token of %d bytes: %v", len(c.Token), err)
	}
}
