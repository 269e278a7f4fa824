package sts_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
	"github.com/mayfly-cloud/mayfly/internal/iam/oidc/oidctest"
)

// web is an account that trusts a provider's subjects: a role for those of one
// repository.
func web(t *testing.T) (*node, *oidctest.Provider, *string) {
	p := oidctest.New(t, nil)
	n := start(t, p.Client)
	arn := ok[iam.CreateOpenIDConnectProviderOutput](t)(n.iam.CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: &p.URL, ClientIDList: []string{"sts.amazonaws.com"},
	})).OpenIDConnectProviderArn
	host := p.URL[len("https://"):]
	role := n.role("deploy", statement(`"Principal":{"Federated":"`+*arn+`"},"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"],
		"Condition":{"StringEquals":{"`+host+`:aud":"sts.amazonaws.com"},"StringLike":{"`+host+`:sub":"repo:org/*"}}`), iamtest.Allow("iam:ListUsers", "*"))
	return n, p, role
}

func (n *node) withToken(role *string, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return n.tokens(nil).AssumeRoleWithWebIdentity(n.t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: role, RoleSessionName: aws.String("run-1"), WebIdentityToken: &token,
	})
}

func TestAssumeRoleWithWebIdentity(t *testing.T) {
	n, p, role := web(t)
	ctx := t.Context()
	out := ok[sts.AssumeRoleWithWebIdentityOutput](t)(n.withToken(role, p.Token(t, n.Clock.Now(), map[string]any{
		"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string][]string{"team": {"a"}}},
	})))
	if *out.SubjectFromWebIdentityToken != "repo:org/app" || *out.Audience != "sts.amazonaws.com" || *out.AssumedRoleUser.Arn != "arn:aws:sts::"+account+":assumed-role/deploy/run-1" {
		t.Errorf("%+v", out)
	}
	as := temporary(out.Credentials)
	id := ok[sts.GetCallerIdentityOutput](t)(n.tokens(as).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *id.Arn != *out.AssumedRoleUser.Arn {
		t.Errorf("%s", *id.Arn)
	}
	ok[iam.ListUsersOutput](t)(n.identities(as).ListUsers(ctx, &iam.ListUsersInput{}))
	cred, err := n.Sessions.Secret(ctx, *out.Credentials.AccessKeyId, *out.Credentials.SessionToken)
	must(t, err)
	c, err := n.IAM.Caller(ctx, cred.Principal)
	must(t, err)
	if c.Tags["team"] != "a" || c.Principal.Provider == "" {
		t.Errorf("%+v", c)
	}
}

func TestRefusedWebIdentities(t *testing.T) {
	n, p, role := web(t)
	now := n.Clock.Now()
	other := oidctest.New(t, nil)
	good := p.Token(t, now, nil)
	byOther := n.role("other", iamtest.Trust(`{"Federated":"cognito-identity.amazonaws.com"}`), "")
	for what, tt := range map[string]struct {
		role  *string
		token string
		code  string
	}{
		"no token":            {role, "none", "InvalidIdentityToken"},
		"an unknown provider": {role, other.Token(t, now, nil), "InvalidIdentityToken"},
		"forged":              {role, other.Token(t, now, map[string]any{"iss": p.URL}), "InvalidIdentityToken"},
		"for another client":  {role, p.Token(t, now, map[string]any{"aud": "someone"}), "InvalidIdentityToken"},
		"azp is not a client": {role, p.Token(t, now, map[string]any{"azp": "someone"}), "InvalidIdentityToken"},
		"ended":               {role, p.Token(t, now.Add(-time.Hour), nil), "ExpiredTokenException"},
		"another subject":     {role, p.Token(t, now, map[string]any{"sub": "repo:evil/app"}), "AccessDenied"},
		"another role":        {byOther, good, "AccessDenied"},
		"no role":             {aws.String(*role + "x"), good, "AccessDenied"},
		"malformed tags":      {role, p.Token(t, now, map[string]any{"https://aws.amazon.com/tags": "x"}), "InvalidIdentityToken"},
		"a source identity":   {role, p.Token(t, now, map[string]any{"https://aws.amazon.com/source_identity": "ada"}), "AccessDenied"},
	} {
		_, err := n.withToken(tt.role, tt.token)
		refused(t, what, err, tt.code, "")
	}
	ok[sts.AssumeRoleWithWebIdentityOutput](t)(n.withToken(role, good))
}
