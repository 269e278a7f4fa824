package policy

import "strings"

// statement is a compiled statement. It applies to a request if all of its
// elements do.
type statement struct {
	sid        string
	allow      bool
	notAction  bool
	actions    []string // "*" and "?" in them are wildcards
	notRes     bool
	resources  []arnPattern
	principals *principals // nil in policies of identities
	conditions []condition

	written *clause // as it was read, for explanations
}

// compile makes a policy of a document that was checked.
func (d *document) compile(k Kind) (*Policy, error) {
	p := &Policy{kind: k, version: d.version, statements: make([]statement, len(d.statements))}
	for i := range d.statements {
		c, s := &d.statements[i], &p.statements[i]
		*s = statement{
			sid: c.sid, allow: c.effect == "Allow",
			notAction: c.action.not, actions: c.action.values,
			notRes: c.resource.not, resources: c.resource.compile(d.version == Version2012),
			principals: c.principal.compile(), conditions: c.compiled,
			written: c,
		}
		p.denies = p.denies || !s.allow
	}
	return p, nil
}

// compile: a policy that names no resource is of the one it is attached to.
func (e *element) compile(variables bool) []arnPattern {
	if !e.present {
		return []arnPattern{{any: true}}
	}
	list := make([]arnPattern, len(e.values))
	for i, r := range e.values {
		if r != "*" {
			r += strings.Repeat(":*", max(0, resourcePart-strings.Count(r, ":")))
		}
		list[i] = newARNPattern(r, syntax{wildcards: true}, syntax{wildcards: true, variables: variables})
	}
	return list
}

// applies says whether the statement is about the request, and by which name it
// lets the principal in. Statements without principals are about whoever they are
// attached to.
func (s *statement) applies(q *question) (reach, bool) {
	if !s.matchesAction(q) || !s.matchesResource(q) {
		return unnamed, false
	}
	by, ok := s.matchesPrincipal(q)
	if !ok {
		return unnamed, false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(&q.r.Keys, s.allow) {
			return unnamed, false
		}
	}
	return by, true
}

func (s *statement) matchesAction(q *question) bool {
	for _, a := range s.actions {
		if matchAction(a, q.r.Action) {
			return !s.notAction
		}
	}
	return s.notAction
}

// matchesResource: a pattern with an unknown variable is no match; in a NotResource
// it is taken for what is worse for the caller, as in conditions.
func (s *statement) matchesResource(q *question) bool {
	for i := range s.resources {
		ok, known := s.resources[i].match(&q.resource, q.isARN, &q.r.Keys)
		if ok || !known && s.notRes && s.allow {
			return !s.notRes
		}
	}
	return s.notRes
}

// matchesPrincipal: whoever has a permissions boundary is denied by every
// NotPrincipal.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (s *statement) matchesPrincipal(q *question) (reach, bool) {
	switch {
	case s.principals == nil:
		return byName, true
	case s.principals.not:
		return byName, q.bounded || !s.principals.excepts(&q.r.Principal)
	}
	by := s.principals.reach(&q.r.Principal)
	return by, by != unnamed
}
