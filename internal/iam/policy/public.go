package policy

import "strings"

// narrowing are the condition keys that tell callers apart: an Allow for everybody
// that asks for one of them is for somebody.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
var narrowing = []string{
	"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalServiceName",
	"aws:SourceAccount", "aws:SourceArn", "aws:SourceIp", "aws:SourceOrgID", "aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpce", "aws:userid",
}

// Public says whether the policy lets everybody in: one of its statements allows
// something to everybody, and asks for nothing that tells callers apart.
func (p *Policy) Public() bool {
	for i := range p.statements {
		s := &p.statements[i]
		if s.allow && s.principals != nil && s.principals.everyone && !s.principals.not && !s.narrows() {
			return true
		}
	}
	return false
}

func (s *statement) narrows() bool {
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.op.null || c.op.negated || c.ifExists || c.set == forAllValues || c.open() {
			continue // it holds for whoever doesn't have the key, or for every value
		}
		for _, key := range narrowing {
			if strings.EqualFold(key, c.key.text) {
				return true
			}
		}
	}
	return false
}

// open: one of the operands is anything.
func (c *condition) open() bool {
	for _, v := range c.written {
		if strings.Trim(v, "*") == "" || v == "0.0.0.0/0" || v == "::/0" {
			return true
		}
	}
	return false
}
