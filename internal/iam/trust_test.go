package iam_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
)

// trusts reads a role's trust policy.
func (n *node) trusts(role string) string {
	n.t.Helper()
	r := ok[awsiam.GetRoleOutput](n.t)(n.GetRole(n.t.Context(), &awsiam.GetRoleInput{RoleName: &role})).Role
	doc, err := url.QueryUnescape(*r.AssumeRolePolicyDocument)
	must(n.t, err)
	return doc
}

// Whom a role trusts is whoever had the name when it was written down.
func TestTrustIsOfAnIdentity(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	trust := func(name string) string {
		return iamtest.Trust(`{"AWS":["arn:aws:iam::` + account + `:user/` + name + `"]}`)
	}
	role := n.role("r", trust("ada"))
	assume := func(user string) error {
		_, err := n.sts(static(n.key(user))).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: role.Arn, RoleSessionName: aws.String("session")})
		return err
	}
	must(t, assume("ada"))
	_, err := n.UpdateUser(ctx, &awsiam.UpdateUserInput{UserName: aws.String("ada"), NewUserName: aws.String("bea")})
	must(t, err)
	if got := n.trusts("r"); got != trust("bea") {
		t.Errorf("after she was renamed: %s", got)
	}
	must(t, assume("bea"))
	n.user("ada")
	refused(t, "another under her old name", assume("ada"), "AccessDenied", "")

	id := *ok[awsiam.GetUserOutput](t)(n.GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("bea")})).User.UserId
	for _, m := range ok[awsiam.ListAccessKeysOutput](t)(n.ListAccessKeys(ctx, &awsiam.ListAccessKeysInput{UserName: aws.String("bea")})).AccessKeyMetadata {
		_, err = n.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("bea"), AccessKeyId: m.AccessKeyId})
		must(t, err)
	}
	_, err = n.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("bea")})
	must(t, err)
	if got := n.trusts("r"); !strings.Contains(got, `["`+id+`"]`) {
		t.Errorf("after she is gone: %s", got)
	}
	n.user("bea")
	refused(t, "another under her name", assume("bea"), "AccessDenied", "")
	_, err = n.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String("r"), PolicyDocument: aws.String(trust("bea"))})
	must(t, err)
	must(t, assume("bea"))
}

func TestTrustedMustBeThere(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.role("other", lambdaTrust)
	for _, arn := range []string{":user/nobody", ":role/nobody", ":role/path/other"} {
		arn = "arn:aws:iam::" + account + arn
		doc := iamtest.Trust(`{"Service":"lambda.amazonaws.com","AWS":"` + arn + `"}`)
		_, err := n.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: &doc})
		refused(t, arn, err, "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"`+arn+`"`)
	}
	// The name of a principal elsewhere in a document is not one, and is left alone.
	doc := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:role/other"},"Action":"sts:AssumeRole",` +
		`"Condition":{"StringNotEquals":{"aws:PrincipalArn":"arn:aws:iam::` + account + `:user/nobody"}}}}`
	n.role("r", doc)
	if got := n.trusts("r"); got != doc {
		t.Errorf("%s", got)
	}
}

// FuzzRenamed: whatever a document is, naming nobody anew leaves it as it is, and new
// names leave it JSON.
func FuzzRenamed(f *testing.F) {
	f.Add(lambdaTrust)
	f.Add(iamtest.Trust(`{"AWS":["a","b"],"Service":"c"}`))
	f.Add(`{"Statement":[{"Principal":{"AWS":"\u0061\"b"}}],"Statement":{"Principal":{"AWS":[["x"]]}}}`)
	f.Add(`{"Statement":{"Principal":{"AWS":"a"}} `)
	f.Fuzz(func(t *testing.T, doc string) {
		if got := iam.Renamed(doc, func(string) string { return "" }); got != doc {
			t.Errorf("%q became %q", doc, got)
		}
		if got := iam.Renamed(doc, func(string) string { return `arn:aws:iam::1:user/"x\` }); json.Valid([]byte(doc)) && !json.Valid([]byte(got)) {
			t.Errorf("%q became %q", doc, got)
		}
	})
}
