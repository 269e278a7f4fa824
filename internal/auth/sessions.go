package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

const (
	// maxSession is the longest life of a session, as AWS has it for roles.
	maxSession = 12 * time.Hour
	// maxSessionName is the longest name of a session.
	maxSessionName = 64
	// sessionPrefix begins the access key ids of temporary credentials.
	sessionPrefix = "ASIA"
	// sessionsKept is one generation of opened tokens.
	sessionsKept = 4096
)

// Credentials are temporary: all three parts are needed, until Expires.
type Credentials struct {
	AccessKeyID, Secret, Token string
	Expires                    time.Time
}

// String names the access key and keeps the rest to itself.
func (c Credentials) String() string { return c.AccessKeyID }

// Sessions mints temporary credentials for roles and recognises them again, without
// keeping them: a token is the session itself, sealed (see seal.go). It is
// safe for concurrent use.
//
// Credentials made by ForRole belong to something that runs on this node, so they end
// with the first of their expiry, Revoke, and the process. So do those made by Issue with
// a Source; without one they belong to somebody elsewhere and outlive the process.
type Sessions struct {
	key     [sha256.Size]byte
	clock   clock.Clock
	boot    string // this process; what ran under an earlier one is gone
	opened  *cache[string, openedSession]
	revoked revocations
}

type openedSession struct {
	token string
	cred  Credential
}

// OpenSessions reads the sealing key from node.key in dir, or makes it. A nil clock is the
// machine's.
func OpenSessions(dir string, clk clock.Clock) (*Sessions, error) {
	node, err := OpenNodeKey(dir)
	if err != nil {
		return nil, err
	}
	if clk == nil {
		clk = clock.System
	}
	s := &Sessions{key: node.b, clock: clk, boot: id.Hex(8)}
	s.opened = newCache[string, openedSession](sessionsKept)
	return s, nil
}

// ForRole makes credentials of a role for sourceARN, the function that will run under
// them. life is at most 12 hours. The session name is the function's: 1 to 64
// characters of [A-Za-z0-9_+=,.@-].
func (s *Sessions) ForRole(roleARN, sessionName, sourceARN string, life time.Duration) (Credentials, error) {
	if _, err := parseRole(roleARN); err != nil {
		return Credentials{}, err
	}
	if !isSessionName(sessionName) {
		return Credentials{}, fmt.Errorf("session name %.80q is not 1 to %d characters of [A-Za-z0-9_+=,.@-]", sessionName, maxSessionName)
	}
	if life <= 0 || life > maxSession {
		return Credentials{}, fmt.Errorf("life of a session is %v, not within %v", life, maxSession)
	}
	return s.mint(session{Role: roleARN, Name: sessionName, Source: sourceARN, Boot: s.boot}, life)
}

// mint makes the credentials of a session.
func (s *Sessions) mint(content session, life time.Duration) (Credentials, error) {
	keyID, now := id.Unique(sessionPrefix, 16), s.clock.Now()
	expires := now.Add(life).UTC().Truncate(time.Second)
	content.Issued, content.Expires = now.Unix(), expires.Unix()
	token, err := s.sealToken(keyID, content)
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{AccessKeyID: keyID, Secret: s.secret(keyID, token), Token: token, Expires: expires}, nil
}

// Revoke makes credentials worthless from now on: what ran under them is gone. It
// is remembered until expires, when they would have ended anyway.
func (s *Sessions) Revoke(accessKeyID string, expires time.Time) {
	s.revoked.add(accessKeyID, expires, s.clock.Now())
	s.opened.drop(accessKeyID)
}

// Secret implements Keys.
func (s *Sessions) Secret(_ context.Context, accessKeyID, token string) (Credential, error) {
	if !strings.HasPrefix(accessKeyID, sessionPrefix) {
		return Credential{}, ErrUnknownKey
	}
	if token == "" || s.revoked.has(accessKeyID) {
		return Credential{}, ErrInvalidToken
	}
	known, ok := s.opened.get(accessKeyID)
	if !ok || subtle.ConstantTimeCompare([]byte(known.token), []byte(token)) != 1 {
		cred, err := s.open(accessKeyID, token)
		if err != nil {
			return Credential{}, err
		}
		known = openedSession{strings.Clone(token), cred}
		s.opened.put(cred.Principal.AccessKeyID, known)
	}
	if !s.clock.Now().Before(known.cred.Principal.Expires) {
		return Credential{}, ErrExpiredToken
	}
	return known.cred, nil
}

// open unseals a token and makes the credential of its session.
func (s *Sessions) open(accessKeyID, token string) (Credential, error) {
	got, err := s.openToken(accessKeyID, token)
	if err != nil || got.Boot != "" && got.Boot != s.boot {
		return Credential{}, ErrInvalidToken
	}
	p, err := got.principal()
	if err != nil {
		return Credential{}, ErrInvalidToken
	}
	p.AccessKeyID = strings.Clone(accessKeyID)
	p.Issued, p.Expires = time.Unix(got.Issued, 0).UTC(), time.Unix(got.Expires, 0).UTC()
	return Credential{Secret: s.secret(accessKeyID, token), Principal: p}, nil
}

func parseRole(s string) (arn.ARN, error) {
	role, err := arn.Parse(s)
	if err != nil {
		return role, fmt.Errorf("role: %w", err)
	}
	if role.Service != "iam" || !isAccount(role.Account) || !strings.HasPrefix(role.Resource, "role/") || roleName(role) == "" {
		return role, fmt.Errorf("%.200q is not the ARN of a role (arn:aws:iam::account:role/name)", s)
	}
	return role, nil
}

// roleName is the role's name without its path, as session ARNs have it.
func roleName(role arn.ARN) string {
	return role.Resource[strings.LastIndexByte(role.Resource, '/')+1:]
}

// RoleID is a stable unique id of AWS's form, made of its ARN, for a role whose own is not
// known: what a principal has that nobody looked up the role for.
func RoleID(roleARN string) string {
	sum := sha256.Sum256([]byte(roleARN))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

func isSessionName(s string) bool {
	if s == "" || len(s) > maxSessionName {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_+=,.@-", c) >= 0) {
			return false
		}
	}
	return true
}

// tokenText is how sealed bytes travel: safe in headers, URLs and environment
// variables, and with one spelling only.
var tokenText = base64.RawURLEncoding.Strict()
