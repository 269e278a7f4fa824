package policy

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// check applies the rules of the kind to what was read, and compiles the conditions.
// IAM looks for one kind of mistake in all statements before it looks for the next;
// so does this, so that of several mistakes the same is told.
func (d *document) check(k Kind) error {
	if k.namesPrincipals() {
		return d.checkResourcePolicy(k)
	}
	return d.checkIdentityPolicy(k)
}

func (d *document) checkIdentityPolicy(k Kind) error {
	var invalid error // the first value that its operator doesn't take
	rules := []func(*clause) error{
		checkEffect,
		func(c *clause) (err error) {
			c.compiled, err = compileConditions(c.conditions, d.version == Version2012)
			if errors.Is(err, errOperator) {
				return malformed("Syntax errors in policy.")
			}
			invalid = cmp.Or(invalid, err)
			return nil
		},
		func(*clause) error {
			if k == Managed && d.version != Version2012 {
				return malformed("Policy document must be version 2012-10-17 or greater.")
			}
			return nil
		},
		checkLegacyEffect,
		func(c *clause) error {
			if invalid != nil || c.hasLegacyARN() {
				return malformed("The policy failed legacy parsing")
			}
			return nil
		},
		checkNoPrincipal,
		checkSid,
		differentSids(&identitySpeech),
		checkHasActions,
		func(c *clause) error { return eachOf(c.resource.values, checkResource) },
		func(c *clause) error { return eachOf(c.action.values, checkAction) },
		checkHasResources,
	}
	for _, rule := range rules {
		if err := d.eachClause(rule); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) eachClause(rule func(*clause) error) error {
	for i := range d.statements {
		if err := rule(&d.statements[i]); err != nil {
			return err
		}
	}
	return nil
}

func eachOf(values []string, rule func(string) error) error {
	for _, v := range values {
		if err := rule(v); err != nil {
			return err
		}
	}
	return nil
}

func differentSids(s *speech) func(*clause) error {
	seen := map[string]bool{}
	return func(c *clause) error {
		if c.sid != "" && seen[c.sid] {
			return malformed("%s", s.duplicateSid)
		}
		seen[c.sid] = true
		return nil
	}
}

// checkEffect and checkLegacyEffect: the case matters, and IAM answers a wrong one
// differently.
func checkEffect(c *clause) error {
	if strings.EqualFold(c.effect, "Allow") || strings.EqualFold(c.effect, "Deny") {
		return nil
	}
	return malformed("Syntax errors in policy.")
}

func checkLegacyEffect(c *clause) error {
	if c.effect == "Allow" || c.effect == "Deny" {
		return nil
	}
	return malformed("The policy failed legacy parsing")
}

func checkNoPrincipal(c *clause) error {
	if c.principal.present {
		return malformed("Policy document should not specify a principal.")
	}
	return nil
}

func checkHasActions(c *clause) error {
	if len(c.action.values) == 0 {
		return malformed("Policy statement must contain actions.")
	}
	return nil
}

func checkHasResources(c *clause) error {
	if len(c.resource.values) == 0 {
		return malformed("Policy statement must contain resources.")
	}
	return nil
}

func checkSid(c *clause) error {
	for _, r := range c.sid {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return malformed("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
	}
	return nil
}

// maxAction bounds what an action may be; AWS's longest are under 100 characters.
const maxAction = 256

func checkAction(action string) error {
	if action == "*" {
		return nil
	}
	vendor, name, ok := strings.Cut(action, ":")
	switch {
	case !ok:
		return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	case strings.Contains(name, ":"):
		return malformed("Actions/Condition can contain only one colon.")
	case vendor != "*" && strings.ContainsFunc(vendor, notInVendor) || vendor == "" || len(action) > maxAction:
		return malformed("Vendor %.64s is not valid", vendor)
	}
	return nil
}

func notInVendor(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
}

// iamPaths are how the resource part of an ARN of IAM may start.
var iamPaths = []string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}

// hasLegacyARN finds ARNs without a service, and those that have an empty part but
// not all six.
func (c *clause) hasLegacyARN() bool {
	return slices.ContainsFunc(c.resource.values, func(r string) bool {
		parts := strings.SplitN(r, ":", 6)
		return len(parts) > 2 && isPartition(parts[1]) &&
			(parts[2] == "" || len(parts) < 6 && strings.Contains(r, "::"))
	})
}

func isPartition(s string) bool {
	return s == "aws" || strings.HasPrefix(s, "aws-") || strings.ContainsAny(s, "*?")
}

// checkResource refuses what isn't the pattern of an ARN. Parts that are missing at
// the end of one stand for any.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func checkResource(r string) error {
	if r == "*" {
		return nil
	}
	parts := strings.SplitN(r, ":", 6)
	if len(parts) == 1 {
		return malformed(`Resource %.512s must be in ARN format or "*".`, r)
	}
	if !isPartition(parts[1]) || parts[0] != "arn" {
		for len(parts) < 6 {
			parts = append(parts, "*")
		}
		return malformed(`Partition "%.64s" is not valid for resource "arn:%.512s".`, parts[1], strings.Join(parts[1:], ":"))
	}
	if len(parts) < 3 || strings.ContainsAny(parts[2], "*?") {
		return malformed("Resource vendor must be fully qualified and cannot contain regexes.")
	}
	return checkServiceARN(r, parts)
}

