package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// whyRefusal is what the node answers of a refusal.
type whyRefusal struct {
	Action   string      `json:"action"`
	Resource string      `json:"resource"`
	Explicit bool        `json:"explicit"`
	Kind     string      `json:"kind"`
	Policies []whyPolicy `json:"policies"`
	Denials  []whyDenial `json:"denials,omitempty"`
	Remedies []whyRemedy `json:"remedies,omitempty"`
	Omitted  int         `json:"omitted,omitempty"`
}

// whyPolicy is a policy that was looked at, and what became of its statements.
type whyPolicy struct {
	Kind       string `json:"kind"`
	Policy     string `json:"policy"`
	Statements []struct {
		Index   int    `json:"index"`
		Sid     string `json:"sid,omitempty"`
		Effect  string `json:"effect"`
		Applies bool   `json:"applies"`
		Miss    string `json:"miss,omitempty"`
		Why     string `json:"why,omitempty"`
	} `json:"statements"`
}

// whyDenial is a statement that denies; Index is -1 for a policy that can't be read.
type whyDenial struct {
	Kind   string `json:"kind"`
	Policy string `json:"policy"`
	Sid    string `json:"sid,omitempty"`
	Index  int    `json:"index"`
}

// whyRemedy is a statement that would allow it, in a policy of the kind.
type whyRemedy struct {
	Kind      string `json:"kind"`
	Statement string `json:"statement"`
}

const identityPolicy = "identity-based policy"

