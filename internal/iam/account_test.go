package iam_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
)

func TestAccount(t *testing.T) {
	n, ctx := start(t), t.Context()
	_, err := n.CreateAccountAlias(ctx, &awsiam.CreateAccountAliasInput{AccountAlias: aws.String("Bad_Alias")})
	refused(t, "a bad alias", err, "ValidationError", "")
	_, err = n.CreateAccountAlias(ctx, &awsiam.CreateAccountAliasInput{AccountAlias: aws.String("may-fly")})
	must(t, err)
	if got := ok[awsiam.ListAccountAliasesOutput](t)(n.ListAccountAliases(ctx, &awsiam.ListAccountAliasesInput{})); len(got.AccountAliases) != 1 || got.AccountAliases[0] != "may-fly" {
		t.Errorf("%v", got.AccountAliases)
	}
	_, err = n.DeleteAccountAlias(ctx, &awsiam.DeleteAccountAliasInput{AccountAlias: aws.String("another")})
	refused(t, "another alias", err, "NoSuchEntity", "")
	_, err = n.DeleteAccountAlias(ctx, &awsiam.DeleteAccountAliasInput{AccountAlias: aws.String("may-fly")})
	must(t, err)
	_, err = n.GetAccountPasswordPolicy(ctx, &awsiam.GetAccountPasswordPolicyInput{})
	refused(t, "no passwords", err, "NoSuchEntity", "")
	n.user("ada")
	n.role("r", lambdaTrust)
	m := ok[awsiam.GetAccountSummaryOutput](t)(n.GetAccountSummary(ctx, &awsiam.GetAccountSummaryInput{})).SummaryMap
	if m["Users"] != 1 || m["Roles"] != 1 || m["Groups"] != 0 || m["AccessKeysPerUserQuota"] != 2 {
		t.Errorf("%v", m)
	}
}

func TestAuthorizationDetails(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	ok[awsiam.CreateGroupOutput](t)(n.CreateGroup(ctx, &awsiam.CreateGroupInput{GroupName: aws.String("g")}))
	_, err := n.AddUserToGroup(ctx, &awsiam.AddUserToGroupInput{GroupName: aws.String("g"), UserName: aws.String("ada")})
	must(t, err)
	doc := iamtest.Allow("s3:*", "*")
	_, err = n.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: aws.String("ada"), PolicyName: aws.String("p"), PolicyDocument: &doc})
	must(t, err)
	n.role("r", lambdaTrust)
	_, err = n.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String(basic)})
	must(t, err)
	n.policy("own", doc)

	var all awsiam.GetAccountAuthorizationDetailsOutput
	for pages := awsiam.NewGetAccountAuthorizationDetailsPaginator(n, &awsiam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, err)
		all.UserDetailList = append(all.UserDetailList, page.UserDetailList...)
		all.GroupDetailList = append(all.GroupDetailList, page.GroupDetailList...)
		all.RoleDetailList = append(all.RoleDetailList, page.RoleDetailList...)
		all.Policies = append(all.Policies, page.Policies...)
	}
	if len(all.UserDetailList) != 1 || len(all.GroupDetailList) != 1 || len(all.RoleDetailList) != 1 || len(all.Policies) != 2 {
		t.Fatalf("%+v", all)
	}
	u := all.UserDetailList[0]
	if len(u.UserPolicyList) != 1 || len(u.GroupList) != 1 || u.GroupList[0] != "g" {
		t.Errorf("user %+v", u)
	}
	if got, err := url.QueryUnescape(*u.UserPolicyList[0].PolicyDocument); err != nil || got != doc {
		t.Errorf("document %q %v", got, err)
	}
	roles := ok[awsiam.GetAccountAuthorizationDetailsOutput](t)(n.GetAccountAuthorizationDetails(ctx, &awsiam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeRole}}))
	if len(roles.RoleDetailList) != 1 || len(roles.UserDetailList)+len(roles.Policies) != 0 {
		t.Errorf("roles alone: %+v", roles)
	}
}

