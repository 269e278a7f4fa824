package sts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	ists "github.com/mayfly-cloud/mayfly/internal/iam/sts"
)

const userARN = "arn:aws:iam::" + account + ":user/"

func statement(rest string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + rest + `}]}`
}

func trustUser(name string) string {
	return iamtest.Trust(fmt.Sprintf(`{"AWS":%q}`, userARN+name))
}

// assume assumes a role as a session named "s".
func (n *node) assume(c aws.CredentialsProvider, role *string, more ...func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
	in := &sts.AssumeRoleInput{RoleArn: role, RoleSessionName: aws.String("session")}
	for _, m := range more {
		m(in)
	}
	return n.tokens(c).AssumeRole(n.t.Context(), in)
}

// The round trip: a user assumes a role and acts as it, within the role's policies.
func TestAssumeRole(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	ada := n.user("ada", "")
	role := n.role("reader", trustUser("ada"), iamtest.Allow("iam:ListUsers", "*"))
	out := ok[sts.AssumeRoleOutput](t)(n.assume(ada, role))
	if !strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") || !out.Credentials.Expiration.Equal(iamtest.Noon.Add(time.Hour)) {
		t.Errorf("%s until %v", *out.Credentials.AccessKeyId, out.Credentials.Expiration)
	}
	if want := "arn:aws:sts::" + account + ":assumed-role/reader/session"; *out.AssumedRoleUser.Arn != want {
		t.Errorf("%s, want %s", *out.AssumedRoleUser.Arn, want)
	}
	as := temporary(out.Credentials)
	id := ok[sts.GetCallerIdentityOutput](t)(n.tokens(as).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *id.Arn != *out.AssumedRoleUser.Arn || *id.UserId != *out.AssumedRoleUser.AssumedRoleId || !strings.HasPrefix(*id.UserId, "AROA") {
		t.Errorf("%s %s", *id.Arn, *id.UserId)
	}
	ok[iam.ListUsersOutput](t)(n.identities(as).ListUsers(ctx, &iam.ListUsersInput{}))
	_, err := n.identities(as).ListGroups(ctx, &iam.ListGroupsInput{})
	refused(t, "what the role may not", err, "AccessDenied", "")

	n.Clock.Advance(time.Hour)
	_, err = n.tokens(as).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "after its end", err, "ExpiredToken", "")
	n.Clock.Advance(-time.Hour)
	_, err = n.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("reader"), PolicyName: aws.String("p")})
	must(t, err)
	_, err = n.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("reader")})
	must(t, err)
	_, err = n.tokens(as).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "of a deleted role", err, "InvalidClientTokenId", "")
	_, err = n.assume(ada, role)
	refused(t, "a deleted role", err, "AccessDenied", "User: "+userARN+"ada is not authorized to perform: sts:AssumeRole on resource: "+*role)
}

func TestWhoMayAssume(t *testing.T) {
	n := start(t, nil)
	may := iamtest.Allow("sts:AssumeRole", "*")
	plain, allowed := n.user("plain", ""), n.user("allowed", may)
	boxed := n.user("boxed", may)
	_, err := n.iam.PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{
		UserName: aws.String("boxed"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AmazonS3FullAccess"),
	})
	must(t, err)
	byAccount := n.role("account", iamtest.Trust(`{"AWS":"`+account+`"}`), "")
	byName := n.role("name", trustUser("plain"), "")
	service := n.role("service", iamtest.Trust(`{"Service":"lambda.amazonaws.com"}`), "")
	external := n.role("external", statement(`"Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}`), "")
	named := n.role("named", statement(`"Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}`), "")
	elsewhere := aws.String("arn:aws:iam::999999999999:role/other")
	withID := func(id string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.ExternalId = &id }
	}
	for what, tt := range map[string]struct {
		who  aws.CredentialsProvider
		role *string
		more func(*sts.AssumeRoleInput)
		may  bool
	}{
		"by name, without a policy":        {plain, byName, nil, true},
		"by name, another":                 {allowed, byName, nil, false},
		"by account, without a policy":     {plain, byAccount, nil, false},
		"by account, with a policy":        {allowed, byAccount, nil, true},
		"by account, outside the boundary": {boxed, byAccount, nil, false},
		"a service's":                      {allowed, service, nil, false},
		"with the external id":             {allowed, external, withID("42"), true},
		"with another external id":         {allowed, external, withID("43"), false},
		"without an external id":           {allowed, external, nil, false},
		"under another session name":       {allowed, named, nil, false},
		"under the user's name":            {allowed, named, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("allowed") }, true},
		"of another account":               {allowed, elsewhere, nil, false},
		"as root":                          {n.root, byAccount, nil, false},
	} {
		more := tt.more
		if more == nil {
			more = func(*sts.AssumeRoleInput) {}
		}
		_, err := n.assume(tt.who, tt.role, more)
		if tt.may && err != nil {
			t.Errorf("%s: %v", what, err)
		} else if !tt.may {
			refused(t, what, err, "AccessDenied", "")
		}
	}
}

