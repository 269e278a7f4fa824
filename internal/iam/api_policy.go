package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) policyOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("CreatePolicy"), a.createPolicy),
		wire.Op(wire.Named("GetPolicy"), a.getPolicy),
		wire.Op(wire.Named("DeletePolicy"), a.deletePolicy),
		wire.Op(wire.Named("ListPolicies"), a.listPolicies),
		wire.Op(wire.Named("CreatePolicyVersion"), a.createPolicyVersion),
		wire.Op(wire.Named("GetPolicyVersion"), a.getPolicyVersion),
		wire.Op(wire.Named("DeletePolicyVersion"), a.deletePolicyVersion),
		wire.Op(wire.Named("ListPolicyVersions"), a.listPolicyVersions),
		wire.Op(wire.Named("SetDefaultPolicyVersion"), a.setDefaultPolicyVersion),
		wire.Op(wire.Named("ListEntitiesForPolicy"), a.listEntitiesForPolicy),
	}
}

func (a api) policyOut(p policyUse) types.Policy {
	arn := a.PolicyARN(p.Policy)
	return types.Policy{
		Arn: &arn, PolicyName: &p.Name, PolicyId: &p.ID, Path: &p.Path, Description: optional(p.Description),
		CreateDate: &p.Created, UpdateDate: &p.Updated, DefaultVersionId: aws.String(VersionID(p.Default)), IsAttachable: true,
		AttachmentCount: aws.Int32(int32(p.attached)), PermissionsBoundaryUsageCount: aws.Int32(int32(p.bounded)),
	}
}

// versionOut is a version without its document, as lists have it.
func versionOut(v policyVersion) types.PolicyVersion {
	return types.PolicyVersion{CreateDate: &v.Created, IsDefaultVersion: v.isDefault, VersionId: aws.String(VersionID(v.n))}
}

func (a api) createPolicy(ctx context.Context, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	p := &Policy{Name: aws.ToString(in.PolicyName), Path: aws.ToString(in.Path), Description: aws.ToString(in.Description)}
	if err := a.Service.createPolicy(ctx, p, aws.ToString(in.PolicyDocument), tagsIn(in.Tags)); err != nil {
		return nil, err
	}
	out := a.policyOut(policyUse{Policy: p})
	if len(p.Tags) > 0 {
		out.Tags = tagsOut(p.Tags)
	}
	return &iam.CreatePolicyOutput{Policy: &out}, nil
}

func (a api) getPolicy(ctx context.Context, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	p, err := a.policy(ctx, aws.ToString(in.PolicyArn))
	if err != nil {
		return nil, err
	}
	out := a.policyOut(p)
	out.Tags = tagsOut(p.Tags)
	return &iam.GetPolicyOutput{Policy: &out}, nil
}

func (a api) deletePolicy(ctx context.Context, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	return nil, a.Service.deletePolicy(ctx, aws.ToString(in.PolicyArn))
}

func (a api) listPolicies(ctx context.Context, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	q := policyQuery{scope: string(in.Scope), attached: in.OnlyAttached, use: string(in.PolicyUsageFilter), prefix: aws.ToString(in.PathPrefix)}
	list, marker, err := a.Service.listPolicies(ctx, q, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListPoliciesOutput{Policies: each(list, a.policyOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) createPolicyVersion(ctx context.Context, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	v, err := a.createVersion(ctx, aws.ToString(in.PolicyArn), aws.ToString(in.PolicyDocument), in.SetAsDefault)
	if err != nil {
		return nil, err
	}
	out := versionOut(v)
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &out}, nil
}

func (a api) getPolicyVersion(ctx context.Context, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	v, err := a.version(ctx, aws.ToString(in.PolicyArn), aws.ToString(in.VersionId))
	if err != nil {
		return nil, err
	}
	out := versionOut(v)
	out.Document = aws.String(Escape(v.Document))
	return &iam.GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

func (a api) deletePolicyVersion(ctx context.Context, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	return nil, a.deleteVersion(ctx, aws.ToString(in.PolicyArn), aws.ToString(in.VersionId))
}

func (a api) listPolicyVersions(ctx context.Context, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	list, marker, err := a.listVersions(ctx, aws.ToString(in.PolicyArn), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyVersionsOutput{Versions: each(list, versionOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) setDefaultPolicyVersion(ctx context.Context, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	return nil, a.setDefault(ctx, aws.ToString(in.PolicyArn), aws.ToString(in.VersionId))
}

func (a api) listEntitiesForPolicy(ctx context.Context, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	q := holderQuery{kind: Kind(strings.ToLower(string(in.EntityFilter))), prefix: aws.ToString(in.PathPrefix), use: string(in.PolicyUsageFilter)}
	list, marker, err := a.listHolders(ctx, aws.ToString(in.PolicyArn), q, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyOutput{
		PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{},
		IsTruncated: marker != "", Marker: optional(marker),
	}
	for _, h := range list {
		switch h.Kind {
		case User:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserId: &h.ID, UserName: &h.Name})
		case Group:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupId: &h.ID, GroupName: &h.Name})
		case Role:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleId: &h.ID, RoleName: &h.Name})
		}
	}
	return out, nil
}
