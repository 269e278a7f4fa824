package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// trail keeps events in memory.
type trail struct {
	mu     sync.Mutex
	events []gateway.AuditEvent
}

func (l *trail) Record(e gateway.AuditEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// last is the newest event. An answer may arrive before its event is recorded.
func (l *trail) last(t *testing.T, n int) gateway.AuditEvent {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		l.mu.Lock()
		events := slices.Clone(l.events)
		l.mu.Unlock()
		if len(events) >= n {
			return events[n-1]
		}
	}
	t.Fatalf("no event number %d", n)
	return gateway.AuditEvent{}
}

// granted knows one role's policy, and documents of resources.
type granted struct {
	ownerOnly
	identity  string
	gone      bool
	resources map[string]string
}

func (g *granted) Caller(ctx context.Context, p auth.Principal) (*iam.Caller, error) {
	if g.gone && p.Kind != auth.RootUser {
		return nil, fault.New(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	c, err := g.ownerOnly.Caller(ctx, p)
	if g.identity != "" && p.Kind == auth.RoleSession {
		compiled, err := policy.Parse([]byte(g.identity), policy.Identity)
		if err != nil {
			return nil, err
		}
		c.Identity = []policy.Attached{{Name: "own", Policy: compiled}}
	}
	return c, err
}

func (g *granted) ResourcePolicy(_ context.Context, arn string) ([]byte, error) {
	if arn == functions+"fails" {
		return nil, errors.New("the secret is swordfish")
	}
	if doc, ok := g.resources[arn]; ok {
		return []byte(doc), nil
	}
	return nil, nil
}

func (g *granted) permissions() *gateway.Permissions {
	return gateway.NewPermissions(gateway.PermissionsConfig{
		Identities: g, Region: region, Resources: map[string]gateway.Protected{"lambda": {Policies: g}, "logs": {Policies: g, MustAllow: true}},
	})
}

const functions = "arn:aws:lambda:us-east-1:123456789012:function:"

func statement(effect, principal, action, condition string) string {
	s := `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `","Resource":"*"`
	if principal != "" {
		s += `,"Principal":` + principal
	}
	if condition != "" {
		s += `,"Condition":` + condition
	}
	return s + `}]}`
}

// reader is the lambda client of a function's role.
func (d *door) reader(t *testing.T) (*lambda.Client, auth.Credentials) {
	t.Helper()
	c, err := d.sessions.ForRole("arn:aws:iam::123456789012:role/reader", "hello", functions+"hello", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return lambda.NewFromConfig(d.configOf(c.AccessKeyID, c.Secret, c.Token)), c
}

func TestPermissions(t *testing.T) {
	const everybody, reader = `"*"`, `{"AWS":"arn:aws:iam::123456789012:role/reader"}`
	const refusal = "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/reader/hello is not authorized to perform: lambda:Invoke on resource: " + functions + "f "
	for name, tt := range map[string]struct {
		identity, resource, want string
	}{
		"nothing":                   {"", "", refusal + "because no identity-based policy allows the lambda:Invoke action"},
		"an identity policy":        {statement("Allow", "", "lambda:*", ""), "", "success"},
		"a resource policy":         {"", statement("Allow", reader, "lambda:Invoke", ""), "success"},
		"of another action":         {"", statement("Allow", everybody, "lambda:GetFunction", ""), refusal + "because no identity-based policy allows the lambda:Invoke action"},
		"the resource denies":       {statement("Allow", "", "*", ""), statement("Deny", everybody, "lambda:Invoke", ""), refusal + "with an explicit deny in a resource-based policy"},
		"a policy none can read":    {statement("Allow", "", "*", ""), "{", refusal + "with an explicit deny in a resource-based policy"},
		"a condition that holds":    {statement("Allow", "", "*", `{"StringEquals":{"aws:RequestedRegion":"us-east-1","test:Function":"f"},"IpAddress":{"aws:SourceIp":"127.0.0.0/8"},"Bool":{"aws:SecureTransport":"false","aws:ViaAWSService":"false"},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},"NumericGreaterThan":{"aws:EpochTime":"1600000000"},"StringLike":{"aws:UserAgent":"aws-sdk-go-v2/*"}}`), "", "success"},
		"a condition that does not": {statement("Allow", "", "*", `{"Bool":{"aws:SecureTransport":"true"}}`), "", refusal + "because no identity-based policy allows the lambda:Invoke action"},
	} {
		t.Run(name, func(t *testing.T) {
			g := &granted{identity: tt.identity, resources: map[string]string{}}
			if tt.resource != "" {
				g.resources[functions+"f"] = tt.resource
			}
			d := openDoor(t, func(c *gateway.Config) { c.Permissions = g.permissions() })
			client, _ := d.reader(t)
			_, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
			got := "success"
			if err != nil {
				got = said(err)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Names of condition keys have no case, but those of tags do. Of two that differ in case
// alone the same counts each time: nobody is let in by asking again.
func TestTagsThatDifferInCase(t *testing.T) {
	g := &granted{identity: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},` +
		`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"payroll"}}}]}`}
	p, err := auth.ForFunction("arn:aws:iam::123456789012:role/reader", functions+"hello", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	may, tags := g.permissions(), access.Keys{"aws:ResourceTag/Team": {"other"}, "aws:ResourceTag/team": {"payroll"}}
	for n := range 100 {
		if may.May(t.Context(), p, access.Need{Action: "lambda:GetFunction", Resource: functions + "f", Keys: tags}) == nil {
			t.Fatalf("let in at attempt %d", n+1)
		}
	}
}

func TestRootMayAllButWhatAResourceDenies(t *testing.T) {
	logGroup := "arn:aws:logs:us-east-1:123456789012:log-group:g"
	g := &granted{resources: map[string]string{
		functions + "shut": statement("Deny", `"*"`, "lambda:Invoke", ""),
		logGroup:           statement("Allow", `{"AWS":"210987654321"}`, "logs:*", ""),
	}}
	d := openDoor(t, func(c *gateway.Config) { c.Permissions = g.permissions() })
	for name, want := range map[string]string{"f": "success", "shut": "AccessDeniedException", "fails": "InternalFailure"} {
		_, err := d.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
		if got := errText(err); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	put := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: []logstypes.InputLogEvent{{Message: aws.String("m"), Timestamp: aws.Int64(1)}}}
	if _, err := cloudwatchlogs.NewFromConfig(d.config()).PutLogEvents(t.Context(), put); !strings.Contains(errText(err), "no resource-based policy allows") {
		t.Errorf("what only its own policy opens: %v", err)
	}
}

func TestCredentialsOfWhoIsGone(t *testing.T) {
	g := &granted{gone: true}
	d := openDoor(t, func(c *gateway.Config) { c.Permissions = g.permissions() })
	client, _ := d.reader(t)
	_, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	if got := said(err); got != "UnrecognizedClientException: The security token included in the request is invalid." {
		t.Errorf("got %s", got)
	}
}

// Every request leaves one event, and a refusal all that it takes to explain it.
func TestAuditEvents(t *testing.T) {
	log, g := &trail{}, &granted{}
	d := openDoor(t, func(c *gateway.Config) { c.Permissions, c.Audit, c.Region = g.permissions(), log, region })
	invoke := func(client *lambda.Client, name string) {
		client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name}) // its error is in the event
	}
	client, creds := d.reader(t)
	invoke(d.lambda(), "f")
	invoke(d.lambda(), "missing")
	invoke(d.lambda(), "panics")
	invoke(client, "f")
	type short struct{ who, what, code, resource string }
	var got []short
	for i := range 4 {
		e := log.last(t, i+1)
		if len(e.RequestID) != 36 || time.Since(e.Time) > time.Minute || e.SourceIP != "127.0.0.1" || !strings.HasPrefix(e.UserAgent, "aws-sdk-go") || e.Region != region || e.ReadOnly {
			t.Errorf("event %d: %+v", i, e)
		}
		got = append(got, short{string(e.Principal.Kind), e.Service + ":" + e.Operation, e.ErrorCode, strings.Join(e.Resources, " ")})
	}
	want := []short{
		{"root", "lambda:Invoke", "", functions + "f"}, {"root", "lambda:Invoke", "ResourceNotFoundException", functions + "missing"},
		{"root", "lambda:Invoke", "InternalFailure", functions + "panics"}, {"role-session", "lambda:Invoke", "AccessDeniedException", functions + "f"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(short{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e := log.last(t, 4)
	if e.Denial == nil || log.last(t, 1).Denial != nil || !strings.HasPrefix(e.ErrorMessage, "User: arn:aws:sts::") || e.Principal.AccessKeyID != creds.AccessKeyID {
		t.Fatalf("the refusal's event: %+v", e)
	}
	x := policy.Explain(&e.Denial.Request, &e.Denial.Policies)
	if x.Decision != e.Denial.Decision || len(x.Remedies) != 1 || len(e.Denial.Request.Keys.Get("aws:CurrentTime")) != 1 {
		t.Errorf("explained: %+v", x)
	}
	r, err := http.NewRequest("GET", d.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	do(t, d, r)
	if log.mu.Lock(); len(log.events) != 4 {
		t.Errorf("a request that nobody signed left an event: %+v", log.events[len(log.events)-1])
	}
	log.mu.Unlock()
}

// What is sent says who calls: no signature is asked for, nor known.
func TestOperationsWithoutSignature(t *testing.T) {
	log := &trail{}
	d := openDoor(t, func(c *gateway.Config) { c.APIs, c.Audit = []*wire.Router{stsAPI(t)}, log })
	out, err := sts.NewFromConfig(d.config()).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/r"), RoleSessionName: aws.String("s"), WebIdentityToken: aws.String("token"),
	})
	if err != nil || aws.ToString(out.Audience) != "token" || aws.ToString(out.Provider) != "anonymous" {
		t.Fatalf("%+v, %v", out, err)
	}
	if e := log.last(t, 1); e.Operation != "AssumeRoleWithWebIdentity" || !e.ReadOnly {
		t.Errorf("event %+v", e)
	}
	post := func(form url.Values) (int, string) {
		r, err := http.NewRequest("POST", d.url+"/", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, body := do(t, d, r)
		return resp.StatusCode, body
	}
	for what, form := range map[string]url.Values{
		"another operation": {"Action": {"GetCallerIdentity"}}, "none": {"Action": {"Nothing"}},
		"a large body": {"Action": {"AssumeRoleWithWebIdentity"}, "WebIdentityToken": {strings.Repeat("x", 70<<10)}},
	} {
		if status, body := post(form); status != http.StatusForbidden || !strings.Contains(body, "MissingAuthenticationToken") {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
}

// A service acts in its own name, on behalf of something.
func TestServicesMay(t *testing.T) {
	g := &granted{resources: map[string]string{functions + "f": statement("Allow", `{"Service":"s3.amazonaws.com"}`, "lambda:InvokeFunction",
		`{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"},"StringEquals":{"aws:SourceAccount":"123456789012"}}`)}}
	may := func(service, source string) error {
		m := gateway.NewPermissions(gateway.PermissionsConfig{Identities: services{g}, Region: region, Resources: map[string]gateway.Protected{"lambda": {Policies: g}}})
		return m.May(t.Context(), auth.Principal{Kind: auth.Service, ARN: service}, access.Need{
			Action: "lambda:InvokeFunction", Resource: functions + "f", Keys: access.Keys{"aws:SourceArn": {source}, "aws:SourceAccount": {"123456789012"}},
		})
	}
	if err := may("s3.amazonaws.com", "arn:aws:s3:::b"); err != nil {
		t.Error(err)
	}
	for service, source := range map[string]string{"s3.amazonaws.com": "arn:aws:s3:::other", "sns.amazonaws.com": "arn:aws:s3:::b"} {
		if err := may(service, source); !fault.Is(err, "AccessDeniedException") {
			t.Errorf("%s for %s: %v", service, source, err)
		}
	}
}

// services are known by their names.
type services struct{ *granted }

func (services) Caller(_ context.Context, p auth.Principal) (*iam.Caller, error) {
	return &iam.Caller{Principal: policy.Principal{Type: policy.Service, Service: p.ARN}}, nil
}
