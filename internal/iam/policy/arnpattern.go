package policy

import "strings"

// arnParts is an ARN cut at its first five colons. The last part keeps the rest.
type arnParts [6]string

const (
	prefixPart    = 0
	partitionPart = 1
	servicePart   = 2
	regionPart    = 3
	accountPart   = 4
	resourcePart  = 5
)

// cutARN cuts an ARN without allocating; ok is false if s is none.
func cutARN(s string) (a arnParts, ok bool) {
	if !strings.HasPrefix(s, "arn:") {
		return a, false
	}
	for i := range resourcePart {
		n := strings.IndexByte(s, ':')
		if n < 0 {
			return a, false
		}
		a[i], s = s[:n], s[n+1:]
	}
	a[resourcePart] = s
	return a, true
}

// arnPattern matches ARNs part by part: a "*" in one never reaches into the next,
// but in the last, which may have colons of its own.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
type arnPattern struct {
	any   bool // "*": whatever it is, an ARN or none
	parts [6]pattern
}

// newARNPattern compiles the pattern of an ARN. What may be in its last part and in
// the ones before it differs for resources, which take variables in the last alone.
// Parts missing after a "*" are any; one that just ends early matches nothing.
func newARNPattern(s string, before, last syntax) arnPattern {
	if s == "*" {
		return arnPattern{any: true}
	}
	var p arnPattern
	open := strings.HasSuffix(s, "*")
	for i := range resourcePart {
		n := colon(s, before.variables)
		if n < 0 && !open {
			return arnPattern{}
		}
		if n < 0 {
			s, n = s+":*", len(s)
		}
		p.parts[i] = newPattern(s[:n], before)
		s = s[n+1:]
	}
	p.parts[resourcePart] = newPattern(s, last)
	return p
}

// colon is the place of the first colon outside of variables.
func colon(s string, variables bool) int {
	for i := 0; i < len(s); i++ {
		if variables && strings.HasPrefix(s[i:], "${") {
			if end := strings.IndexByte(s[i:], '}'); end > 0 {
				i += end
				continue
			}
		}
		if s[i] == ':' {
			return i
		}
	}
	return -1
}

// matchOrder has the parts that differ most first.
var matchOrder = [...]int{servicePart, accountPart, regionPart, partitionPart, prefixPart}

// match compares s, which is cut into a if isARN, with the pattern.
func (p *arnPattern) match(a *arnParts, isARN bool, k *Keys) (ok, known bool) {
	if p.any {
		return true, true
	}
	if !isARN {
		return false, true
	}
	for _, i := range &matchOrder {
		if ok, known := p.parts[i].match(a[i], k); !ok {
			return false, known
		}
	}
	return p.parts[resourcePart].match(a[resourcePart], k)
}
