package policy

import (
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// principals is a compiled Principal or NotPrincipal.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type principals struct {
	not       bool
	everyone  bool
	accounts  []string
	arns      []string // of users, roles and sessions
	ids       []string // unique ids of users and roles
	services  []string
	providers []string
	canonical []string
}

// reach is by which of its names a policy lets a principal in. Larger is stronger:
// what the grant is still limited by depends on it.
type reach uint8

const (
	unnamed   reach = iota // the policy doesn't let it in
	byAccount              // by its account, which delegates to its own policies
	byIssuer               // a session, by its role or by the user that federated
	byName                 // by itself, or everybody is let in
)

// check refuses what can't name a principal in a policy of the kind.
func (g *grantees) check(k Kind, effect string) error {
	switch {
	case !g.present:
		return resourceSpeech.missing("Principal")
	case g.not && effect == "Allow":
		return malformed("Allow with NotPrincipal is not allowed.")
	case g.not && k == Trust:
		return malformed("AssumeRole policy must not contain NotPrincipal field.")
	case g.everyone && k == Trust:
		return malformed(`AssumeRolepolicy contained an invalid principal: "STAR":"*".`)
	case !g.everyone && len(g.groups) == 0:
		return malformed("Missing required field Principal cannot be empty!")
	}
	for _, group := range g.groups {
		if len(group.values) == 0 {
			return malformed("Missing required field Principal cannot be empty!")
		}
		for _, v := range group.values {
			if !isPrincipal(group.kind, v) || k == Trust && group.kind == "CanonicalUser" {
				return malformed(`Invalid principal in policy: "%.32s":"%.512s"`, strings.ToUpper(group.kind), v)
			}
		}
	}
	return nil
}

// isPrincipal: only "*" alone stands for more than one principal.
func isPrincipal(kind, v string) bool {
	if v == "" || v != "*" && strings.ContainsAny(v, "*?") {
		return false
	}
	switch kind {
	case "AWS":
		return v == "*" || isAccount(v) || isID(v) || isPrincipalARN(v)
	case "Service", "Federated", "CanonicalUser":
		return v != "*"
	}
	return false
}

func isAccount(v string) bool {
	return len(v) == 12 && strings.Trim(v, "0123456789") == ""
}

// isID: AIDAEXAMPLE..., AROAEXAMPLE...
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func isID(v string) bool {
	return len(v) >= 16 && len(v) <= 128 && v[0] == 'A' && strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func isPrincipalARN(v string) bool {
	a, err := arn.Parse(v)
	if err != nil || a.Region != "" || a.Account == "" {
		return false
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "iam" && a.Resource == "root":
		return true
	case a.Service == "iam":
		return (kind == "user" || kind == "role") && name != ""
	case a.Service == "sts" && kind == "assumed-role":
		role, session, _ := strings.Cut(name, "/")
		return role != "" && session != ""
	}
	return a.Service == "sts" && kind == "federated-user" && name != ""
}

func (g *grantees) compile() *principals {
	if !g.present {
		return nil
	}
	p := &principals{not: g.not, everyone: g.everyone}
	for _, group := range g.groups {
		for _, v := range group.values {
			p.add(group.kind, v)
		}
	}
	return p
}

func (p *principals) add(kind, v string) {
	switch kind {
	case "Service":
		p.services = append(p.services, v)
	case "Federated":
		p.providers = append(p.providers, v)
	case "CanonicalUser":
		p.canonical = append(p.canonical, v)
	default:
		p.addAWS(v)
	}
}

func (p *principals) addAWS(v string) {
	switch a, err := arn.Parse(v); {
	case v == "*":
		p.everyone = true
	case isAccount(v):
		p.accounts = append(p.accounts, v)
	case err == nil && a.Resource == "root":
		p.accounts = append(p.accounts, a.Account)
	case err == nil:
		p.arns = append(p.arns, v)
	default:
		p.ids = append(p.ids, v)
	}
}

// reach is the strongest name by which a Principal element lets who in.
func (p *principals) reach(who *Principal) reach {
	if p.everyone {
		return byName
	}
	switch who.Type {
	case Anonymous:
		return unnamed
	case Service:
		return byNameIf(slices.Contains(p.services, who.Service))
	case Federated:
		return byNameIf(slices.Contains(p.providers, who.Provider))
	case Root:
		return byNameIf(p.hasAccount(who))
	}
	switch {
	case slices.Contains(p.arns, who.ARN), who.Type == User && p.hasID(who):
		return byName
	case p.hasIssuer(who), who.Provider != "" && slices.Contains(p.providers, who.Provider):
		return byIssuer
	case p.hasAccount(who):
		return byAccount
	}
	return unnamed
}

func byNameIf(ok bool) reach {
	if ok {
		return byName
	}
	return unnamed
}

func (p *principals) hasAccount(who *Principal) bool {
	return who.Account != "" && slices.Contains(p.accounts, who.Account) ||
		who.CanonicalID != "" && slices.Contains(p.canonical, who.CanonicalID)
}

func (p *principals) hasID(who *Principal) bool {
	return who.ID != "" && slices.Contains(p.ids, who.ID)
}

// hasIssuer: is a session's role, or the user that federated, in the list?
func (p *principals) hasIssuer(who *Principal) bool {
	return who.Issuer != "" && slices.Contains(p.arns, who.Issuer) || p.hasID(who)
}

// excepts says whether a NotPrincipal element leaves who out of what is denied. That
// takes every name of it: its account, its role or user, and the session itself.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (p *principals) excepts(who *Principal) bool {
	if p.everyone {
		return true
	}
	switch who.Type {
	case Anonymous:
		return false
	case Service, Federated:
		return p.reach(who) == byName
	case Root:
		return p.hasAccount(who)
	case User:
		return p.hasAccount(who) && (slices.Contains(p.arns, who.ARN) || p.hasID(who))
	}
	issuer := p.hasIssuer(who) || strings.HasSuffix(who.Issuer, ":root")
	return p.hasAccount(who) && issuer && slices.Contains(p.arns, who.ARN)
}
