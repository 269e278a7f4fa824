package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// What somebody made a condition of is not advised away in silence.
func TestExplainCondition(t *testing.T) {
	const refusal = `{"who": {"type": "Anonymous", "name": "anonymous"}, "refusal": {
		"action": "sts:AssumeRole", "resource": "arn:aws:iam::123456789012:role/dev", "kind": "role trust policy",
		"policies": [{"kind": "role trust policy", "policy": "dev", "statements": [
			{"index": 0, "effect": "Allow", "miss": "Action", "why": "sts:AssumeRole is not sts:TagSession"},
			{"index": 1, "effect": "Allow", "miss": "Condition", "why": "sts:ExternalId is absent, and has to be StringEquals e1"}]}],
		"remedies": [{"kind": "role trust policy", "statement": "{\"Effect\":\"Allow\"}"}]}}`
	var e auditEvent
	if err := json.Unmarshal([]byte(refusal), &e); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := e.explain(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  as    nobody in particular: the request was not signed\n",
		"    statement 1 allows something else; its Action: sts:AssumeRole is not sts:TagSession\n",
		"    statement 2 allows it only if a condition is met that isn't: sts:ExternalId is absent, and has to be StringEquals e1\n",
		"A request that meets the condition is allowed by a role trust policy that is there.\n",
		"To allow it without that condition, which somebody may have put there for a reason:\n\nThe smallest statement of a role trust policy that allows it:\n\n  {\"Effect\":\"Allow\"}\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("said\n%s\nwithout %q", b.String(), want)
		}
	}
}