func newWhyDenied(s *settings) *cobra.Command {
	var document bool
	cmd := &cobra.Command{
		Use:   "why-denied REQUEST_ID",
		Short: "Explain why a request was refused, and what would allow it",
		Long: `Why-denied explains a refusal: who asked for what, which policies were looked at, why
none of them allowed it or which denied it, and the smallest statement that would
allow it. The request id is in the refused answer, and in mayfly audit --denied.`,
		Example: `  mayfly why-denied 0f8fad5b-d9cb-469f-a165-70867728950e
  mayfly why-denied --policy 0f8fad5b-d9cb-469f-a165-70867728950e > more.json
  mayfly deploy . --policy more.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			list, _, err := c.events(cmd.Context(), url.Values{"request": {args[0]}})
			if err != nil {
				return err
			}
			e, err := refused(args[0], list)
			switch {
			case err != nil:
				return err
			case document:
				return e.printDocument(cmd.OutOrStdout())
			case s.json:
				return printJSON(cmd.OutOrStdout(), e)
			}
			return e.explain(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&document, "policy", false, "print only the policy that would allow it, for mayfly deploy --policy")
	return cmd
}

// refused finds the refusal among the events of a request.
func refused(request string, list []auditEvent) (*auditEvent, error) {
	for i := range list {
		if list[i].Refusal != nil {
			return &list[i], nil
		}
	}
	const see = "See what was refused: mayfly audit --denied"
	if len(list) == 0 {
		return nil, hint(fmt.Errorf("no refused request %.60q is in the audit trail", request), see)
	}
	if list[0].ErrorCode != "" {
		return nil, hint(fmt.Errorf("permission was not what it lacked: it ended with %s: %s", list[0].ErrorCode, list[0].ErrorMessage), see)
	}
	return nil, hint(errors.New("it was not refused: it went well"), see)
}

func (e *auditEvent) explain(w io.Writer) error {
	r, p := e.Refusal, &paragraphs{w: w}
	p.line("%s was refused %s", bold(w, e.Who.Name), bold(w, r.Action))
	p.line("  on    %s", r.Resource)
	p.line("  as    %s", cmp.Or(e.Who.ARN, "nobody in particular: the request was not signed"))
	from := ""
	if e.SourceIP != "" {
		from = ", from " + e.SourceIP
	}
	p.line("  at    %s UTC%s", e.Time.UTC().Format("2006-01-02 15:04:05"), from)
	p.line("")
	if len(r.Denials) > 0 {
		p.line("It is denied, and a deny wins over everything that allows:")
		for _, d := range r.Denials {
			if d.Index < 0 {
				p.line("  the %s %s can't be read; while it is there it denies everything", d.Kind, d.Policy)
				continue
			}
			p.line("  %s of the %s %s", statementName(d.Index, d.Sid), d.Kind, d.Policy)
		}
		p.line("That has to go, or to leave this out.")
	} else {
		p.line("Nothing denies it, but no %s allows it, and what isn't allowed is refused.", r.Kind)
	}
	p.line("")
	r.looked(p)
	e.remedies(p)
	return p.err
}

// looked says which policies were looked at, and what became of each statement.
func (r *whyRefusal) looked(p *paragraphs) {
	if len(r.Policies) == 0 {
		p.line("There is no policy that could have: none is attached, and none is on the resource.")
	} else {
		p.line("Looked at:")
	}
	for _, l := range r.Policies {
		p.line("  %s %s", l.Kind, bold(p.w, l.Policy))
		for _, s := range l.Statements {
			verb := strings.ToLower(s.Effect) + "s"
			if s.Effect == "Deny" {
				verb = "denies"
			}
			name := statementName(s.Index, s.Sid)
			switch {
			case s.Applies:
				p.line("    %s %s it", name, verb)
			case s.Miss == conditionMiss:
				p.line("    %s %s it only if a condition is met that isn't: %s", name, verb, s.Why)
			default:
				p.line("    %s %s something else; its %s: %s", name, verb, s.Miss, s.Why)
			}
		}
	}
	if r.Omitted > 0 {
		p.line("  and %d more statements, none of which allowed it", r.Omitted)
	}
	p.line("")
}

// conditionMiss is the Miss of a statement that all but its condition lets apply.
const conditionMiss = "Condition"

// nearly says whether a policy of the kind allows it under a condition that isn't met.
func (r *whyRefusal) nearly(kind string) bool {
	for _, l := range r.Policies {
		for _, s := range l.Statements {
			if l.Kind == kind && s.Effect == "Allow" && s.Miss == conditionMiss {
				return true
			}
		}
	}
	return false
}

// remedies prints what would allow it, and how to give it.
func (e *auditEvent) remedies(p *paragraphs) {
	r := e.Refusal
	for _, m := range r.Remedies {
		if r.nearly(m.Kind) {
			p.line("A request that meets the condition is allowed by %s %s that is there.", article(m.Kind), m.Kind)
			p.line("To allow it without that condition, which somebody may have put there for a reason:")
			p.line("")
		}
		after := ""
		if len(r.Denials) > 0 {
			after = ", once nothing denies it"
		}
		p.line("The smallest statement of %s %s that allows it%s:", article(m.Kind), m.Kind, after)
		p.line("")
		p.line("  %s", m.Statement)
		p.line("")
	}
	if len(r.Remedies) == 0 && len(r.Denials) > 0 {
		p.line("Nothing has to be added: it is allowed once nothing denies it.")
		return
	}
	if len(r.Remedies) == 0 && strings.EqualFold(r.Action, "iam:PassRole") {
		p.line("No policy can allow it: roles are passed within their account.")
	}
	if len(r.Remedies) == 0 || r.Remedies[0].Kind != identityPolicy {
		return
	}
	if e.Who.Function != "" {
		p.line("Give it to the function, as one of:")
		if grant := r.Remedies[0].grant(); grant != "" {
			p.line("  mayfly deploy DIR --name %s --allow %s", nameInARN(e.Who.Function), shellQuoted(grant))
		}
		p.line("  mayfly why-denied --policy %s > more.json && mayfly deploy DIR --name %s --policy more.json", e.RequestID, nameInARN(e.Who.Function))
		return
	}
	p.line("As a policy, for aws iam put-user-policy or put-role-policy: mayfly why-denied --policy %s", e.RequestID)
}

// grant is the statement as mayfly deploy --allow takes it; empty if that can't say it.
func (m *whyRemedy) grant() string {
	var s struct {
		Action, Resource     string
		Principal, Condition json.RawMessage
	}
	if json.Unmarshal([]byte(m.Statement), &s) != nil || s.Resource == "" || s.Principal != nil || s.Condition != nil {
		return ""
	}
	return s.Action + " on " + s.Resource
}

// shellQuoted writes a text that a stranger may have chosen so that a shell takes it
// as one word.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// printDocument prints the policy that would allow it.
func (e *auditEvent) printDocument(w io.Writer) error {
	var statements []json.RawMessage
	for _, m := range e.Refusal.Remedies {
		if m.Kind == identityPolicy {
			statements = append(statements, json.RawMessage(m.Statement))
		}
	}
	if len(statements) == 0 {
		return hint(errors.New("no policy of the caller's own would allow it"), "See why: mayfly why-denied %s", e.RequestID)
	}
	return printJSON(w, struct {
		Version   string
		Statement []json.RawMessage
	}{"2012-10-17", statements})
}

func statementName(index int, sid string) string {
	if sid != "" {
		return fmt.Sprintf("statement %d (%s)", index+1, sid)
	}
	return fmt.Sprintf("statement %d", index+1)
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// nameInARN is the name of the function that an ARN names.
func nameInARN(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 6 {
		return parts[6]
	}
	return arn
}

// paragraphs prints lines until one fails.
type paragraphs struct {
	w   io.Writer
	err error
}

func (p *paragraphs) line(format string, args ...any) {
	if p.err == nil {
		if _, err := fmt.Fprintf(p.w, format+"\n", args...); err != nil {
			p.err = fmt.Errorf("print: %w", err)
		}
	}
}
