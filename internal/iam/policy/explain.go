package policy

import (
	"fmt"
	"strings"
)

// Explanation is why a request was decided as it was, statement by statement.
type Explanation struct {
	Decision Decision
	// Statements are all statements of all policies and what became of each.
	Statements []Verdict
	// Denials are the statements that deny the request: they would have to go.
	Denials []Source
	// Remedies are the statements that would have to be added, each to a policy of
	// its kind, for the request to be allowed once nothing denies it. There are none
	// if enough allows it already, or nothing can.
	Remedies []Remedy
}

// Verdict is what became of one statement.
type Verdict struct {
	Source
	Effect  string // "Allow" or "Deny"
	Applies bool
	// Miss is the element that kept the statement from applying ("Action",
	// "NotResource", "Principal", "Condition"), and Why says how in plain words.
	Miss, Why string
}

// Explain decides the request as Evaluate does and says why. It is for people who
// ask why they were refused, and slower.
func Explain(r *Request, p *Policies) Explanation {
	q := ask(r, p)
	e := Explanation{Decision: Evaluate(r, p)}
	q.explain(&e, Identity, p.Identity, &q.identity)
	q.explain(&e, Boundary, p.Boundary, &q.boundary)
	q.explain(&e, Session, p.Session, &q.session)
	q.explain(&e, Resource, p.Resource, &q.named)
	e.Remedies = q.remedies()
	return e
}

func (q *question) explain(e *Explanation, k Kind, list []Attached, g *grant) {
	for _, a := range list {
		if !a.fits(k) {
			e.Denials = append(e.Denials, Source{Kind: k, Policy: a.Name, Index: -1})
			continue
		}
		kind := k
		if k == Resource {
			kind = a.Policy.kind
		}
		for n := range a.Policy.statements {
			s := &a.Policy.statements[n]
			v := Verdict{Source: Source{Kind: kind, Policy: a.Name, Sid: s.sid, Index: n}, Effect: s.written.effect}
			var by reach
			if by, v.Applies = s.applies(q); !v.Applies {
				v.Miss, v.Why = s.miss(q)
			}
			e.Statements = append(e.Statements, v)
			switch {
			case v.Applies && !s.allow:
				e.Denials = append(e.Denials, v.Source)
			case v.Applies && by > g.by:
				*g = grant{by, v.Source}
			}
		}
	}
}

// miss is the first element that keeps the statement from applying, and how.
func (s *statement) miss(q *question) (element, why string) {
	c, r := s.written, q.r
	if !s.matchesAction(q) {
		return c.action.missing("Action", r.Action)
	}
	if !s.matchesResource(q) {
		element, why = c.resource.missing("Resource", r.Resource)
		return element, why + s.unknownVariables(q)
	}
	if _, ok := s.matchesPrincipal(q); !ok {
		if c.principal.not {
			return "NotPrincipal", r.Principal.name() + " is excepted"
		}
		return "Principal", r.Principal.name() + " is not in it"
	}
	for i := range s.conditions {
		if c := &s.conditions[i]; !c.holds(&r.Keys, s.allow) {
			return "Condition", c.missing(&r.Keys)
		}
	}
	return "", ""
}

func (e *element) missing(name, asked string) (element, why string) {
	list := strings.Join(e.values, ", ")
	if e.not {
		return "Not" + name, fmt.Sprintf("%s is excepted by %s", asked, list)
	}
	return name, fmt.Sprintf("%s is not %s", asked, list)
}

// unknownVariables lists the variables of the statement's resources that the request
// has no value for.
func (s *statement) unknownVariables(q *question) string {
	var b strings.Builder
	for i := range s.resources {
		for _, chunk := range s.resources[i].parts[resourcePart].chunks {
			for j := range chunk {
				if chunk[j].op != variablePiece {
					continue
				}
				if _, ok := chunk[j].value(&q.r.Keys); !ok {
					fmt.Fprintf(&b, "; the request has no value for ${%s}", chunk[j].key.text)
				}
			}
		}
	}
	return b.String()
}

func (c *condition) missing(k *Keys) string {
	values := k.get(&c.key)
	has := "is " + strings.Join(values, ", ")
	if len(values) == 0 {
		has = "is absent"
	}
	return fmt.Sprintf("%s %s, and has to be %s %s", c.key.text, has, c.text, strings.Join(c.written, ", "))
}
