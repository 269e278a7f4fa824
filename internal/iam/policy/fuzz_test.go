package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// documents are all policies in testdata, as seeds.
func documents(f *testing.F) []string {
	paths, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	var list []string
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?s)\npolicy [^\n]+\n(.*?)\n----`).FindAllSubmatch(text, -1) {
			list = append(list, string(m[1]))
		}
		for _, m := range regexp.MustCompile(`(?m)^\{"Version.*\}$`).FindAll(text, -1) {
			list = append(list, string(m))
		}
	}
	if len(list) < 50 {
		f.Fatalf("only %d documents", len(list))
	}
	return list
}

// FuzzParse: whatever the bytes, an answer and never a panic; and what is taken is
// a policy that json agrees is an object, and that can be asked.
func FuzzParse(f *testing.F) {
	for _, doc := range documents(f) {
		for k := range 6 {
			f.Add([]byte(doc), byte(k+1))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, kind byte) {
		p, err := policy.Parse(doc, policy.Kind(kind))
		if err != nil {
			var m *policy.MalformedError
			if !errors.As(err, &m) || m.Reason == "" || len(m.Reason) > 4096 {
				t.Fatalf("%T %.5000v", err, err)
			}
			return
		}
		var object map[string]any
		if err := json.Unmarshal(doc, &object); err != nil {
			t.Fatalf("took what is no JSON object: %v", err)
		}
		p.ContextKeys()
		policy.Size(doc)
		attached := []policy.Attached{{Name: "p", Policy: p}}
		r := &policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: policy.Principal{Type: policy.User, Account: account}}
		policy.Evaluate(r, &policy.Policies{Identity: attached})
		policy.Evaluate(r, &policy.Policies{Resource: attached})
	})
}