func TestProviders(t *testing.T) {
	n, ctx := start(t), t.Context()
	in := &awsiam.CreateOpenIDConnectProviderInput{Url: aws.String("https://id.example.com/tenant/"), ClientIDList: []string{"a"}, ThumbprintList: []string{"0123456789abcdef0123456789abcdef01234567"}}
	arn := ok[awsiam.CreateOpenIDConnectProviderOutput](t)(n.CreateOpenIDConnectProvider(ctx, in)).OpenIDConnectProviderArn
	if *arn != "arn:aws:iam::"+account+":oidc-provider/id.example.com/tenant" {
		t.Errorf("%s", *arn)
	}
	_, err := n.CreateOpenIDConnectProvider(ctx, in)
	refused(t, "again", err, "EntityAlreadyExists", "Provider with url https://id.example.com/tenant already exists.")
	for range 2 {
		_, err = n.AddClientIDToOpenIDConnectProvider(ctx, &awsiam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("b")})
		must(t, err)
	}
	_, err = n.RemoveClientIDFromOpenIDConnectProvider(ctx, &awsiam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("a")})
	must(t, err)
	_, err = n.UpdateOpenIDConnectProviderThumbprint(ctx, &awsiam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn, ThumbprintList: []string{"short"}})
	refused(t, "a bad thumbprint", err, "ValidationError", "")
	_, err = n.TagOpenIDConnectProvider(ctx, &awsiam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	must(t, err)
	got := ok[awsiam.GetOpenIDConnectProviderOutput](t)(n.GetOpenIDConnectProvider(ctx, &awsiam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}))
	if diff := cmp.Diff([]any{"id.example.com/tenant", []string{"b"}, in.ThumbprintList, 1}, []any{*got.Url, got.ClientIDList, got.ThumbprintList, len(got.Tags)}); diff != "" {
		t.Error(diff)
	}
	if list := ok[awsiam.ListOpenIDConnectProvidersOutput](t)(n.ListOpenIDConnectProviders(ctx, &awsiam.ListOpenIDConnectProvidersInput{})); len(list.OpenIDConnectProviderList) != 1 {
		t.Errorf("%+v", list)
	}
	_, err = n.DeleteOpenIDConnectProvider(ctx, &awsiam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	must(t, err)
	_, err = n.GetOpenIDConnectProvider(ctx, &awsiam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	refused(t, "gone", err, "NoSuchEntity", "")
	for _, bad := range []string{"http://id.example.com", "https://", "https://u@id.example.com", "https://id.example.com?q", "id.example.com"} {
		_, err := n.CreateOpenIDConnectProvider(ctx, &awsiam.CreateOpenIDConnectProviderInput{Url: &bad})
		refused(t, bad, err, "ValidationError", "")
	}
}

func TestSimulatePrincipal(t *testing.T) {
	n, ctx := start(t), t.Context()
	role := n.role("r", lambdaTrust)
	doc := `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}},
		{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret"}]}`
	_, err := n.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("p"), PolicyDocument: &doc})
	must(t, err)
	in := &awsiam.SimulatePrincipalPolicyInput{
		PolicySourceArn: role.Arn, ActionNames: []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::b/k", "arn:aws:s3:::b/secret"},
		ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("aws:RequestedRegion"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"eu-west-1"}}},
		MaxItems:       aws.Int32(3),
	}
	got := map[string]types.PolicyEvaluationDecisionType{}
	for pages := awsiam.NewSimulatePrincipalPolicyPaginator(n, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, err)
		for _, r := range page.EvaluationResults {
			got[*r.EvalActionName+" "+*r.EvalResourceName] = r.EvalDecision
			if r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny && (len(r.MatchedStatements) == 0 || *r.MatchedStatements[0].SourcePolicyId != "p" || r.MatchedStatements[0].SourcePolicyType != "role") {
				t.Errorf("%s matched %+v", *r.EvalActionName, r.MatchedStatements)
			}
		}
	}
	want := map[string]types.PolicyEvaluationDecisionType{
		"s3:GetObject arn:aws:s3:::b/k": "allowed", "s3:GetObject arn:aws:s3:::b/secret": "explicitDeny",
		"s3:PutObject arn:aws:s3:::b/k": "allowed", "s3:PutObject arn:aws:s3:::b/secret": "explicitDeny",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err = n.SimulatePrincipalPolicy(ctx, &awsiam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::" + account + ":user/none"), ActionNames: []string{"s3:GetObject"}})
	refused(t, "nobody", err, "NoSuchEntity", "")
	for _, spelled := range []string{":role/elsewhere/r", ":role/R"} { // who may simulate those may not simulate this one
		other := aws.String("arn:aws:iam::" + account + spelled)
		_, err = n.SimulatePrincipalPolicy(ctx, &awsiam.SimulatePrincipalPolicyInput{PolicySourceArn: other, ActionNames: []string{"s3:GetObject"}})
		refused(t, *other, err, "NoSuchEntity", "")
		_, err = n.GetContextKeysForPrincipalPolicy(ctx, &awsiam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: other})
		refused(t, "keys of "+*other, err, "NoSuchEntity", "")
	}
	keys := ok[awsiam.GetContextKeysForPrincipalPolicyOutput](t)(n.GetContextKeysForPrincipalPolicy(ctx, &awsiam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: role.Arn}))
	if diff := cmp.Diff([]string{"aws:RequestedRegion"}, keys.ContextKeyNames); diff != "" {
		t.Error(diff)
	}
}

