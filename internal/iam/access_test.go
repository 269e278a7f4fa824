package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// Every operation says what it asks for, and nothing else does.
func TestEveryOperationAsks(t *testing.T) {
	n := start(t)
	for _, api := range []wire.API{n.IAM.API(), n.STS.API()} {
		router, err := wire.New(api)
		must(t, err)
		served := map[string]bool{}
		for _, op := range router.Operations() {
			served[op] = true
			if _, ok := api.Access[op]; !ok {
				t.Errorf("%s:%s asks for nothing", api.Service, op)
			}
		}
		for op := range api.Access {
			if !served[op] {
				t.Errorf("%s:%s is not served", api.Service, op)
			}
		}
	}
}

func TestNeeds(t *testing.T) {
	n, ctx := start(t), t.Context()
	limit := n.policy("limit", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	ok[awsiam.CreateUserOutput](t)(n.CreateUser(ctx, &awsiam.CreateUserInput{
		UserName: aws.String("ada"), Path: aws.String("/x/"), PermissionsBoundary: limit, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	}))
	ok[awsiam.CreateRoleOutput](t)(n.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("r"), Path: aws.String("/y/"), AssumeRolePolicyDocument: &lambdaTrust}))
	ok[awsiam.CreateInstanceProfileOutput](t)(n.CreateInstanceProfile(ctx, &awsiam.CreateInstanceProfileInput{InstanceProfileName: aws.String("p")}))
	prefix := "arn:aws:iam::" + account + ":"
	about := access.Keys{"iam:PermissionsBoundary": {*limit}, "aws:ResourceTag/team": {"a"}, "iam:ResourceTag/team": {"a"}}
	with := func(k access.Keys, more access.Keys) access.Keys {
		all := access.Keys{}
		for _, m := range []access.Keys{k, more} {
			for name, v := range m {
				all[name] = v
			}
		}
		return all
	}
	need := func(action, resource string, keys access.Keys) access.Need {
		return access.Need{Action: "iam:" + action, Resource: resource, Keys: keys}
	}
	table := n.IAM.API().Access
	for op, tt := range map[string]struct {
		in   any
		want []access.Need
	}{
		"ListUsers": {&awsiam.ListUsersInput{}, []access.Need{need("ListUsers", prefix+"user/", access.Keys{})}},
		"GetUser":   {&awsiam.GetUserInput{UserName: aws.String("ADA")}, []access.Need{need("GetUser", prefix+"user/x/ada", about)}},
		"CreateUser": {&awsiam.CreateUserInput{UserName: aws.String("eve"), Path: aws.String("/z/"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}},
			[]access.Need{need("CreateUser", prefix+"user/z/eve", access.Keys{"aws:RequestTag/k": {"v"}, "aws:TagKeys": {"k"}})}},
		"UpdateUser": {&awsiam.UpdateUserInput{UserName: aws.String("ada"), NewPath: aws.String("/")},
			[]access.Need{need("UpdateUser", prefix+"user/x/ada", about), need("UpdateUser", prefix+"user/ada", about)}},
		"AttachUserPolicy": {&awsiam.AttachUserPolicyInput{UserName: aws.String("ada"), PolicyArn: limit},
			[]access.Need{need("AttachUserPolicy", prefix+"user/x/ada", with(about, access.Keys{"iam:PolicyARN": {*limit}}))}},
		"PutUserPermissionsBoundary": {&awsiam.PutUserPermissionsBoundaryInput{UserName: aws.String("ada"), PermissionsBoundary: aws.String("arn:other")},
			[]access.Need{need("PutUserPermissionsBoundary", prefix+"user/x/ada", with(about, access.Keys{"iam:PermissionsBoundary": {"arn:other"}}))}},
		"UntagUser": {&awsiam.UntagUserInput{UserName: aws.String("ada"), TagKeys: []string{"team"}},
			[]access.Need{need("UntagUser", prefix+"user/x/ada", with(about, access.Keys{"aws:TagKeys": {"team"}}))}},
		"CreateServiceLinkedRole": {&awsiam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("lambda.amazonaws.com")},
			[]access.Need{need("CreateServiceLinkedRole", prefix+"role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda",
				access.Keys{"iam:AWSServiceName": {"lambda.amazonaws.com"}})}},
		"AddRoleToInstanceProfile": {&awsiam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("p"), RoleName: aws.String("r")},
			[]access.Need{need("AddRoleToInstanceProfile", prefix+"instance-profile/p", access.Keys{}),
				need("PassRole", prefix+"role/y/r", access.Keys{"iam:PassedToService": {"ec2.amazonaws.com"}, "iam:AssociatedResourceArn": {prefix + "instance-profile/p"}})}},
		"CreatePolicy": {&awsiam.CreatePolicyInput{PolicyName: aws.String("q")}, []access.Need{need("CreatePolicy", prefix+"policy/q", access.Keys{})}},
		"CreateOpenIDConnectProvider": {&awsiam.CreateOpenIDConnectProviderInput{Url: aws.String("HTTPS://id.example.com/tenant/")},
			[]access.Need{need("CreateOpenIDConnectProvider", prefix+"oidc-provider/id.example.com/tenant", access.Keys{})}},
		"DeletePolicy": {&awsiam.DeletePolicyInput{PolicyArn: limit}, []access.Need{need("DeletePolicy", *limit, access.Keys{})}},
	} {
		if diff := cmp.Diff(tt.want, table[op].Needs(ctx, tt.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", op, diff)
		}
	}
}
