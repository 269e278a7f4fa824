package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) inlineOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("PutUserPolicy"), a.putUserPolicy),
		wire.Op(wire.Named("GetUserPolicy"), a.getUserPolicy),
		wire.Op(wire.Named("DeleteUserPolicy"), a.deleteUserPolicy),
		wire.Op(wire.Named("ListUserPolicies"), a.listUserPolicies),
		wire.Op(wire.Named("PutGroupPolicy"), a.putGroupPolicy),
		wire.Op(wire.Named("GetGroupPolicy"), a.getGroupPolicy),
		wire.Op(wire.Named("DeleteGroupPolicy"), a.deleteGroupPolicy),
		wire.Op(wire.Named("ListGroupPolicies"), a.listGroupPolicies),
		wire.Op(wire.Named("PutRolePolicy"), a.putRolePolicy),
		wire.Op(wire.Named("GetRolePolicy"), a.getRolePolicy),
		wire.Op(wire.Named("DeleteRolePolicy"), a.deleteRolePolicy),
		wire.Op(wire.Named("ListRolePolicies"), a.listRolePolicies),
	}
}

func (a api) putUserPolicy(ctx context.Context, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	return nil, a.putInline(ctx, User, aws.ToString(in.UserName), aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument))
}

func (a api) getUserPolicy(ctx context.Context, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	e, doc, err := a.inline(ctx, User, aws.ToString(in.UserName), aws.ToString(in.PolicyName))
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{UserName: &e.Name, PolicyName: in.PolicyName, PolicyDocument: aws.String(Escape(doc))}, nil
}

func (a api) deleteUserPolicy(ctx context.Context, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	return nil, a.deleteInline(ctx, User, aws.ToString(in.UserName), aws.ToString(in.PolicyName))
}

func (a api) listUserPolicies(ctx context.Context, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	names, marker, err := a.listInline(ctx, User, aws.ToString(in.UserName), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: each(names, itself), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) putGroupPolicy(ctx context.Context, in *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
	return nil, a.putInline(ctx, Group, aws.ToString(in.GroupName), aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument))
}

func (a api) getGroupPolicy(ctx context.Context, in *iam.GetGroupPolicyInput) (*iam.GetGroupPolicyOutput, error) {
	e, doc, err := a.inline(ctx, Group, aws.ToString(in.GroupName), aws.ToString(in.PolicyName))
	if err != nil {
		return nil, err
	}
	return &iam.GetGroupPolicyOutput{GroupName: &e.Name, PolicyName: in.PolicyName, PolicyDocument: aws.String(Escape(doc))}, nil
}

func (a api) deleteGroupPolicy(ctx context.Context, in *iam.DeleteGroupPolicyInput) (*iam.DeleteGroupPolicyOutput, error) {
	return nil, a.deleteInline(ctx, Group, aws.ToString(in.GroupName), aws.ToString(in.PolicyName))
}

func (a api) listGroupPolicies(ctx context.Context, in *iam.ListGroupPoliciesInput) (*iam.ListGroupPoliciesOutput, error) {
	names, marker, err := a.listInline(ctx, Group, aws.ToString(in.GroupName), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupPoliciesOutput{PolicyNames: each(names, itself), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) putRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	return nil, a.putInline(ctx, Role, aws.ToString(in.RoleName), aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument))
}

func (a api) getRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	e, doc, err := a.inline(ctx, Role, aws.ToString(in.RoleName), aws.ToString(in.PolicyName))
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{RoleName: &e.Name, PolicyName: in.PolicyName, PolicyDocument: aws.String(Escape(doc))}, nil
}

func (a api) deleteRolePolicy(ctx context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	return nil, a.deleteInline(ctx, Role, aws.ToString(in.RoleName), aws.ToString(in.PolicyName))
}

func (a api) listRolePolicies(ctx context.Context, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	names, marker, err := a.listInline(ctx, Role, aws.ToString(in.RoleName), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: each(names, itself), IsTruncated: marker != "", Marker: optional(marker)}, nil
}
