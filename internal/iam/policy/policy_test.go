package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// TestLanguage runs the files in testdata. Run with -rewrite to write what
// happens into them.
//
//	parse KIND                  lines of a document each: "ok" or why it is malformed
//	statement KIND              the same of statements, in a document of 2012-10-17
//	policy NAME KIND            one document, over many lines; is kept under the name
//	keys NAME                   the condition keys a policy asks for
//	given                       who asks and what applies, a line for each; forgets what was given before
//	also                        the same, in addition to what was given before
//	decide                      lines of ACTION RESOURCE [KEY=VALUE|VALUE...]: is each allowed (+), and why
//	message                     such lines: AWS's words for each refusal; a RESOURCE of none is left out
//	explain                     one such line: everything that is known about it
//	holds [deny]                a Condition in the first line, then a line of keys for each question
//	like                        lines of PATTERN TEXT: does StringLike match?
func TestLanguage(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "/fuzz/") {
			return
		}
		w := &world{policies: map[string]*policy.Policy{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := w.run(d)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return out
		})
	})
}

// world is what a file has given so far.
type world struct {
	policies map[string]*policy.Policy
	request  policy.Request
	apply    policy.Policies
}

var kinds = map[string]policy.Kind{
	"identity": policy.Identity, "boundary": policy.Boundary, "session": policy.Session,
	"resource": policy.Resource, "trust": policy.Trust, "managed": policy.Managed,
}

func (w *world) run(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "parse", "statement":
		var b strings.Builder
		for doc := range strings.Lines(d.Input) {
			if d.Cmd == "statement" {
				doc = `{"Version": "2012-10-17", "Statement": ` + doc + `}`
			}
			fmt.Fprintln(&b, w.parse("", d.CmdArgs[0].Key, doc))
		}
		return b.String(), nil
	case "policy":
		return w.parse(d.CmdArgs[0].Key, d.CmdArgs[1].Key, d.Input), nil
	case "keys":
		return strings.Join(w.policies[d.CmdArgs[0].Key].ContextKeys(), "\n"), nil
	case "given":
		w.request, w.apply = policy.Request{}, policy.Policies{}
		return "", w.given(d.Input)
	case "also":
		return "", w.given(d.Input)
	case "decide":
		return w.decide(d.Input)
	case "message":
		return w.message(d.Input)
	case "explain":
		r, err := w.ask(d.Input)
		return explanation(policy.Explain(&r, &w.apply)), err
	case "holds":
		return holds(d.Input, d.HasArg("deny"))
	case "like":
		return like(d.Input)
	}
	return "", fmt.Errorf("no command %s", d.Cmd)
}

func (w *world) parse(name, kind, doc string) string {
	p, err := policy.Parse([]byte(doc), kinds[kind])
	var m *policy.MalformedError
	if errors.As(err, &m) {
		return m.Reason
	}
	if err != nil {
		return fmt.Sprintf("not a MalformedError: %v", err)
	}
	if name != "" {
		w.policies[name] = p
	}
	return "ok"
}

