package audit_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/audit"
	"github.com/mayfly-cloud/mayfly/internal/auth"
)

// recordSome records, a second apart, what most tests look for.
func recordSome(t testing.TB, n *node) {
	read := event(ada, "GetFunction", "orders")
	read.ReadOnly = true
	role := audit.Event{RequestID: "r-CreateRole", Principal: ada, Service: "iam", Operation: "CreateRole", Region: region,
		Resources: []string{"arn:aws:iam::" + account + ":role/service/mayfly-orders"}}
	for i, e := range []audit.Event{event(root, "CreateFunction", "orders"), read, role, event(root, "DeleteFunction", "hook"), refusal(t, hook)} {
		e.Time = noon.Add(time.Duration(i)*time.Second + 300*time.Millisecond)
		n.trail.Record(e)
	}
	n.flush(t)
}

func TestLookupEvents(t *testing.T) {
	n := start(t)
	recordSome(t, n)
	const create, get, role, del, invoke = "CreateFunction20150331", "GetFunction20150331v2", "CreateRole", "DeleteFunction20150331", "Invoke"
	at := func(s int) *time.Time { return aws.Time(noon.Add(time.Duration(s) * time.Second)) }
	for _, tt := range []struct {
		name string
		in   *cloudtrail.LookupEventsInput
		want []string
	}{
		{"all", &cloudtrail.LookupEventsInput{}, []string{invoke, del, role, get, create}},
		{"in pages", &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(2)}, []string{invoke, del, role, get, create}},
		{"in pages of one attribute", func() *cloudtrail.LookupEventsInput {
			in := by(types.LookupAttributeKeyEventSource, "lambda.amazonaws.com")
			in.MaxResults = aws.Int32(1)
			return in
		}(), []string{invoke, del, get, create}},
		{"name with its date", by(types.LookupAttributeKeyEventName, create), []string{create}},
		{"name as the operation's", by(types.LookupAttributeKeyEventName, "CreateFunction"), []string{create}},
		{"read only", by(types.LookupAttributeKeyReadOnly, "true"), []string{get}},
		{"writes", by(types.LookupAttributeKeyReadOnly, "false"), []string{invoke, del, role, create}},
		{"root", by(types.LookupAttributeKeyUsername, "root"), []string{del, create}},
		{"user", by(types.LookupAttributeKeyUsername, "ada"), []string{role, get}},
		{"session", by(types.LookupAttributeKeyUsername, "hook"), []string{invoke}},
		{"type", by(types.LookupAttributeKeyResourceType, "AWS::Lambda::Function"), []string{invoke, del, get, create}},
		{"resource", by(types.LookupAttributeKeyResourceName, "orders"), []string{invoke, get, create}},
		{"resource by ARN", by(types.LookupAttributeKeyResourceName, functionARN("hook")), []string{del}},
		{"role without its path", by(types.LookupAttributeKeyResourceName, "mayfly-orders"), []string{role}},
		{"source", by(types.LookupAttributeKeyEventSource, "iam.amazonaws.com"), []string{role}},
		{"key", by(types.LookupAttributeKeyAccessKeyId, "AKIAADA"), []string{role, get}},
		{"nobody", by(types.LookupAttributeKeyUsername, "eve"), nil},
		{"from", &cloudtrail.LookupEventsInput{StartTime: at(3)}, []string{invoke, del}},
		{"until, with its second", &cloudtrail.LookupEventsInput{EndTime: at(1)}, []string{get, create}},
		{"one second", &cloudtrail.LookupEventsInput{StartTime: at(2), EndTime: at(2)}, []string{role}},
		{"of an attribute, within a time", func() *cloudtrail.LookupEventsInput {
			in := by(types.LookupAttributeKeyUsername, "root")
			in.StartTime, in.EndTime = at(1), at(9)
			return in
		}(), []string{del}},
		{"insights", &cloudtrail.LookupEventsInput{EventCategory: types.EventCategoryInsight}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, n.lookup(t, tt.in)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLookupByID(t *testing.T) {
	n := start(t)
	recordSome(t, n)
	all, err := n.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range all.Events {
		id := aws.ToString(e.EventId)
		if got := n.lookup(t, by(types.LookupAttributeKeyEventId, id)); len(got) != 1 || got[0] != *e.EventName || seen[id] {
			t.Errorf("%s gives %v, want %s", id, got, *e.EventName)
		}
		seen[id] = true
	}
}

func TestLookupRefusesBadInput(t *testing.T) {
	n := start(t)
	recordSome(t, n)
	first, err := n.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	two := by(types.LookupAttributeKeyUsername, "a")
	two.LookupAttributes = append(two.LookupAttributes, two.LookupAttributes[0])
	other := by(types.LookupAttributeKeyUsername, "root")
	other.NextToken = first.NextToken
	for _, tt := range []struct {
		name string
		in   *cloudtrail.LookupEventsInput
		code string
	}{
		{"no results", &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(0)}, "InvalidMaxResultsException"},
		{"too many results", &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(51)}, "InvalidMaxResultsException"},
		{"two attributes", two, "InvalidLookupAttributesException"},
		{"unknown attribute", by("Colour", "red"), "InvalidLookupAttributesException"},
		{"empty value", by(types.LookupAttributeKeyUsername, ""), "InvalidLookupAttributesException"},
		{"long value", by(types.LookupAttributeKeyUsername, strings.Repeat("a", 2001)), "InvalidLookupAttributesException"},
		{"made-up token", &cloudtrail.LookupEventsInput{NextToken: aws.String("!")}, "InvalidNextTokenException"},
		{"another request's token", other, "InvalidNextTokenException"},
		{"end before the start", &cloudtrail.LookupEventsInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(-time.Second))}, "InvalidTimeRangeException"},
		{"unknown category", &cloudtrail.LookupEventsInput{EventCategory: "gossip"}, "InvalidEventCategoryException"},
	} {
		_, err := n.LookupEvents(t.Context(), tt.in)
		refused(t, tt.name, err, tt.code)
	}
}

