package iam_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
)

var lambdaTrust = iamtest.Trust(`{"Service":"lambda.amazonaws.com"}`)

const basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

func (n *node) role(name, trust string) *types.Role {
	n.t.Helper()
	return ok[awsiam.CreateRoleOutput](n.t)(n.CreateRole(n.t.Context(), &awsiam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})).Role
}

// What Terraform's aws_iam_role does in a life: create, read, update, attach, destroy.
func TestRole(t *testing.T) {
	n, ctx := start(t), t.Context()
	reader := aws.String("reader")
	created := ok[awsiam.CreateRoleOutput](t)(n.CreateRole(ctx, &awsiam.CreateRoleInput{
		RoleName: reader, Path: aws.String("/service/"), AssumeRolePolicyDocument: &lambdaTrust, Description: aws.String("reads"),
		PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/PowerUserAccess"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	})).Role
	got := ok[awsiam.GetRoleOutput](t)(n.GetRole(ctx, &awsiam.GetRoleInput{RoleName: reader})).Role
	want := &types.Role{
		RoleName: reader, Path: aws.String("/service/"), RoleId: created.RoleId, CreateDate: &noon, Description: aws.String("reads"),
		Arn: aws.String("arn:aws:iam::" + account + ":role/service/reader"), MaxSessionDuration: aws.Int32(3600),
		AssumeRolePolicyDocument: got.AssumeRolePolicyDocument, RoleLastUsed: &types.RoleLastUsed{},
		PermissionsBoundary: &types.AttachedPermissionsBoundary{
			PermissionsBoundaryArn: aws.String("arn:aws:iam::aws:policy/PowerUserAccess"), PermissionsBoundaryType: "PermissionsBoundaryPolicy",
		},
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if doc, err := url.QueryUnescape(*got.AssumeRolePolicyDocument); err != nil || doc != lambdaTrust {
		t.Errorf("trust policy %q %v", doc, err)
	}
	if !strings.HasPrefix(*created.RoleId, "AROA") || len(*created.RoleId) != 21 {
		t.Errorf("id %s", *created.RoleId)
	}
	_, err := n.UpdateRole(ctx, &awsiam.UpdateRoleInput{RoleName: reader, MaxSessionDuration: aws.Int32(7200)})
	must(t, err)
	_, err = n.UpdateRole(ctx, &awsiam.UpdateRoleInput{RoleName: reader, MaxSessionDuration: aws.Int32(43201)})
	refused(t, "a long session", err, "ValidationError", "")
	_, err = n.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: reader, PolicyDocument: aws.String(iamtest.Allow("s3:*", "*"))})
	refused(t, "an identity policy as a trust policy", err, "MalformedPolicyDocument", "")
	_, err = n.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: reader, PolicyArn: aws.String(basic)})
	must(t, err)
	attached := ok[awsiam.ListAttachedRolePoliciesOutput](t)(n.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: reader}))
	if diff := cmp.Diff([]types.AttachedPolicy{{PolicyArn: aws.String(basic), PolicyName: aws.String("AWSLambdaBasicExecutionRole")}}, attached.AttachedPolicies, plain); diff != "" {
		t.Error(diff)
	}
	_, err = n.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: reader})
	refused(t, "delete with a policy", err, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	_, err = n.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: reader, PolicyArn: aws.String(basic)})
	must(t, err)
	_, err = n.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: reader, PolicyArn: aws.String(basic)})
	refused(t, "detach again", err, "NoSuchEntity", "Policy "+basic+" was not found.")
	_, err = n.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: reader})
	must(t, err)
	_, err = n.GetRole(ctx, &awsiam.GetRoleInput{RoleName: reader})
	refused(t, "gone", err, "NoSuchEntity", "The role with name reader cannot be found.")
}

func TestRefusedRoles(t *testing.T) {
	n, ctx := start(t), t.Context()
	for what, tt := range map[string]struct {
		change func(*awsiam.CreateRoleInput)
		code   string
	}{
		"not JSON": {func(in *awsiam.CreateRoleInput) { in.AssumeRolePolicyDocument = aws.String("{") }, "MalformedPolicyDocument"},
		"no principal": {func(in *awsiam.CreateRoleInput) {
			in.AssumeRolePolicyDocument = aws.String(iamtest.Allow("sts:AssumeRole", "*"))
		}, "MalformedPolicyDocument"},
		"large": {func(in *awsiam.CreateRoleInput) {
			in.AssumeRolePolicyDocument = aws.String(iamtest.Trust(`{"AWS":["` + strings.Repeat(account+`","`, 140) + account + `"]}`))
		}, "LimitExceeded"},
		"short session":    {func(in *awsiam.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(3599) }, "ValidationError"},
		"long description": {func(in *awsiam.CreateRoleInput) { in.Description = aws.String(strings.Repeat("x", 1001)) }, "ValidationError"},
		"a service's path": {func(in *awsiam.CreateRoleInput) { in.Path = aws.String("/aws-service-role/x/") }, "ValidationError"},
		"boundary": {func(in *awsiam.CreateRoleInput) {
			in.PermissionsBoundary = aws.String("arn:aws:iam::" + account + ":policy/none")
		}, "NoSuchEntity"},
	} {
		in := &awsiam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: &lambdaTrust}
		tt.change(in)
		_, err := n.CreateRole(ctx, in)
		refused(t, what, err, tt.code, "")
	}
	n.role("r", lambdaTrust)
	_, err := n.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("R"), AssumeRolePolicyDocument: &lambdaTrust})
	refused(t, "the same name", err, "EntityAlreadyExists", "Role with name R already exists.")
}

