package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) attachOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("AttachUserPolicy"), a.attachUserPolicy),
		wire.Op(wire.Named("DetachUserPolicy"), a.detachUserPolicy),
		wire.Op(wire.Named("ListAttachedUserPolicies"), a.listAttachedUserPolicies),
		wire.Op(wire.Named("AttachGroupPolicy"), a.attachGroupPolicy),
		wire.Op(wire.Named("DetachGroupPolicy"), a.detachGroupPolicy),
		wire.Op(wire.Named("ListAttachedGroupPolicies"), a.listAttachedGroupPolicies),
		wire.Op(wire.Named("AttachRolePolicy"), a.attachRolePolicy),
		wire.Op(wire.Named("DetachRolePolicy"), a.detachRolePolicy),
		wire.Op(wire.Named("ListAttachedRolePolicies"), a.listAttachedRolePolicies),
	}
}

func attachedOut(arn string) types.AttachedPolicy {
	_, name := policyPath(arn)
	return types.AttachedPolicy{PolicyArn: &arn, PolicyName: &name}
}

func (a api) attachUserPolicy(ctx context.Context, in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	return nil, a.attach(ctx, User, aws.ToString(in.UserName), aws.ToString(in.PolicyArn))
}

func (a api) detachUserPolicy(ctx context.Context, in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	return nil, a.detach(ctx, User, aws.ToString(in.UserName), aws.ToString(in.PolicyArn))
}

func (a api) listAttachedUserPolicies(ctx context.Context, in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	arns, marker, err := a.listAttached(ctx, User, aws.ToString(in.UserName), aws.ToString(in.PathPrefix), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: each(arns, attachedOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) attachGroupPolicy(ctx context.Context, in *iam.AttachGroupPolicyInput) (*iam.AttachGroupPolicyOutput, error) {
	return nil, a.attach(ctx, Group, aws.ToString(in.GroupName), aws.ToString(in.PolicyArn))
}

func (a api) detachGroupPolicy(ctx context.Context, in *iam.DetachGroupPolicyInput) (*iam.DetachGroupPolicyOutput, error) {
	return nil, a.detach(ctx, Group, aws.ToString(in.GroupName), aws.ToString(in.PolicyArn))
}

func (a api) listAttachedGroupPolicies(ctx context.Context, in *iam.ListAttachedGroupPoliciesInput) (*iam.ListAttachedGroupPoliciesOutput, error) {
	arns, marker, err := a.listAttached(ctx, Group, aws.ToString(in.GroupName), aws.ToString(in.PathPrefix), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: each(arns, attachedOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) attachRolePolicy(ctx context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	return nil, a.attach(ctx, Role, aws.ToString(in.RoleName), aws.ToString(in.PolicyArn))
}

func (a api) detachRolePolicy(ctx context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	return nil, a.detach(ctx, Role, aws.ToString(in.RoleName), aws.ToString(in.PolicyArn))
}

func (a api) listAttachedRolePolicies(ctx context.Context, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	arns, marker, err := a.listAttached(ctx, Role, aws.ToString(in.RoleName), aws.ToString(in.PathPrefix), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: each(arns, attachedOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}
