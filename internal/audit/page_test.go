package audit_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/audit"
)

func TestPage(t *testing.T) {
	n := start(t)
	recordSome(t, n)
	for _, tt := range []struct{ query, want string }{
		{"", "Invoke DeleteFunction CreateRole GetFunction CreateFunction"},
		{"user=ada", "CreateRole GetFunction"},
		{"user=" + ada.ARN, "CreateRole GetFunction"},
		{"user=" + hook.RoleARN, "Invoke"},
		{"user=root&kind=change", "DeleteFunction CreateFunction"},
		{"kind=refusal", "Invoke"},
		{"kind=read", "GetFunction"},
		{"resource=orders", "Invoke GetFunction CreateFunction"},
		{"resource=orders&user=root", "CreateFunction"},
		{"resource=" + functionARN("hook"), "DeleteFunction"},
		{"resource=mayfly-orders&type=AWS::Lambda::Function", ""},
		{"type=AWS::IAM::Role", "CreateRole"},
		{"request=r-CreateRole", "CreateRole"},
		{"from=2026-05-04T12:00:03Z", "Invoke DeleteFunction"},
		{"to=2026-05-04T12:00:01Z", "CreateFunction"},
		{"user=eve", ""},
	} {
		q, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []string{"1", "2", "1000"} { // in pages of any size
			q.Set("limit", limit)
			q.Del("token")
			var got []string
			for {
				list, token := n.page(t, q)
				for _, e := range list {
					got = append(got, e.Operation)
				}
				if token == "" {
					break
				}
				q.Set("token", token)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s by %s: %v, want %s", tt.query, limit, got, tt.want)
			}
		}
	}
}

func TestPageRefusesBadInput(t *testing.T) {
	n := start(t)
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "from=yesterday", "to=1", "token=!", "user=a&user=b", "user=" + strings.Repeat("a", 3000)} {
		w := httptest.NewRecorder()
		n.trail.ServeEvents(w, httptest.NewRequest(http.MethodGet, "/?"+query, nil))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"message"`) {
			t.Errorf("%.60s: %d %s", query, w.Code, w.Body)
		}
	}
}

const logging = `{"Version":"2012-10-17","Statement":[
	{"Sid":"Logs","Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"},
	{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:other"}]}`

// A refusal says which policies were looked at, what decided, and what would help.
func TestRefusal(t *testing.T) {
	const remedy = `{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:orders"}`
	const never = `{"Version":"2012-10-17","Statement":{"Sid":"Never","Effect":"Deny","Action":"lambda:*","Resource":"*"}}`
	looked := audit.Looked{Kind: "identity-based policy", Policy: "logging", Statements: []audit.Verdict{
		{Sid: "Logs", Effect: "Allow", Miss: "Action", Why: "lambda:InvokeFunction is not logs:PutLogEvents"},
		{Index: 1, Effect: "Allow", Miss: "Resource", Why: functionARN("orders") + " is not " + functionARN("other")},
	}}
	for _, tt := range []struct {
		name string
		docs []string
		want audit.Refusal
	}{
		{"no policy", nil, audit.Refusal{Kind: "identity-based policy", Policies: []audit.Looked{},
			Remedies: []audit.Remedy{{Kind: "identity-based policy", Statement: remedy}}}},
		{"none that allows", []string{logging}, audit.Refusal{Kind: "identity-based policy", Policies: []audit.Looked{looked},
			Remedies: []audit.Remedy{{Kind: "identity-based policy", Statement: remedy}}}},
		{"one that denies", []string{logging, never}, audit.Refusal{Explicit: true, Kind: "identity-based policy",
			Policies: []audit.Looked{looked, {Kind: "identity-based policy", Policy: "logging", Statements: []audit.Verdict{{Sid: "Never", Effect: "Deny", Applies: true}}}},
			Denials:  []audit.Statement{{Kind: "identity-based policy", Policy: "logging", Sid: "Never"}},
			Remedies: []audit.Remedy{{Kind: "identity-based policy", Statement: remedy}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := start(t)
			n.trail.Record(refusal(t, hook, tt.docs...))
			list, _ := n.page(t, url.Values{"request": {"r-Invoke"}})
			if len(list) != 1 {
				t.Fatalf("%d entries", len(list))
			}
			tt.want.Action, tt.want.Resource = "lambda:InvokeFunction", functionARN("orders")
			if d := cmp.Diff(&tt.want, list[0].Refusal); d != "" {
				t.Error(d)
			}
			_, record := newest(t, n)
			if record["additionalEventData"] == nil || record["eventCategory"] != "Data" || record["managementEvent"] != false || record["errorCode"] != "AccessDeniedException" {
				t.Errorf("record %v", record)
			}
		})
	}
}

// However many statements were looked at, what is kept is bounded.
func TestRefusalIsBounded(t *testing.T) {
	n := start(t)
	one := `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/` + strings.Repeat("k", 900) + `"},`
	e := refusal(t, hook, `{"Version":"2012-10-17","Statement":[`+strings.TrimSuffix(strings.Repeat(one, 100), ",")+`]}`)
	n.trail.Record(e)
	list, _ := n.page(t, nil)
	if len(list) != 1 {
		t.Fatalf("%d entries", len(list))
	}
	r := list[0].Refusal
	if r.Omitted != 40 || len(r.Policies) != 1 || len(r.Policies[0].Statements) != 60 || len(r.Policies[0].Statements[7].Why) > 400 {
		t.Errorf("%d omitted, %d policies", r.Omitted, len(r.Policies))
	}
}

// FuzzPage: whatever is asked, the answer is a page or what is wrong with the question.
func FuzzPage(f *testing.F) {
	n := start(f)
	recordSome(f, n)
	for _, q := range []string{"", "user=ada&limit=1", "token=YQBi", "from=2026-05-04T12:00:03Z", "resource=%00%ff", "token=YXVkaXQgADEuMg"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w := httptest.NewRecorder()
		n.trail.ServeEvents(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/", RawQuery: query}})
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	})
}