// Some clients name the service by the model's whole name.
func TestLongTarget(t *testing.T) {
	n := start(t)
	recordSome(t, n)
	for target, want := range map[string]int{
		"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents": 200,
		"CloudTrail_20131101.LookupEvents":                                    200,
		"MyCloudTrail_20131101.LookupEvents":                                  400,
		"Logs_20140328.LookupEvents":                                          400,
		"LookupEvents":                                                        400,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		w := httptest.NewRecorder()
		serve(t, n.router).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestNoTrails(t *testing.T) {
	n := start(t)
	d, err := n.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{})
	if err != nil || d.TrailList == nil || len(d.TrailList) != 0 {
		t.Errorf("%v %v", d, err)
	}
	l, err := n.ListTrails(t.Context(), &cloudtrail.ListTrailsInput{})
	if err != nil || l.Trails == nil || len(l.Trails) != 0 {
		t.Errorf("%v %v", l, err)
	}
}

// newest is the newest event as LookupEvents gives it, and its record.
func newest(t *testing.T, n *node) (types.Event, map[string]any) {
	t.Helper()
	out, err := n.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)})
	if err != nil || len(out.Events) != 1 {
		t.Fatalf("%v %v", out, err)
	}
	var record map[string]any
	if err := json.Unmarshal([]byte(aws.ToString(out.Events[0].CloudTrailEvent)), &record); err != nil {
		t.Fatal(err)
	}
	return out.Events[0], record
}