// FuzzMatch compares StringLike with a matcher that tries everything.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"a*b?c", "aXbYc"}, {"*", ""}, {"", ""}, {"a", "b"}, {"**?**", "é"}, {"*ab*ab*", "xabab"}, {"*aab", "aaab"},
		{"?*?", "\xff\xfe"}, {"*a?c*", "abacadc"}, {"$*{", "$x{"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if strings.Contains(pattern, "${") || len(pattern) > 200 || len(text) > 200 {
			return
		}
		quoted, err := json.Marshal(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(quoted, &pattern); err != nil { // as JSON leaves it
			t.Fatal(err)
		}
		doc := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"k": %s}}}}`, quoted)
		p, err := policy.Parse([]byte(doc), policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		r := &policy.Request{Action: "s:A", Resource: "*", Principal: policy.Principal{Type: policy.User}}
		r.Keys.Set("k", text)
		got := policy.Evaluate(r, &policy.Policies{Identity: []policy.Attached{{Policy: p}}}).Allowed
		if want := tryAll([]rune(pattern), runes(text)); got != want {
			t.Errorf("%q matches %q: %t, want %t", pattern, text, got, want)
		}
	})
}

// runes cuts text as a "?" does: a byte that is no character is one by itself.
func runes(s string) (list []string) {
	for _, r := range []rune(s) {
		n := len(string(r))
		if r == '\uFFFD' && !strings.HasPrefix(s, "\uFFFD") {
			n = 1
		}
		list, s = append(list, s[:n]), s[n:]
	}
	return list
}

func tryAll(pattern []rune, text []string) bool {
	can := make([]bool, len(text)+1) // can[i]: the pattern so far matches text[:i]
	can[0] = true
	for _, p := range pattern {
		next := make([]bool, len(text)+1)
		for i := range can {
			switch {
			case p == '*':
				next[i] = can[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = can[i-1] && (p == '?' || string(p) == text[i-1])
			}
		}
		can = next
	}
	return can[len(text)]
}

// FuzzEvaluate: laws that hold for all policies and requests.
func FuzzEvaluate(f *testing.F) {
	docs := documents(f)
	for i, doc := range docs {
		f.Add(doc, docs[(i+1)%len(docs)], docs[(i+7)%len(docs)], byte(i), "s3:GetObject", "arn:aws:s3:::b/k", "aws:username", "alice")
	}
	f.Fuzz(func(t *testing.T, a, b, c string, how byte, action, resource, key, value string) {
		apply := &policy.Policies{ResourceMustAllow: how&1 != 0}
		for i, doc := range []string{a, b, c} {
			if p, err := policy.Parse([]byte(doc), policy.Identity); err == nil {
				list := []*[]policy.Attached{&apply.Identity, &apply.Boundary, &apply.Session}[i]
				*list = append(*list, policy.Attached{Name: "p", Policy: p})
			}
			if p, err := policy.Parse([]byte(doc), policy.Resource); err == nil {
				apply.Resource = append(apply.Resource, policy.Attached{Name: "r", Policy: p})
			}
		}
		r := &policy.Request{Principal: someone(how >> 1), Action: action, Resource: resource}
		r.Keys.Set(key, value)
		check(t, r, apply)
	})
}

// someone is one of the types of principal.
func someone(n byte) policy.Principal {
	const user = "arn:aws:iam::" + account + ":user/alice"
	return [...]policy.Principal{
		{},
		{Type: policy.Root, Account: account, ARN: "arn:aws:iam::" + account + ":root"},
		{Type: policy.User, Account: account, ARN: user, ID: "AIDAIOSFODNN7EXAMPLE"},
		{Type: policy.RoleSession, Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/app/one", Issuer: "arn:aws:iam::" + account + ":role/app"},
		{Type: policy.FederatedUser, Account: account, ARN: "arn:aws:sts::" + account + ":federated-user/fred", Issuer: user},
		{Type: policy.Service, Service: "sns.amazonaws.com"},
		{Type: policy.Federated, Provider: "accounts.google.com"},
		{Type: policy.User, Account: "444455556666", ARN: "arn:aws:iam::444455556666:user/alice"},
	}[n%8]
}

func check(t *testing.T, r *policy.Request, apply *policy.Policies) {
	t.Helper()
	d := policy.Evaluate(r, apply)
	if (d.Message(r) == "") != d.Allowed {
		t.Fatalf("%+v says %q", d, d.Message(r))
	}
	if d.Allowed && d.Explicit {
		t.Fatalf("allowed by a deny: %+v", d)
	}
	e := policy.Explain(r, apply)
	if e.Decision != d {
		t.Fatalf("decided %+v, explained %+v", d, e.Decision)
	}
	if len(r.Action) <= 256 && d.Allowed != (len(e.Denials) == 0 && len(e.Remedies) == 0) {
		t.Fatalf("decided %+v, and explained that with %+v", d, e)
	}
	for _, v := range e.Statements {
		if v.Applies != (v.Miss == "") {
			t.Fatalf("%+v", v)
		}
	}
	// Taking all of the resource's policies away allows nothing new but what they denied.
	bare := *apply
	bare.Resource = nil
	if policy.Evaluate(r, &bare).Allowed && !d.Allowed && len(e.Denials) == 0 && !apply.ResourceMustAllow {
		t.Fatalf("a policy that denies nothing took away: %+v", d)
	}
	// A deny of all denies, wherever it stands.
	denied := *apply
	denied.Session = append(denied.Session[:len(denied.Session):len(denied.Session)], policy.Attached{Name: "deny", Policy: denyAll})
	if d := policy.Evaluate(r, &denied); d.Allowed || len(r.Action) <= 256 && !d.Explicit {
		t.Fatalf("denied everything and got %+v", d)
	}
	heed(t, r, apply, e)
}

var denyAll = must(`{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}`, policy.Identity)

func must(doc string, k policy.Kind) *policy.Policy {
	p, err := policy.Parse([]byte(doc), k)
	if err != nil {
		panic(err)
	}
	return p
}

// heed adds what an explanation says would help, and sees that it does. Names that
// no policy could have don't count.
func heed(t *testing.T, r *policy.Request, apply *policy.Policies, e policy.Explanation) {
	t.Helper()
	if len(e.Denials) > 0 || len(e.Remedies) == 0 || !utf8.ValidString(r.Action+r.Resource) {
		return
	}
	helped := *apply
	for _, m := range e.Remedies {
		kind := m.Kind
		p, err := policy.Parse([]byte(`{"Version": "2012-10-17", "Statement": `+m.Statement+`}`), kind)
		if err != nil {
			return
		}
		list := map[policy.Kind]*[]policy.Attached{
			policy.Identity: &helped.Identity, policy.Boundary: &helped.Boundary, policy.Session: &helped.Session,
			policy.Resource: &helped.Resource, policy.Trust: &helped.Resource,
		}[kind]
		*list = append((*list)[:len(*list):len(*list)], policy.Attached{Name: "remedy", Policy: p})
	}
	if d := policy.Evaluate(r, &helped); !d.Allowed && strings.HasPrefix(r.Resource, "arn:") && strings.Count(r.Resource, ":") >= 5 && !strings.ContainsAny(r.Resource, "*?$") {
		t.Fatalf("%+v didn't help with %s on %s: %+v", e.Remedies, r.Action, r.Resource, d)
	}
}

// TestHostilePatterns: patterns made to take forever don't.
func TestHostilePatterns(t *testing.T) {
	text := strings.Repeat("a", 2000)
	for _, pattern := range []string{
		strings.Repeat("*a", 1000) + "b",
		strings.Repeat("a*", 1000) + "b",
		strings.Repeat("*", 100000) + "b",
		strings.Repeat("?", 1000) + "*b",
		"*" + strings.Repeat("?", 1000) + "b*",
		strings.Repeat("*a?", 600) + "b",
		"*" + strings.Repeat("a", 1000) + "?b*",
		strings.Repeat("*${aws:k}", 1000) + "b",
	} {
		doc := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::%s"}}`, pattern)
		p := must(doc, policy.Identity)
		r := &policy.Request{Action: "s:A", Resource: "arn:aws:s3:::" + text, Principal: policy.Principal{Type: policy.User}}
		r.Keys.Set("aws:k", "a")
		start := time.Now()
		if policy.Evaluate(r, &policy.Policies{Identity: []policy.Attached{{Policy: p}}}).Allowed {
			t.Errorf("%.20s... matches", pattern)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.20s... took %v", pattern, took)
		}
	}
	action := strings.Repeat("*a", 120) + "b"
	p := must(fmt.Sprintf(`{"Statement": {"Effect": "Allow", "Action": "s:%s", "Resource": "*"}}`, action), policy.Identity)
	r := &policy.Request{Action: "s:" + strings.Repeat("a", 250), Resource: "*"}
	if policy.Evaluate(r, &policy.Policies{Identity: []policy.Attached{{Policy: p}}}).Allowed {
		t.Error("the action matches")
	}
}