func checkServiceARN(r string, parts []string) error {
	hasRegion := len(parts) > 3 && parts[3] != "" && parts[3] != "*"
	switch {
	case parts[2] == "iam" && hasRegion:
		return malformed("IAM resource %.512s cannot contain region information.", r)
	case parts[2] == "s3" && hasRegion:
		return malformed("Resource %.512s can not contain region information.", r)
	case parts[2] == "iam" && len(parts) == 6:
		fixed := parts[5]
		if i := strings.IndexAny(fixed, "*?$"); i >= 0 {
			fixed = fixed[:i]
		}
		if !slices.ContainsFunc(iamPaths, func(p string) bool {
			return strings.HasPrefix(fixed, p) || len(fixed) < len(parts[5]) && strings.HasPrefix(p, fixed)
		}) {
			return malformed(`IAM resource path must either be "*" or start with %s.`, strings.Join(iamPaths, ", "))
		}
	}
	return nil
}

// checkResourcePolicy applies the rules of policies that name principals.
func (d *document) checkResourcePolicy(k Kind) error {
	differ := differentSids(&resourceSpeech)
	return d.eachClause(func(c *clause) error {
		if err := c.checkNamed(k); err != nil {
			return err
		}
		var err error
		if c.compiled, err = compileConditions(c.conditions, d.version == Version2012); err != nil {
			return malformed("%s", resourceSpeech.syntax)
		}
		return differ(c)
	})
}

// checkNamed checks all of a statement that names principals but its conditions.
func (c *clause) checkNamed(k Kind) error {
	switch c.effect {
	case "Allow", "Deny":
	case "":
		return resourceSpeech.missing("Effect")
	default:
		return malformed("Invalid effect: %.64s", c.effect)
	}
	if err := c.principal.check(k, c.effect); err != nil {
		return err
	}
	if len(c.action.values) == 0 {
		return resourceSpeech.missing("Action")
	}
	check := checkAction
	if k == Trust {
		check = checkTrustAction
	}
	if err := eachOf(c.action.values, check); err != nil {
		return err
	}
	return c.resource.check(k)
}

func checkTrustAction(action string) error {
	if len(action) > maxAction || len(action) < 5 || !strings.EqualFold(action[:4], "sts:") {
		return malformed("AssumeRole policy may only specify STS AssumeRole actions.")
	}
	return nil
}

// check: a trust policy is of its role and names no resource. Any other resource
// policy may leave it out, as those of ECR do, and then is of what it is attached to.
func (e *element) check(k Kind) error {
	switch {
	case !e.present:
		return nil
	case k == Trust && e.not:
		return malformed("AssumeRole policy must not contain resources.")
	case k == Trust:
		return malformed("Has prohibited field Resource")
	case len(e.values) == 0:
		return resourceSpeech.missing("Resource")
	}
	for _, r := range e.values {
		if r != "*" && (!strings.HasPrefix(r, "arn:") || strings.Count(r, ":") < 5 && !strings.HasSuffix(r, "*")) {
			return malformed("Policy has invalid resource")
		}
	}
	return nil
}