// Whoever a role doesn't trust cannot tell it from one that is not there: the same
// words are said of both, but for what the caller's own policies deny.
func TestRolesAreNotToldOf(t *testing.T) {
	n := start(t, nil)
	there := n.role("there", iamtest.Trust(`{"Service":"lambda.amazonaws.com"}`), "")
	none := aws.String(strings.TrimSuffix(*there, "there") + "none")
	for who, c := range map[string]aws.CredentialsProvider{
		"plain":   n.user("plain", ""),
		"allowed": n.user("allowed", iamtest.Allow("sts:*", "*")),
		"denied":  n.user("denied", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`),
	} {
		said := func(role *string) string {
			_, err := n.assume(c, role)
			refused(t, who, err, "AccessDenied", "")
			_, after, _ := strings.Cut(fmt.Sprint(err), "AccessDenied: ")
			return strings.ReplaceAll(after, *role, "ROLE")
		}
		if a, b := said(there), said(none); a != b {
			t.Errorf("%s is told\n%s of a role, and\n%s of none", who, a, b)
		}
	}
}

func TestRefusedAssumptions(t *testing.T) {
	n := start(t, nil)
	ada := n.user("ada", "")
	role := n.role("r", trustUser("ada"), "")
	tags := func(n int) (list []types.Tag) {
		for i := range n {
			list = append(list, types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String(strings.Repeat("v", 200))})
		}
		return list
	}
	for what, tt := range map[string]struct {
		change func(*sts.AssumeRoleInput)
		code   string
	}{
		"no ARN":                 {func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("this is no ARN at all") }, "ValidationError"},
		"short name":             {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("x") }, "ValidationError"},
		"name with a slash":      {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a/b") }, "ValidationError"},
		"short":                  {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError"},
		"longer than the role's": {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError"},
		"malformed policy":       {func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") }, "MalformedPolicyDocument"},
		"long policy":            {func(in *sts.AssumeRoleInput) { in.Policy = aws.String(strings.Repeat(" ", 2049)) }, "ValidationError"},
		"no such policy": {func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/None")}}
		}, "ValidationError"},
		"tags of AWS's": {func(in *sts.AssumeRoleInput) {
			in.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}
		}, "ValidationError"},
		"transitive, no tag":  {func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"k"} }, "ValidationError"},
		"tags, not allowed":   {func(in *sts.AssumeRoleInput) { in.Tags = tags(1) }, "AccessDenied"},
		"source, not allowed": {func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("ada") }, "AccessDenied"},
		"a code": {func(in *sts.AssumeRoleInput) {
			in.SerialNumber, in.TokenCode = aws.String("arn:aws:iam::1:mfa/x"), aws.String("123456")
		}, "AccessDenied"},
		"bad external id": {func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("a b") }, "ValidationError"},
	} {
		_, err := n.assume(ada, role, tt.change)
		refused(t, what, err, tt.code, "")
	}
	eve := n.user("eve", "")
	taggable := n.role("taggable", statement(`"Principal":{"AWS":"`+userARN+`eve"},"Action":["sts:AssumeRole","sts:TagSession"]`), "")
	ok[sts.AssumeRoleOutput](t)(n.assume(eve, taggable, func(in *sts.AssumeRoleInput) { in.Tags = tags(10) }))
	_, err := n.assume(eve, taggable, func(in *sts.AssumeRoleInput) { in.Tags = tags(30) })
	refused(t, "too much to carry", err, "PackedPolicyTooLarge", "")
}

// A session's policies limit it further, inline ones and managed ones together.
func TestSessionPolicies(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	ada := n.user("ada", "")
	role := n.role("r", trustUser("ada"), iamtest.Allow("iam:*", "*"))
	out := ok[sts.AssumeRoleOutput](t)(n.assume(ada, role, func(in *sts.AssumeRoleInput) {
		in.Policy = aws.String(iamtest.Allow("iam:ListUsers", "*"))
		in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AmazonS3FullAccess")}}
	}))
	if out.PackedPolicySize == nil || *out.PackedPolicySize < 1 {
		t.Errorf("packed size %v", out.PackedPolicySize)
	}
	as := n.identities(temporary(out.Credentials))
	ok[iam.ListUsersOutput](t)(as.ListUsers(ctx, &iam.ListUsersInput{}))
	_, err := as.ListGroups(ctx, &iam.ListGroupsInput{})
	refused(t, "outside the session's policies", err, "AccessDenied", "User: arn:aws:sts::"+account+":assumed-role/r/session is not authorized to perform: "+
		"iam:ListGroups on resource: arn:aws:iam::"+account+":group/ because no session policy allows the iam:ListGroups action")
}

// One role's session assumes another role: for an hour at most, with what goes on.
func TestChaining(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	ada := n.user("ada", "")
	all := `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`
	first := n.role("first", statement(`"Principal":{"AWS":"`+userARN+`ada"},"Action":`+all), iamtest.Allow("sts:*", "*"))
	second := n.role("second", statement(`"Principal":{"AWS":"`+*first+`"},"Action":`+all+
		`,"Condition":{"StringEquals":{"aws:RequestTag/team":"a","sts:SourceIdentity":"ada"}}`), statement(`"Action":"iam:ListUsers","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a"}}`))
	_, err := n.iam.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: aws.String("second"), MaxSessionDuration: aws.Int32(7200)})
	must(t, err)
	tag := func(k string) types.Tag { return types.Tag{Key: &k, Value: aws.String("a")} }
	out := ok[sts.AssumeRoleOutput](t)(n.assume(ada, first, func(in *sts.AssumeRoleInput) {
		in.Tags, in.TransitiveTagKeys, in.SourceIdentity = []types.Tag{tag("team"), tag("other")}, []string{"team"}, aws.String("ada")
	}))
	if out.SourceIdentity == nil || *out.SourceIdentity != "ada" {
		t.Errorf("source identity %v", out.SourceIdentity)
	}
	as := temporary(out.Credentials)
	next := ok[sts.AssumeRoleOutput](t)(n.assume(as, second))
	if *next.SourceIdentity != "ada" {
		t.Errorf("source identity %s", *next.SourceIdentity)
	}
	ok[iam.ListUsersOutput](t)(n.identities(temporary(next.Credentials)).ListUsers(ctx, &iam.ListUsersInput{}))
	_, err = n.assume(as, second, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) })
	refused(t, "more than an hour", err, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	_, err = n.assume(as, second, func(in *sts.AssumeRoleInput) { in.Tags = []types.Tag{tag("TEAM")} })
	refused(t, "another value for a tag that went on", err, "ValidationError", "")
	_, err = n.assume(as, second, func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("eve") })
	refused(t, "another source identity", err, "AccessDenied", "")
	_, err = n.assume(ada, second)
	refused(t, "not through the first role", err, "AccessDenied", "")
}

func TestServicesMayAssume(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	function := "arn:aws:lambda:us-east-1:" + account + ":function:f"
	role := n.role("f", iamtest.Trust(`{"Service":"lambda.amazonaws.com"}`), "")
	bound := n.role("bound", statement(`"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:SourceArn":"`+function+`"}}`), "")
	for _, tt := range []struct {
		service, role, source string
		want                  bool
	}{
		{"lambda.amazonaws.com", *role, function, true},
		{"lambda.amazonaws.com", *role, "", true},
		{"scheduler.amazonaws.com", *role, function, false},
		{"lambda.amazonaws.com", *bound, function, true},
		{"lambda.amazonaws.com", *bound, function + "2", false},
		{"lambda.amazonaws.com", *role + "x", function, false},
		{"lambda.amazonaws.com", "arn:aws:iam::999999999999:role/f", function, false},
	} {
		if got, err := n.STS.MayAssume(ctx, tt.service, tt.role, tt.source); err != nil || got != tt.want {
			t.Errorf("%+v: %v %v", tt, got, err)
		}
		_, err := n.STS.ForService(ctx, ists.ServiceSession{Service: tt.service, RoleARN: tt.role, Name: "f", Source: tt.source, Life: time.Hour})
		if (err == nil) != tt.want || err != nil && !fault.Is(err, "AccessDenied") {
			t.Errorf("%+v: credentials: %v", tt, err)
		}
	}
}

// A function's credentials are of its role as the role is, and end with either.
func TestFunctionsCredentials(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	function := "arn:aws:lambda:us-east-1:" + account + ":function:f"
	role := n.role("f", iamtest.Trust(`{"Service":"lambda.amazonaws.com"}`), iamtest.Allow("s3:GetObject", "*"))
	c, err := n.STS.ForService(ctx, ists.ServiceSession{Service: "lambda.amazonaws.com", RoleARN: *role, Name: "f", Source: function, Life: time.Hour})
	must(t, err)
	keys := n.IAM.Owned(n.Sessions)
	got, err := keys.Secret(ctx, c.AccessKeyID, c.Token)
	must(t, err)
	id := *ok[iam.GetRoleOutput](t)(n.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("f")})).Role.RoleId
	if p := got.Principal; p.UserID != id+":f" || p.SourceARN != function || p.RoleARN != *role {
		t.Errorf("%+v", p)
	}
	if d := n.decideFor(got.Principal, "s3:GetObject"); !d.Allowed {
		t.Errorf("%+v", d)
	}
	caller, err := n.IAM.Caller(ctx, got.Principal)
	must(t, err)
	var k policy.Keys
	caller.SetKeys(&k)
	if v := k.Get("lambda:SourceFunctionArn"); len(v) != 1 || v[0] != function {
		t.Errorf("lambda:SourceFunctionArn is %q", v)
	}
	n.Sessions.Revoke(c.AccessKeyID, c.Expires)
	if _, err := keys.Secret(ctx, c.AccessKeyID, c.Token); err != auth.ErrInvalidToken {
		t.Errorf("revoked: %v", err)
	}
}
