package audit

import "github.com/mayfly-cloud/mayfly/internal/iam/policy"

// Refusal is why permission was refused.
type Refusal struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	// Explicit is set where statements denied the request, the Denials; else nothing
	// allowed it.
	Explicit bool `json:"explicit"`
	// Kind is the kind of policy that decided, or would have had to allow it.
	Kind string `json:"kind"`
	// Policies are all that were looked at, statement by statement.
	Policies []Looked `json:"policies"`
	// Denials are the statements that denied it.
	Denials []Statement `json:"denials,omitempty"`
	// Remedies are the smallest statements that would allow it, each in a policy of
	// its kind, once nothing denies it.
	Remedies []Remedy `json:"remedies,omitempty"`
	// Omitted are statements that were looked at and are not listed, for their number.
	Omitted int `json:"omitted,omitempty"`
}

// Looked is a policy that was looked at.
type Looked struct {
	Kind       string    `json:"kind"`
	Policy     string    `json:"policy"`
	Statements []Verdict `json:"statements"`
}

// Verdict is what became of one statement of a policy.
type Verdict struct {
	Index   int    `json:"index"` // from 0
	Sid     string `json:"sid,omitempty"`
	Effect  string `json:"effect"`
	Applies bool   `json:"applies"`
	// Miss is the element by which it didn't apply, and Why says how.
	Miss string `json:"miss,omitempty"`
	Why  string `json:"why,omitempty"`
}

// Statement is a statement of a policy; its Index is -1 if the policy as a whole is
// meant, because it couldn't be read.
type Statement struct {
	Kind   string `json:"kind"`
	Policy string `json:"policy"`
	Sid    string `json:"sid,omitempty"`
	Index  int    `json:"index"`
}

// Remedy is the smallest statement that would allow what a kind of policy didn't.
type Remedy struct {
	Kind      string `json:"kind"`
	Statement string `json:"statement"` // JSON
}

// Bounds of one refusal.
const (
	maxVerdicts = 60
	maxWhy      = 300
	maxRemedy   = 4 << 10
)

// newRefusal explains a denial.
func newRefusal(d *Denial) *Refusal {
	e := policy.Explain(&d.Request, &d.Policies)
	r := &Refusal{
		Action: clean(d.Request.Action), Resource: clean(d.Request.Resource),
		Explicit: d.Decision.Explicit, Kind: d.Decision.By.Kind.String(), Policies: []Looked{},
	}
	for i := range e.Statements {
		if i == maxVerdicts {
			r.Omitted = len(e.Statements) - i
			break
		}
		r.look(&e.Statements[i])
	}
	for _, s := range e.Denials[:min(len(e.Denials), maxVerdicts)] {
		r.Denials = append(r.Denials, Statement{s.Kind.String(), clean(s.Policy), clean(s.Sid), s.Index})
	}
	for _, m := range e.Remedies {
		if len(m.Statement) <= maxRemedy {
			r.Remedies = append(r.Remedies, Remedy{m.Kind.String(), m.Statement})
		}
	}
	return r
}

func (r *Refusal) look(v *policy.Verdict) {
	kind, name := v.Kind.String(), clean(v.Policy)
	last := len(r.Policies) - 1
	if last < 0 || r.Policies[last].Kind != kind || r.Policies[last].Policy != name || v.Index == 0 {
		r.Policies = append(r.Policies, Looked{Kind: kind, Policy: name})
		last++
	}
	why := clean(v.Why)
	if len(why) > maxWhy {
		why = clean(why[:maxWhy]) + "..."
	}
	p := &r.Policies[last]
	p.Statements = append(p.Statements, Verdict{v.Index, clean(v.Sid), v.Effect, v.Applies, v.Miss, why})
}