// TestTooLarge: a document beyond IAM's bound isn't read, and an action beyond all
// that exist isn't allowed, whatever allows.
func TestTooLarge(t *testing.T) {
	doc := `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
	if _, err := policy.Parse([]byte(doc+strings.Repeat(" ", 128<<10)), policy.Identity); err == nil {
		t.Error("a document of more than 128 KiB was read")
	}
	r := &policy.Request{Action: "s:" + strings.Repeat("a", 300), Resource: "*", Principal: policy.Principal{Type: policy.Root}}
	all := []policy.Attached{{Policy: must(doc, policy.Identity)}}
	if policy.Evaluate(r, &policy.Policies{Identity: all}).Allowed {
		t.Error("an action of 302 characters was allowed")
	}
}

func TestSize(t *testing.T) {
	if n := policy.Size([]byte("{ \"a\":\n\t\"é b\" }")); n != 10 {
		t.Errorf("%d characters", n)
	}
}

// TestKeys: the case of names doesn't matter, the last values count, and a key set
// to nothing is gone.
func TestKeys(t *testing.T) {
	var k policy.Keys
	k.Set("aws:TagKeys", "a", "b")
	k.Set("AWS:tagkeys", "c")
	k.Set("aws:PrincipalTag/Größe", "L")
	k.Set("aws:userid", "x")
	k.Set("aws:UserId")
	var got []string
	for name, values := range k.All() {
		got = append(got, name+"="+strings.Join(values, "|"))
	}
	if want := "aws:TagKeys=c aws:PrincipalTag/Größe=L"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if v := k.Get("AWS:PRINCIPALTAG/GRÖSSE"); v != nil {
		t.Errorf("%v", v)
	}
	if v := k.Get("AWS:PRINCIPALTAG/GRÖßE"); len(v) != 1 || v[0] != "L" {
		t.Errorf("%v", v)
	}
	k.Reset()
	if k.Get("aws:TagKeys") != nil {
		t.Error("still there after Reset")
	}
}