func TestRecord(t *testing.T) {
	n := start(t)
	e := event(ada, "DeleteFunction", "orders:7")
	e.Time, e.ErrorCode, e.ErrorMessage = noon.Add(300*time.Millisecond), "ResourceNotFoundException", "Function not found"
	n.trail.Record(e)
	got, record := newest(t, n)
	want := types.Event{
		EventId: got.EventId, EventName: aws.String("DeleteFunction20150331"), EventSource: aws.String("lambda.amazonaws.com"),
		EventTime: &noon, ReadOnly: aws.String("false"), Username: aws.String("ada"), AccessKeyId: aws.String("AKIAADA"),
		Resources:       []types.Resource{{ResourceName: aws.String("orders"), ResourceType: aws.String("AWS::Lambda::Function")}},
		CloudTrailEvent: got.CloudTrailEvent,
	}
	if d := cmp.Diff(fmt.Sprintf("%+v", deref(want)), fmt.Sprintf("%+v", deref(got))); d != "" {
		t.Error(d)
	}
	wantRecord := map[string]any{
		"eventVersion": "1.11",
		"userIdentity": map[string]any{"type": "IAMUser", "principalId": "AIDAADA", "arn": ada.ARN, "accountId": account, "accessKeyId": "AKIAADA", "userName": "ada"},
		"eventTime":    "2026-05-04T12:00:00Z", "eventSource": "lambda.amazonaws.com", "eventName": "DeleteFunction20150331",
		"awsRegion": region, "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2",
		"errorCode": "ResourceNotFoundException", "errorMessage": "Function not found",
		"requestParameters": nil, "responseElements": nil, "requestID": "r-DeleteFunction", "eventID": *got.EventId, "readOnly": false,
		"resources": []any{map[string]any{"ARN": functionARN("orders:7"), "accountId": account, "type": "AWS::Lambda::Function"}},
		"eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
	}
	if d := cmp.Diff(wantRecord, record); d != "" {
		t.Error(d)
	}
}

// deref makes an event comparable as text.
func deref(e types.Event) map[string]any {
	r := make([]string, len(e.Resources))
	for i := range e.Resources {
		r[i] = aws.ToString(e.Resources[i].ResourceName) + " " + aws.ToString(e.Resources[i].ResourceType)
	}
	return map[string]any{"id": *e.EventId, "name": *e.EventName, "source": *e.EventSource, "time": e.EventTime.UTC(), "readOnly": *e.ReadOnly,
		"user": *e.Username, "key": *e.AccessKeyId, "resources": r}
}

func TestUserIdentity(t *testing.T) {
	issuer := func(typ, id, arn, name string) map[string]any {
		return map[string]any{"type": typ, "principalId": id, "arn": arn, "accountId": account, "userName": name}
	}
	made := map[string]any{"mfaAuthenticated": "false", "creationDate": "2026-05-04T11:00:00Z"}
	federated := auth.Principal{Kind: auth.FederatedUser, Account: account, ARN: "arn:aws:sts::" + account + ":federated-user/bob", UserID: account + ":bob",
		AccessKeyID: "ASIABOB", Issued: noon.Add(-time.Hour), Session: &auth.Session{Owner: ada.ARN, OwnerID: "AIDAADA"}}
	for _, tt := range []struct {
		name string
		p    auth.Principal
		user string
		want map[string]any
	}{
		{"root", root, "root", map[string]any{"type": "Root", "principalId": account, "arn": root.ARN, "accountId": account, "accessKeyId": "AKIAROOT"}},
		{"function", hook, "hook", map[string]any{"type": "AssumedRole", "principalId": "AROAHOOK:hook", "arn": hook.ARN, "accountId": account, "accessKeyId": "ASIAHOOK",
			"sessionContext": map[string]any{"sessionIssuer": issuer("Role", "AROAHOOK", hook.RoleARN, "mayfly-hook"), "attributes": made},
			"inScopeOf":      map[string]any{"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": functionARN("hook")}}},
		{"federated user", federated, "bob", map[string]any{"type": "FederatedUser", "principalId": account + ":bob", "arn": federated.ARN, "accountId": account, "accessKeyId": "ASIABOB",
			"sessionContext": map[string]any{"sessionIssuer": issuer("IAMUser", "AIDAADA", ada.ARN, "ada"), "attributes": made}}},
		{"service", auth.Principal{Kind: auth.Service, Account: account, ARN: "lambda.amazonaws.com"}, "lambda.amazonaws.com",
			map[string]any{"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}},
		{"nobody", auth.Nobody, "anonymous", map[string]any{"type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := start(t)
			n.trail.Record(event(tt.p, "DeleteFunction", "orders"))
			e, record := newest(t, n)
			if d := cmp.Diff(tt.want, record["userIdentity"]); d != "" || aws.ToString(e.Username) != tt.user {
				t.Error(*e.Username, d)
			}
		})
	}
}