func (w *world) given(input string) error {
	for line := range strings.Lines(input) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		fields := strings.Fields(rest)
		var err error
		switch word {
		case "must-allow":
			w.apply.ResourceMustAllow = true
		case "owner":
			w.request.ResourceAccount = rest
		case "key":
			err = setKeys(&w.request.Keys, fields)
		case "identity":
			w.apply.Identity, err = w.attach(w.apply.Identity, fields)
		case "boundary":
			w.apply.Boundary, err = w.attach(w.apply.Boundary, fields)
		case "session":
			w.apply.Session, err = w.attach(w.apply.Session, fields)
		case "resource":
			w.apply.Resource, err = w.attach(w.apply.Resource, fields)
		default:
			err = w.principal(word, fields)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) attach(list []policy.Attached, names []string) ([]policy.Attached, error) {
	for _, name := range names {
		p := w.policies[name]
		if p == nil && name != "unreadable" {
			return nil, fmt.Errorf("no policy %s", name)
		}
		list = append(list, policy.Attached{Name: name, Policy: p})
	}
	return list, nil
}

const account = "111122223333"

// principal reads who asks: "user NAME [ACCOUNT]", "role NAME/SESSION [ACCOUNT]",
// "federated-user NAME ISSUER [ACCOUNT]", "root [ACCOUNT]", "service NAME",
// "federated PROVIDER", "anonymous"; and of them "id ID", "canonical ID",
// "provider NAME".
func (w *world) principal(word string, fields []string) error {
	p := &w.request.Principal
	arg := func(i int, instead string) string {
		if i < len(fields) {
			return fields[i]
		}
		return instead
	}
	switch word {
	case "id":
		p.ID = arg(0, "")
	case "canonical":
		p.CanonicalID = arg(0, "")
	case "provider":
		p.Provider = arg(0, "")
	case "anonymous":
		*p = policy.Principal{}
	case "service":
		*p = policy.Principal{Type: policy.Service, Service: arg(0, "")}
	case "federated":
		*p = policy.Principal{Type: policy.Federated, Provider: arg(0, "")}
	case "root":
		*p = policy.Principal{Type: policy.Root, Account: arg(0, account)}
		p.ARN = "arn:aws:iam::" + p.Account + ":root"
	case "user":
		*p = policy.Principal{Type: policy.User, Account: arg(1, account)}
		p.ARN = "arn:aws:iam::" + p.Account + ":user/" + fields[0]
	case "role":
		*p = policy.Principal{Type: policy.RoleSession, Account: arg(1, account)}
		role, _, _ := strings.Cut(fields[0], "/")
		p.ARN = "arn:aws:sts::" + p.Account + ":assumed-role/" + fields[0]
		p.Issuer = "arn:aws:iam::" + p.Account + ":role/" + role
	case "federated-user":
		*p = policy.Principal{Type: policy.FederatedUser, Account: arg(2, account)}
		p.ARN = "arn:aws:sts::" + p.Account + ":federated-user/" + fields[0]
		p.Issuer = "arn:aws:iam::" + p.Account + ":" + fields[1]
	default:
		return fmt.Errorf("what is %s?", word)
	}
	return nil
}

// setKeys reads KEY=VALUE|VALUE; a "~" is a blank.
func setKeys(k *policy.Keys, fields []string) error {
	for _, f := range fields {
		name, value, ok := strings.Cut(f, "=")
		if !ok {
			return fmt.Errorf("%s is not KEY=VALUE", f)
		}
		k.Set(name, strings.Split(strings.ReplaceAll(value, "~", " "), "|")...)
	}
	return nil
}

// ask is the given request, completed by a line of ACTION RESOURCE KEY=VALUE...
func (w *world) ask(line string) (policy.Request, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return policy.Request{}, fmt.Errorf("%q is not ACTION RESOURCE", line)
	}
	r := w.request
	r.Action, r.Resource, r.Keys = fields[0], fields[1], policy.Keys{}
	for name, values := range w.request.Keys.All() {
		r.Keys.Set(name, values...)
	}
	return r, setKeys(&r.Keys, fields[2:])
}

// decide says of each line whether it is allowed (+) or not (-), and because of what.
func (w *world) decide(input string) (string, error) {
	var b strings.Builder
	for line := range strings.Lines(input) {
		r, err := w.ask(line)
		if err != nil {
			return "", err
		}
		d := policy.Evaluate(&r, &w.apply)
		if e := policy.Explain(&r, &w.apply); e.Decision != d {
			return "", fmt.Errorf("explained %+v and decided %+v", e.Decision, d)
		}
		why := "no " + d.By.Kind.String()
		if d.Allowed || d.Explicit {
			why = source(d.By)
		}
		fmt.Fprintf(&b, "%s %s: %s\n", sign(d.Allowed), strings.TrimSpace(line), why)
	}
	return b.String(), nil
}

func (w *world) message(input string) (string, error) {
	var b strings.Builder
	for line := range strings.Lines(input) {
		r, err := w.ask(line)
		if err != nil {
			return "", err
		}
		r.Resource = strings.TrimPrefix(r.Resource, "none")
		fmt.Fprintln(&b, policy.Evaluate(&r, &w.apply).Message(&r))
	}
	return b.String(), nil
}

func sign(ok bool) string {
	if ok {
		return "+"
	}
	return "-"
}

func source(s policy.Source) string {
	switch {
	case s.Kind == 0:
		return "root"
	case s.Index < 0:
		return s.Policy + ", " + s.Kind.String()
	case s.Sid != "":
		return fmt.Sprintf("%s.%d %s, %s", s.Policy, s.Index, s.Sid, s.Kind)
	}
	return fmt.Sprintf("%s.%d, %s", s.Policy, s.Index, s.Kind)
}