func TestInstanceProfile(t *testing.T) {
	n, ctx := start(t), t.Context()
	role := n.role("r", lambdaTrust)
	p := aws.String("p")
	made := ok[awsiam.CreateInstanceProfileOutput](t)(n.CreateInstanceProfile(ctx, &awsiam.CreateInstanceProfileInput{InstanceProfileName: p})).InstanceProfile
	if !strings.HasPrefix(*made.InstanceProfileId, "AIPA") || *made.Arn != "arn:aws:iam::"+account+":instance-profile/p" {
		t.Errorf("%+v", made)
	}
	_, err := n.AddRoleToInstanceProfile(ctx, &awsiam.AddRoleToInstanceProfileInput{InstanceProfileName: p, RoleName: role.RoleName})
	must(t, err)
	_, err = n.AddRoleToInstanceProfile(ctx, &awsiam.AddRoleToInstanceProfileInput{InstanceProfileName: p, RoleName: role.RoleName})
	refused(t, "a second role", err, "LimitExceeded", "")
	of := ok[awsiam.ListInstanceProfilesForRoleOutput](t)(n.ListInstanceProfilesForRole(ctx, &awsiam.ListInstanceProfilesForRoleInput{RoleName: role.RoleName}))
	if len(of.InstanceProfiles) != 1 || len(of.InstanceProfiles[0].Roles) != 1 || *of.InstanceProfiles[0].Roles[0].RoleId != *role.RoleId {
		t.Errorf("%+v", of.InstanceProfiles)
	}
	_, err = n.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: role.RoleName})
	refused(t, "a role in a profile", err, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	_, err = n.DeleteInstanceProfile(ctx, &awsiam.DeleteInstanceProfileInput{InstanceProfileName: p})
	refused(t, "a profile with a role", err, "DeleteConflict", "")
	_, err = n.RemoveRoleFromInstanceProfile(ctx, &awsiam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: p, RoleName: role.RoleName})
	must(t, err)
	_, err = n.DeleteInstanceProfile(ctx, &awsiam.DeleteInstanceProfileInput{InstanceProfileName: p})
	must(t, err)
	_, err = n.GetInstanceProfile(ctx, &awsiam.GetInstanceProfileInput{InstanceProfileName: p})
	refused(t, "gone", err, "NoSuchEntity", "Instance Profile p cannot be found.")
	_, err = n.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: role.RoleName})
	must(t, err)
}

func TestServiceLinkedRole(t *testing.T) {
	n, ctx := start(t), t.Context()
	in := &awsiam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("lambda.amazonaws.com")}
	role := ok[awsiam.CreateServiceLinkedRoleOutput](t)(n.CreateServiceLinkedRole(ctx, in)).Role
	if *role.Arn != "arn:aws:iam::"+account+":role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda" {
		t.Errorf("%s", *role.Arn)
	}
	_, err := n.CreateServiceLinkedRole(ctx, in)
	refused(t, "again", err, "InvalidInput", "Service role name AWSServiceRoleForLambda has been taken in this account, please try a different suffix.")
	_, err = n.CreateServiceLinkedRole(ctx, &awsiam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("nonsense")})
	refused(t, "no service", err, "InvalidInput", "")
	_, err = n.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: role.RoleName, PolicyArn: aws.String(basic)})
	refused(t, "change it", err, "UnmodifiableEntity", "")
	_, err = n.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: role.RoleName})
	refused(t, "delete it as a role", err, "UnmodifiableEntity", "")
	task := ok[awsiam.DeleteServiceLinkedRoleOutput](t)(n.DeleteServiceLinkedRole(ctx, &awsiam.DeleteServiceLinkedRoleInput{RoleName: role.RoleName})).DeletionTaskId
	status := ok[awsiam.GetServiceLinkedRoleDeletionStatusOutput](t)(n.GetServiceLinkedRoleDeletionStatus(ctx, &awsiam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task}))
	if status.Status != types.DeletionTaskStatusTypeSucceeded {
		t.Errorf("%s is %s", *task, status.Status)
	}
}

func TestRoleLastUsed(t *testing.T) {
	n, ctx := start(t), t.Context()
	role := n.role("r", lambdaTrust)
	n.IAM.Note(auth.Principal{Kind: auth.RoleSession, UserID: *role.RoleId + ":session"}, "s3")
	got := ok[awsiam.GetRoleOutput](t)(n.GetRole(ctx, &awsiam.GetRoleInput{RoleName: role.RoleName})).Role.RoleLastUsed
	if diff := cmp.Diff(&types.RoleLastUsed{LastUsedDate: &noon, Region: aws.String(iamtest.Region)}, got, plain); diff != "" {
		t.Error(diff)
	}
}
