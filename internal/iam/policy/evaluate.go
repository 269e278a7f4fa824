package policy

import "strings"

// Evaluate decides the request by the policies that apply to it. The way it takes is
// drawn in the package's documentation.
func Evaluate(r *Request, p *Policies) Decision {
	q := ask(r, p)
	if len(r.Action) > maxAction {
		return q.missing(Identity) // no such action exists, nor a policy that names it
	}
	if d, denied := q.collect(); denied {
		return d
	}
	return q.decide()
}

// question is a request on its way to a decision.
type question struct {
	r        *Request
	p        *Policies
	resource arnParts
	isARN    bool
	bounded  bool // the principal has a permissions boundary

	// What allows the request, of each kind of policy.
	identity, boundary, session, named grant
}

// grant is the statement that allows, and by which name of the principal.
type grant struct {
	by   reach
	from Source
}

func (g *grant) ok() bool { return g.by != unnamed }

func ask(r *Request, p *Policies) question {
	q := question{r: r, p: p, bounded: len(p.Boundary) > 0}
	q.resource, q.isARN = cutARN(r.Resource)
	return q
}

// collect goes through all policies once: a Deny that applies ends it; of what
// allows, the strongest is kept.
func (q *question) collect() (Decision, bool) {
	if d, denied := q.read(Identity, q.p.Identity, &q.identity); denied {
		return d, true
	}
	if d, denied := q.read(Boundary, q.p.Boundary, &q.boundary); denied {
		return d, true
	}
	if d, denied := q.read(Session, q.p.Session, &q.session); denied {
		return d, true
	}
	return q.read(Resource, q.p.Resource, &q.named)
}

func (q *question) read(k Kind, list []Attached, g *grant) (Decision, bool) {
	for i := range list {
		p := list[i].Policy
		if !list[i].fits(k) {
			return Decision{Explicit: true, By: Source{Kind: k, Policy: list[i].Name, Index: -1}}, true
		}
		if g.by == byName && !p.denies {
			continue
		}
		kind := k
		if k == Resource {
			kind = p.kind
		}
		for n := range p.statements {
			s := &p.statements[n]
			if s.allow && g.by == byName {
				continue
			}
			by, applies := s.applies(q)
			if !applies || s.allow && by <= g.by {
				continue
			}
			from := Source{Kind: kind, Policy: list[i].Name, Sid: s.sid, Index: n}
			if !s.allow {
				return Decision{Explicit: true, By: from}, true
			}
			*g = grant{by, from}
		}
	}
	return Decision{}, false
}

// fits: is there a policy, and one that may stand in a list of the kind?
func (a *Attached) fits(k Kind) bool {
	return a.Policy != nil && a.Policy.kind.namesPrincipals() == k.namesPrincipals()
}

// decide is the decision if nothing denies.
func (q *question) decide() Decision {
	who := &q.r.Principal
	switch {
	case who.Type == Anonymous || who.Type == Service || who.Type == Federated:
		// There are no policies of theirs: the resource's decide.
		if !q.named.ok() {
			return q.missing(Resource)
		}
		return allowed(&q.named)
	case !q.sameAccount():
		return q.decideAcross()
	}
	return q.decideWithin()
}

// decideWithin is for a principal and a resource of one account.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
func (q *question) decideWithin() Decision {
	switch q.named.by {
	case byName:
		return allowed(&q.named)
	case byIssuer:
		if k := q.limit(); k != 0 {
			return q.missing(k)
		}
		return allowed(&q.named)
	case unnamed:
		if q.resourceMustAllow() {
			return q.missing(Resource)
		}
	}
	if k := q.lacks(); k != 0 {
		return q.missing(k)
	}
	return allowed(&q.identity)
}

// decideAcross is for a resource of another account: both accounts have to agree.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func (q *question) decideAcross() Decision {
	if k := q.lacks(); k != 0 {
		return q.missing(k)
	}
	if !q.named.ok() {
		return q.missing(Resource)
	}
	return allowed(&q.named)
}

func allowed(g *grant) Decision { return Decision{Allowed: true, By: g.from} }

// missing refuses because no policy of the kind allows.
func (q *question) missing(k Kind) Decision {
	if k == Resource && q.isTrust() {
		k = Trust
	}
	return Decision{By: Source{Kind: k, Index: -1}}
}

// lacks is the first kind of the principal's own policies that doesn't allow; 0 if
// they all do. A root user needs no policy in its account, and neither does a session
// it federated.
func (q *question) lacks() Kind {
	if !q.identity.ok() && !q.isRoot() {
		return Identity
	}
	return q.limit()
}

// limit is the first kind of policy that limits the principal and doesn't allow; 0 if
// none does. A federated user without session policies has no permissions of its own.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getfederationtoken.html
func (q *question) limit() Kind {
	switch {
	case q.bounded && !q.boundary.ok():
		return Boundary
	case !q.session.ok() && (len(q.p.Session) > 0 || q.r.Principal.Type == FederatedUser):
		return Session
	}
	return 0
}

func (q *question) isRoot() bool {
	who := &q.r.Principal
	return who.Type == Root || who.Type == FederatedUser && strings.HasSuffix(who.Issuer, ":root")
}

func (q *question) isTrust() bool {
	for i := range q.p.Resource {
		if p := q.p.Resource[i].Policy; p != nil && p.kind == Trust {
			return true
		}
	}
	return false
}

func (q *question) resourceMustAllow() bool { return q.p.ResourceMustAllow || q.isTrust() }

// sameAccount: what says no account, or AWS's own as its managed policies do, is
// in whichever account asks.
func (q *question) sameAccount() bool {
	owner := q.r.ResourceAccount
	if owner == "" {
		owner = q.resource[accountPart]
	}
	return owner == "" || owner == "aws" || owner == q.r.Principal.Account
}
