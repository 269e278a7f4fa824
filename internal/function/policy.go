package function

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Policy is a resource policy: who else may do what with one function, version,
// alias or layer version.
type Policy struct {
	Statements []Statement
	Revision   string
}

// Statement is one permission, with the members of a policy document.
type Statement struct {
	Sid       string
	Effect    string
	Principal Principal
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// Principal is who a statement is about: a service ("s3.amazonaws.com"), an ARN
// or account of AWS's, or everybody ("*").
type Principal struct{ Service, AWS string }

// MarshalJSON prints a principal as policy documents do.
func (p Principal) MarshalJSON() ([]byte, error) {
	switch {
	case p.Service != "":
		return json.Marshal(map[string]string{"Service": p.Service})
	case p.AWS == "*":
		return json.Marshal("*")
	}
	return json.Marshal(map[string]string{"AWS": p.AWS})
}

// Permission is a request for a Statement.
type Permission struct {
	Sid, Action, Principal          string
	SourceARN, SourceAccount, OrgID string
	EventSourceToken, URLAuthType   string
	ViaURL                          *bool
	Revision                        string
}

// maxPolicy is what a policy may weigh, as AWS documents it.
const maxPolicy = 20 << 10

var (
	sidForm     = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
	actionForm  = regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`)
	serviceForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	accountForm = regexp.MustCompile(`^\d{12}$`)
)

// Document is the policy as the API shows it.
func (p *Policy) Document() (string, error) {
	b, err := json.Marshal(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []Statement
	}{"2012-10-17", "default", p.Statements})
	return string(b), err
}

// Text is the statement as the API shows it.
func (st *Statement) Text() (string, error) {
	b, err := json.Marshal(st)
	return string(b), err
}

// AddPermission adds a statement to the policy of a function, version or alias.
// One transaction; a crash leaves the policy as it was or as it shall be.
func (s *Service) AddPermission(ctx context.Context, function, qualifier string, p Permission) (*Statement, error) {
	name, err := s.parsePolicy(function, qualifier)
	if err != nil {
		return nil, err
	}
	st, err := p.statement(s.arn(name.Function, name.Qualifier))
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		return addStatement(tx, policyKey(name.Function, name.Qualifier), *st, p.Revision)
	})
	return st, err
}

// statement checks a permission and makes a statement of it.
func (p Permission) statement(resource string) (*Statement, error) {
	if len(p.Sid) > 100 || !sidForm.MatchString(p.Sid) {
		return nil, violates(clip(p.Sid), "statementId", `Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)`)
	}
	if !actionForm.MatchString(p.Action) {
		return nil, violates(clip(p.Action), "action", `Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])`)
	}
	who, err := parsePrincipal(p.Principal)
	if err != nil {
		return nil, err
	}
	st := &Statement{Sid: p.Sid, Effect: "Allow", Principal: who, Action: p.Action, Resource: resource}
	if p.URLAuthType != "" {
		if err := oneOf(p.URLAuthType, "functionUrlAuthType", "NONE", "AWS_IAM"); err != nil {
			return nil, err
		}
		if p.Action != "lambda:InvokeFunctionUrl" {
			return nil, invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
		}
	}
	st.condition("StringEquals", "lambda:FunctionUrlAuthType", p.URLAuthType)
	st.condition("StringEquals", "lambda:EventSourceToken", p.EventSourceToken)
	st.condition("StringEquals", "aws:PrincipalOrgID", p.OrgID)
	st.condition("StringEquals", "AWS:SourceAccount", p.SourceAccount)
	st.condition("ArnLike", "AWS:SourceArn", p.SourceARN)
	if p.ViaURL != nil && *p.ViaURL {
		st.condition("Bool", "lambda:InvokedViaFunctionUrl", "true")
	}
	return st, nil
}

func (st *Statement) condition(operator, key, value string) {
	if value == "" {
		return
	}
	if st.Condition == nil {
		st.Condition = map[string]map[string]string{}
	}
	if st.Condition[operator] == nil {
		st.Condition[operator] = map[string]string{}
	}
	st.Condition[operator][key] = value
}

func parsePrincipal(text string) (Principal, error) {
	switch {
	case text == "*":
		return Principal{AWS: "*"}, nil
	case accountForm.MatchString(text):
		return Principal{AWS: arn.New("iam", "", text, "root").String()}, nil
	case serviceForm.MatchString(text):
		return Principal{Service: text}, nil
	}
	if a, err := arn.Parse(text); err == nil && (a.Service == "iam" || a.Service == "sts") {
		return Principal{AWS: text}, nil
	}
	return Principal{}, invalid("The provided principal was invalid. Please check the principal and try again.")
}

// addStatement writes a policy with one more statement.
func addStatement(tx store.Tx, key []byte, st Statement, revision string) error {
	p, err := load[Policy](tx, key)
	if errors.Is(err, store.ErrNotFound) {
		p = &Policy{}
	} else if err != nil {
		return err
	}
	if revision != "" && revision != p.Revision {
		return stale("GetPolicy")
	}
	if slices.ContainsFunc(p.Statements, func(x Statement) bool { return x.Sid == st.Sid }) {
		return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
	}
	p.Statements = append(p.Statements, st)
	p.Revision = id.UUID()
	text, err := p.Document()
	if err != nil {
		return err
	}
	if len(text) > maxPolicy {
		return user(http.StatusBadRequest, "PolicyLengthExceededException", "The final policy size (%d) is bigger than the limit (%d).", len(text), maxPolicy)
	}
	// Whoever evaluates it must be able to read it: a policy that can't be read
	// denies everything.
	if _, err := policy.Parse([]byte(text), policy.Resource); err != nil {
		return invalid("The policy would not be valid: %v", err)
	}
	return save(tx, key, p)
}

// removeStatement writes a policy without a statement; the last one takes the
// policy with it.
func removeStatement(tx store.Tx, key []byte, sid, revision string) error {
	p, err := loadOr[Policy](tx, key, notFound("No policy is associated with the given resource."))
	if err != nil {
		return err
	}
	at := slices.IndexFunc(p.Statements, func(x Statement) bool { return x.Sid == sid })
	if at < 0 {
		return notFound("Statement %s is not found in resource policy.", clip(sid))
	}
	if revision != "" && revision != p.Revision {
		return stale("GetPolicy")
	}
	p.Statements = slices.Delete(p.Statements, at, at+1)
	p.Revision = id.UUID()
	if len(p.Statements) == 0 {
		return tx.Delete(key)
	}
	return save(tx, key, p)
}

// RemovePermission takes a statement away.
func (s *Service) RemovePermission(ctx context.Context, function, qualifier, sid, revision string) error {
	name, err := s.parsePolicy(function, qualifier)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		return removeStatement(tx, policyKey(name.Function, name.Qualifier), sid, revision)
	})
}

// Policy gives the policy of a function, version or alias.
func (s *Service) Policy(ctx context.Context, function, qualifier string) (*Policy, error) {
	name, err := s.parsePolicy(function, qualifier)
	if err != nil {
		return nil, err
	}
	var p *Policy
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if err := s.checkThere(r, name); err != nil {
			return err
		}
		p, err = loadOr[Policy](r, policyKey(name.Function, name.Qualifier), noSuchResource())
		return err
	})
	return p, err
}

func (s *Service) parsePolicy(function, qualifier string) (Name, error) {
	n, err := s.Parse(function, qualifier)
	if err == nil && strings.EqualFold(n.Qualifier, Latest) {
		err = invalid("We currently do not support adding policies for $LATEST.")
	}
	return n, err
}