func explanation(e policy.Explanation) string {
	var b strings.Builder
	for _, v := range e.Statements {
		what := "applies"
		if !v.Applies {
			what = v.Miss + ": " + v.Why
		}
		fmt.Fprintf(&b, "%s %s.%d %s: %s\n", v.Kind, v.Policy, v.Index, v.Effect, what)
	}
	for _, s := range e.Denials {
		fmt.Fprintf(&b, "remove %s\n", source(s))
	}
	for _, r := range e.Remedies {
		fmt.Fprintf(&b, "add to %s: %s\n", r.Kind, r.Statement)
	}
	return b.String()
}

// holds asks a policy of one statement with the condition.
func holds(input string, deny bool) (string, error) {
	condition, questions, _ := strings.Cut(input, "\n")
	effect := "Allow"
	if deny {
		effect = "Deny"
	}
	doc := fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":%q,"Action":"*","Resource":"*","Condition":%s}}`, effect, condition)
	p, err := policy.Parse([]byte(doc), policy.Identity)
	if err != nil {
		return err.Error(), nil
	}
	apply := &policy.Policies{Identity: []policy.Attached{{Name: "p", Policy: p}}}
	var b strings.Builder
	for line := range strings.Lines(questions) {
		r := policy.Request{Action: "s:A", Resource: "*", Principal: policy.Principal{Type: policy.User}}
		if err := setKeys(&r.Keys, strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "nothing"))); err != nil {
			return "", err
		}
		d := policy.Evaluate(&r, apply)
		fmt.Fprintf(&b, "%s %s\n", sign(d.Allowed || d.Explicit), strings.TrimSpace(line))
	}
	return b.String(), nil
}

func like(input string) (string, error) {
	var b strings.Builder
	for line := range strings.Lines(input) {
		pattern, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		quoted, err := json.Marshal(pattern)
		if err != nil {
			return "", err
		}
		out, err := holds(fmt.Sprintf("{\"StringLike\":{\"k\":%s}}\nk=%s", quoted, text), false)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s\n", out[:1], strings.TrimSpace(line))
	}
	return b.String(), nil
}

// TestAsk shows which policies ask for condition keys.
func TestAsk(t *testing.T) {
	const head = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", `
	for doc, want := range map[string]bool{
		head + `"Resource": "*"}}`:                                                                   false,
		head + `"Resource": "arn:aws:s3:::b/*"}}`:                                                    false,
		head + `"Resource": "arn:aws:s3:::b/${aws:username}"}}`:                                      true,
		head + `"NotResource": "arn:aws:s3:::b/${aws:username, 'none'}"}}`:                           true,
		head + `"Resource": "arn:aws:s3:::b/${*}"}}`:                                                 false,
		head + `"Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}}`:           true,
		strings.Replace(head, "2012-10-17", "2008-10-17", 1) + `"Resource": "arn:aws:s3:::${a:b}"}}`: false,
	} {
		all := policy.Policies{Identity: []policy.Attached{{Name: "p", Policy: must(doc, policy.Identity)}}}
		if got := all.Ask(); got != want {
			t.Errorf("%s: %v", doc, got)
		}
		boundary := policy.Policies{Boundary: all.Identity, Identity: []policy.Attached{{Name: "none"}}}
		if got := boundary.Ask(); got != want {
			t.Errorf("as boundary, %s: %v", doc, got)
		}
	}
}

// TestPublic shows which policies let everybody in.
func TestPublic(t *testing.T) {
	const who = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": `
	for doc, want := range map[string]bool{
		who + `"*"}}`:                                 true,
		who + `{"AWS": "*"}}}`:                        true,
		who + `{"AWS": ["111122223333", "*"]}}}`:      true,
		who + `{"AWS": "111122223333"}}}`:             false,
		who + `{"Service": "lambda.amazonaws.com"}}}`: false,
		who + `"*", "Condition": {"StringEquals": {"AWS:PrincipalAccount": "111122223333"}}}}`:              false,
		who + `"*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}}}}`:      true,
		who + `"*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}}}`:           true,
		who + `"*", "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}}`:                               true,
		who + `"*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}}`:                           false,
		who + `"*", "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}}}`:            true,
		who + `"*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}}`:                               true,
		strings.Replace(who, "Allow", "Deny", 1) + `"*"}}`:                                                  false,
		strings.Replace(strings.Replace(who, "Allow", "Deny", 1), "Principal", "NotPrincipal", 1) + `"*"}}`: false,
	} {
		if got := must(doc, policy.Resource).Public(); got != want {
			t.Errorf("%s: %v", doc, got)
		}
	}
}
