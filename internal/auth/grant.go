package auth

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

const (
	// maxUserSession is the longest life of a session of a user.
	maxUserSession = 36 * time.Hour
	// maxPacked is what a session may carry, in bytes: its token travels in a header
	// of every request.
	maxPacked = 4096
)

// ErrTooLarge says that a session would carry more than its token has place for.
var ErrTooLarge = errors.New("what the session carries is too large")

// Session is what temporary credentials were made with.
type Session struct {
	// Policy is a document, and PolicyARNs are managed policies, that limit the
	// session; with neither it may do what its owner may.
	Policy     string   `codec:",omitempty"`
	PolicyARNs []string `codec:",omitempty"`
	// Tags label the session. The Transitive ones, by their keys, go on to the
	// sessions of roles that are assumed with it.
	Tags       map[string]string `codec:",omitempty"`
	Transitive []string          `codec:",omitempty"`
	// SourceIdentity is who is behind the session, and stays through further roles.
	SourceIdentity string `codec:",omitempty"`
	// Provider vouched for the session's Subject: an identity provider's URL without
	// its scheme.
	Provider string `codec:",omitempty"`
	Subject  string `codec:",omitempty"`
	// Owner is the ARN, and OwnerID the unique id, of the user or root that made the
	// session of a FederatedUser or of itself.
	Owner   string `codec:",omitempty"`
	OwnerID string `codec:",omitempty"`
}

// Packed is how much of what a session may carry this is, in percent, rounded up.
func (s *Session) Packed() int {
	n := len(s.Policy) + len(s.SourceIdentity) + len(s.Provider) + len(s.Subject)
	for _, a := range s.PolicyARNs {
		n += len(a)
	}
	for k, v := range s.Tags {
		n += len(k) + len(v)
	}
	for _, k := range s.Transitive {
		n += len(k)
	}
	return (n*100 + maxPacked - 1) / maxPacked
}

// Grant is whose temporary credentials are to be, and what they carry.
type Grant struct {
	// Kind is RoleSession, User, RootUser or FederatedUser.
	Kind Kind
	// ARN and ID are of the role, or of the user or root that asks.
	ARN, ID string
	// Name is the session's, of roles and federated users.
	Name    string
	Life    time.Duration
	Session Session
	// Source is the ARN of something that runs on this node under a role, a function
	// for one. Its credentials end with the process, as those of ForRole do.
	Source string
}

// Issue makes temporary credentials that live until they expire, or until their owner
// is deleted, which is for who keeps the owners to say. ErrTooLarge says that the
// grant carries too much.
func (s *Sessions) Issue(g Grant) (Credentials, error) {
	longest := maxSession
	if g.Kind != RoleSession {
		longest = maxUserSession
	}
	if g.Life <= 0 || g.Life > longest {
		return Credentials{}, fmt.Errorf("life of a session is %v, not within %v", g.Life, longest)
	}
	if g.Session.Packed() > 100 {
		return Credentials{}, ErrTooLarge
	}
	g.Session.Owner, g.Session.OwnerID = "", ""
	if g.Kind != RoleSession {
		g.Session.Owner, g.Session.OwnerID = g.ARN, g.ID
	}
	content := session{Role: g.ARN, Name: g.Name, Kind: g.Kind, ID: g.ID, With: &g.Session}
	if g.Source != "" {
		content.Source, content.Boot = g.Source, s.boot
	}
	if _, err := content.principal(); err != nil {
		return Credentials{}, err
	}
	return s.mint(content, g.Life)
}

// ForFunction is the principal of a function that has ended, and that something is done
// for in its name: a session of its role that nobody has the credentials of. at is when.
func ForFunction(roleARN, functionARN string, at time.Time) (Principal, error) {
	name := functionARN[strings.LastIndexByte(functionARN, ':')+1:]
	c := session{Role: roleARN, Name: name, Source: functionARN}
	p, err := c.principal()
	p.Issued = at
	return p, err
}

// principal is who calls with a session, but for its access key and times.
func (c *session) principal() (Principal, error) {
	if c.Kind == RoleSession || c.Kind == "" {
		return c.rolePrincipal()
	}
	owner, err := arn.Parse(c.Role)
	if err != nil || owner.Service != "iam" || !isAccount(owner.Account) {
		return Principal{}, fmt.Errorf("%.200q is not the ARN of a user", c.Role)
	}
	p := Principal{Kind: c.Kind, Account: owner.Account, ARN: c.Role, UserID: c.ID, Session: c.With}
	switch c.Kind {
	case User, RootUser:
		return p, nil
	case FederatedUser:
		if !isSessionName(c.Name) {
			return Principal{}, fmt.Errorf("%.80q is not the name of a federated user", c.Name)
		}
		p.ARN = arn.New("sts", "", owner.Account, "federated-user/"+c.Name).String()
		p.UserID, p.SessionName = owner.Account+":"+c.Name, c.Name
		return p, nil
	}
	return Principal{}, fmt.Errorf("%s has no temporary credentials", c.Kind)
}

func (c *session) rolePrincipal() (Principal, error) {
	role, err := parseRole(c.Role)
	if err != nil {
		return Principal{}, err
	}
	if !isSessionName(c.Name) {
		return Principal{}, fmt.Errorf("%.80q is not the name of a session", c.Name)
	}
	unique := c.ID
	if unique == "" {
		unique = RoleID(c.Role)
	}
	return Principal{
		Kind:        RoleSession,
		Account:     role.Account,
		ARN:         arn.New("sts", "", role.Account, "assumed-role/"+roleName(role)+"/"+c.Name).String(),
		UserID:      unique + ":" + c.Name,
		RoleARN:     c.Role,
		SessionName: c.Name,
		SourceARN:   c.Source,
		Session:     c.With,
	}, nil
}
