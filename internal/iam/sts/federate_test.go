package sts_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

func TestCallerIdentity(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	id := ok[sts.GetCallerIdentityOutput](t)(n.tokens(n.root).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *id.Arn != "arn:aws:iam::"+account+":root" || *id.UserId != account || *id.Account != account {
		t.Errorf("%s %s", *id.Arn, *id.UserId)
	}
	denied := n.user("denied", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)
	ok[sts.GetCallerIdentityOutput](t)(n.tokens(denied).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	_, err := n.tokens(aws.AnonymousCredentials{}).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "nobody", err, "MissingAuthenticationToken", "")
}

func TestSessionToken(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	ada := n.user("ada", "")
	got := ok[sts.GetSessionTokenOutput](t)(n.tokens(ada).GetSessionToken(ctx, &sts.GetSessionTokenInput{})).Credentials
	if !got.Expiration.Equal(iamtest.Noon.Add(12 * time.Hour)) {
		t.Errorf("until %v", got.Expiration)
	}
	_, err := n.tokens(ada).GetSessionToken(ctx, &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(129601)})
	refused(t, "too long", err, "ValidationError", "")
	root := ok[sts.GetSessionTokenOutput](t)(n.tokens(n.root).GetSessionToken(ctx, &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(129600)})).Credentials
	if !root.Expiration.Equal(iamtest.Noon.Add(time.Hour)) {
		t.Errorf("root until %v", root.Expiration)
	}
	id := ok[sts.GetCallerIdentityOutput](t)(n.tokens(temporary(root)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *id.Arn != "arn:aws:iam::"+account+":root" {
		t.Errorf("%s", *id.Arn)
	}
}

func TestFederationToken(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	broker := n.user("broker", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:GetFederationToken","sts:TagSession","s3:*"],"Resource":"*"}]}`)
	in := &sts.GetFederationTokenInput{
		Name: aws.String("guest"), Policy: aws.String(iamtest.Allow("s3:GetObject", "*")), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	}
	out := ok[sts.GetFederationTokenOutput](t)(n.tokens(broker).GetFederationToken(ctx, in))
	if *out.FederatedUser.Arn != "arn:aws:sts::"+account+":federated-user/guest" || *out.FederatedUser.FederatedUserId != account+":guest" {
		t.Errorf("%+v", out.FederatedUser)
	}
	id := ok[sts.GetCallerIdentityOutput](t)(n.tokens(temporary(out.Credentials)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *id.Arn != *out.FederatedUser.Arn || *id.UserId != *out.FederatedUser.FederatedUserId {
		t.Errorf("%s %s", *id.Arn, *id.UserId)
	}
	for _, tt := range []struct {
		action string
		want   bool
	}{{"s3:GetObject", true}, {"s3:PutObject", false}, {"sqs:SendMessage", false}, {"iam:ListUsers", false}} {
		if got := n.decide(out.Credentials, tt.action); got.Allowed != tt.want {
			t.Errorf("%s: %+v", tt.action, got)
		}
	}
	_, err := n.tokens(temporary(out.Credentials)).GetFederationToken(ctx, in)
	refused(t, "from a session", err, "AccessDenied", "")
	_, err = n.tokens(n.user("plain", "")).GetFederationToken(ctx, in)
	refused(t, "without a policy", err, "AccessDenied", "User: "+userARN+"plain is not authorized to perform: sts:GetFederationToken on resource: "+
		*out.FederatedUser.Arn+" because no identity-based policy allows the sts:GetFederationToken action")

	none := ok[sts.GetFederationTokenOutput](t)(n.tokens(broker).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("guest")}))
	if got := n.decide(none.Credentials, "s3:GetObject"); got.Allowed {
		t.Error("without session policies it may do what the user may")
	}
	trusting := n.role("trusting", iamtest.Trust(`{"AWS":"`+*none.FederatedUser.Arn+`"}`), "")
	for what, c := range map[string]*types.Credentials{"with session policies": out.Credentials, "without": none.Credentials} {
		_, err = n.assume(temporary(c), trusting)
		refused(t, "a role that trusts the federated user, "+what, err, "AccessDenied", "")
	}
	root := ok[sts.GetFederationTokenOutput](t)(n.tokens(n.root).GetFederationToken(ctx, in))
	if got := n.decide(root.Credentials, "s3:GetObject"); !got.Allowed {
		t.Errorf("of root: %+v", got)
	}
	if got := n.decide(root.Credentials, "s3:PutObject"); got.Allowed {
		t.Errorf("of root, outside its policies: %+v", got)
	}
	// The session ends with the user that made it.
	for _, k := range ok[iam.ListAccessKeysOutput](t)(n.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String("broker")})).AccessKeyMetadata {
		_, err = n.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String("broker"), AccessKeyId: k.AccessKeyId})
		must(t, err)
	}
	_, err = n.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: aws.String("broker"), PolicyName: aws.String("p")})
	must(t, err)
	_, err = n.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("broker")})
	must(t, err)
	_, err = n.tokens(temporary(out.Credentials)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "of a deleted user", err, "InvalidClientTokenId", "")
}

// decide asks whether credentials allow an action on anything.
func (n *node) decide(c *types.Credentials, action string) policy.Decision {
	n.t.Helper()
	cred, err := n.Sessions.Secret(n.t.Context(), *c.AccessKeyId, *c.SessionToken)
	must(n.t, err)
	return n.decideFor(cred.Principal, action)
}

func (n *node) decideFor(p auth.Principal, action string) policy.Decision {
	n.t.Helper()
	caller, err := n.IAM.Caller(n.t.Context(), p)
	must(n.t, err)
	r := policy.Request{Principal: caller.Principal, Action: action, Resource: "*", ResourceAccount: account}
	caller.SetKeys(&r.Keys)
	return policy.Evaluate(&r, &policy.Policies{Identity: caller.Identity, Boundary: caller.Boundary, Session: caller.Session})
}

func TestAccessKeyInfo(t *testing.T) {
	n, ctx := start(t, nil), t.Context()
	n.user("ada", "")
	k := ok[iam.ListAccessKeysOutput](t)(n.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String("ada")})).AccessKeyMetadata[0]
	root := n.tokens(n.root)
	for _, id := range []string{*k.AccessKeyId, n.Root.AccessKeyID()} {
		if out := ok[sts.GetAccessKeyInfoOutput](t)(root.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &id})); *out.Account != account {
			t.Errorf("%s", *out.Account)
		}
	}
	for _, id := range []string{"AKIAIOSFODNN7EXAMPLE", "short", "AKIA lower case id"} {
		_, err := root.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &id})
		refused(t, id, err, "ValidationError", "")
	}
}