func TestSimulateCustom(t *testing.T) {
	n, ctx := start(t), t.Context()
	for what, tt := range map[string]struct {
		policies, boundary []string
		want               types.PolicyEvaluationDecisionType
	}{
		"nothing":  {[]string{iamtest.Allow("sqs:*", "*")}, nil, "implicitDeny"},
		"allowed":  {[]string{iamtest.Allow("s3:*", "*")}, nil, "allowed"},
		"boundary": {[]string{iamtest.Allow("s3:*", "*")}, []string{iamtest.Allow("sqs:*", "*")}, "implicitDeny"},
		"both":     {[]string{iamtest.Allow("s3:*", "*")}, []string{iamtest.Allow("s3:*", "*")}, "allowed"},
	} {
		out := ok[awsiam.SimulateCustomPolicyOutput](t)(n.SimulateCustomPolicy(ctx, &awsiam.SimulateCustomPolicyInput{
			PolicyInputList: tt.policies, PermissionsBoundaryPolicyInputList: tt.boundary, ActionNames: []string{"s3:GetObject"},
		})).EvaluationResults
		if len(out) != 1 || out[0].EvalDecision != tt.want {
			t.Errorf("%s: %+v", what, out)
		}
		if d := out[0].PermissionsBoundaryDecisionDetail; len(tt.boundary) > 0 && (d == nil || d.AllowedByPermissionsBoundary != (tt.want == "allowed")) {
			t.Errorf("%s: boundary %+v", what, d)
		}
	}
	// A megabyte of policies, for a thousand pairs, is more than memory has place for.
	large := `{"Version":"2012-10-17","Statement":[` + strings.Repeat(`{"Effect":"Allow","Action":"*","Resource":"*"},`, 2000) + `{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	actions := make([]string, 1000)
	for i := range actions {
		actions[i] = fmt.Sprint("s3:Get", i)
	}
	_, err := n.SimulateCustomPolicy(ctx, &awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{large}, ActionNames: actions, MaxItems: aws.Int32(1)})
	refused(t, "too much work", err, "InvalidInput", "")
	_, err = n.SimulateCustomPolicy(ctx, &awsiam.SimulateCustomPolicyInput{PolicyInputList: []string{"{"}, ActionNames: []string{"s3:GetObject"}})
	refused(t, "malformed", err, "InvalidInput", "")
	keys := ok[awsiam.GetContextKeysForCustomPolicyOutput](t)(n.GetContextKeysForCustomPolicy(ctx, &awsiam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`,
	}}))
	if diff := cmp.Diff([]string{"aws:SecureTransport", "aws:username"}, keys.ContextKeyNames); diff != "" {
		t.Error(diff)
	}
}
