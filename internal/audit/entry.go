package audit

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

// Entry is an event as it is kept. All text in it is clean: valid, without control
// characters, and bounded.
type Entry struct {
	ID          string     `json:"eventId"`
	RequestID   string     `json:"requestId,omitempty"`
	Time        time.Time  `json:"time"`
	Kind        Kind       `json:"kind"`
	Who         Principal  `json:"who"`
	Service     string     `json:"service"`
	Operation   string     `json:"operation"`
	Region      string     `json:"region"`
	SourceIP    string     `json:"sourceIp,omitempty"`
	UserAgent   string     `json:"userAgent,omitempty"`
	ReadOnly    bool       `json:"readOnly"`
	Data        bool       `json:"data,omitempty"` // what CloudTrail calls a data event
	Resources   []Resource `json:"resources,omitempty"`
	ErrorCode   string     `json:"errorCode,omitempty"`
	ErrorReason string     `json:"errorMessage,omitempty"`
	Refusal     *Refusal   `json:"refusal,omitempty"`
}

// Principal is who asked.
type Principal struct {
	// Type is CloudTrail's: Root, IAMUser, AssumedRole, FederatedUser, AWSService, or
	// AWSAccount for nobody known.
	Type        string `json:"type"`
	ID          string `json:"id,omitempty"`
	ARN         string `json:"arn,omitempty"`
	Account     string `json:"account,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	// Name is the user's name; of a session, the session's.
	Name string `json:"name"`
	// Issuer is who a session is of: a role, or the user or root user that made it.
	Issuer *Issuer `json:"issuer,omitempty"`
	// Since is when a session was made.
	Since time.Time `json:"since,omitzero"`
	// Function is the ARN of the function that runs under a session.
	Function string `json:"function,omitempty"`
}

// Issuer is who a session is of.
type Issuer struct {
	Type    string `json:"type"` // Role, IAMUser or Root
	ID      string `json:"id,omitempty"`
	ARN     string `json:"arn"`
	Account string `json:"account"`
	Name    string `json:"name"`
}

// Resource is what a request was about.
type Resource struct {
	ARN  string `json:"arn"`
	Type string `json:"type,omitempty"` // CloudFormation's; empty if it has none
	Name string `json:"name"`
}

const (
	// maxText is the longest text of an entry, in bytes. CloudTrail cuts its fields at
	// one or two KB.
	maxText = 1024
	// maxResources are those kept of one request.
	maxResources = 20
)

// newEntry makes what is kept of an event.
func newEntry(e *Event, k Kind) Entry {
	n := Entry{
		ID: id.UUID(), RequestID: clean(e.RequestID), Time: e.Time, Kind: k, Who: newPrincipal(&e.Principal),
		Service: clean(e.Service), Operation: clean(e.Operation), Region: clean(e.Region),
		SourceIP: clean(e.SourceIP), UserAgent: clean(e.UserAgent), ReadOnly: e.ReadOnly, Data: isData(e.Service, e.Operation),
		ErrorCode: clean(e.ErrorCode), ErrorReason: clean(e.ErrorMessage),
	}
	for _, text := range e.Resources {
		if r, ok := resourceOf(clean(text)); ok && len(n.Resources) < maxResources {
			n.Resources = append(n.Resources, r)
		}
	}
	if e.Denial != nil {
		n.Refusal = newRefusal(e.Denial)
	}
	return n
}

// principalTypes are CloudTrail's words for those who call.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
var principalTypes = map[auth.Kind]string{
	auth.RootUser: "Root", auth.User: "IAMUser", auth.RoleSession: "AssumedRole",
	auth.FederatedUser: "FederatedUser", auth.Service: "AWSService", auth.Anonymous: "AWSAccount",
}

func newPrincipal(p *auth.Principal) Principal {
	n := Principal{
		Type: principalTypes[p.Kind], ID: clean(p.UserID), ARN: clean(p.ARN), Account: p.Account,
		AccessKeyID: clean(p.AccessKeyID), Function: clean(p.SourceARN), Since: p.Issued,
	}
	n.Name = n.ARN[strings.LastIndexByte(n.ARN, '/')+1:]
	switch p.Kind {
	case auth.RootUser:
		n.Name = "root"
	case auth.RoleSession:
		n.Name = clean(p.SessionName)
		role, _, _ := strings.Cut(n.ID, ":")
		n.Issuer = newIssuer(clean(p.RoleARN), role)
	case auth.Anonymous:
		n.Type, n.ARN, n.Account, n.Name = "AWSAccount", "", "ANONYMOUS_PRINCIPAL", "anonymous"
	}
	if s := p.Session; s != nil && n.Issuer == nil && s.Owner != "" {
		n.Issuer = newIssuer(clean(s.Owner), clean(s.OwnerID))
	}
	return n
}

func newIssuer(text, id string) *Issuer {
	i := &Issuer{ID: id, ARN: text, Name: text[strings.LastIndexByte(text, '/')+1:]}
	a, err := arn.Parse(text)
	if err != nil {
		return i
	}
	i.Account = a.Account
	switch {
	case a.Resource == "root":
		i.Type, i.Name = "Root", "root"
	case strings.HasPrefix(a.Resource, "user/"):
		i.Type = "IAMUser"
	default:
		i.Type = "Role"
	}
	return i
}

// clean makes text of strangers fit for records, terminals and logs.
func clean(s string) string {
	ok := len(s) <= maxText
	for i := 0; ok && i < len(s); i++ {
		ok = s[i] >= ' ' && s[i] < 0x7f
	}
	if ok {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) > maxText {
		n := maxText
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = strings.Clone(s[:n])
	}
	return s
}
