package iam

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) accountOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("GetAccountSummary"), a.getAccountSummary),
		wire.Op(wire.Named("GetAccountAuthorizationDetails"), a.getAuthorizationDetails),
		wire.Op(wire.Named("ListAccountAliases"), a.listAccountAliases),
		wire.Op(wire.Named("CreateAccountAlias"), a.createAccountAlias),
		wire.Op(wire.Named("DeleteAccountAlias"), a.deleteAccountAlias),
		wire.Op(wire.Named("GetAccountPasswordPolicy"), a.getPasswordPolicy),
	}
}

func (a api) getAccountSummary(ctx context.Context, _ *iam.GetAccountSummaryInput) (*iam.GetAccountSummaryOutput, error) {
	m, err := a.summary(ctx)
	return &iam.GetAccountSummaryOutput{SummaryMap: m}, err
}

func (a api) listAccountAliases(ctx context.Context, _ *iam.ListAccountAliasesInput) (*iam.ListAccountAliasesOutput, error) {
	name, err := a.alias(ctx)
	out := &iam.ListAccountAliasesOutput{AccountAliases: []string{}}
	if name != "" {
		out.AccountAliases = append(out.AccountAliases, name)
	}
	return out, err
}

func (a api) createAccountAlias(ctx context.Context, in *iam.CreateAccountAliasInput) (*iam.CreateAccountAliasOutput, error) {
	return nil, a.setAlias(ctx, aws.ToString(in.AccountAlias))
}

func (a api) deleteAccountAlias(ctx context.Context, in *iam.DeleteAccountAliasInput) (*iam.DeleteAccountAliasOutput, error) {
	return nil, a.deleteAlias(ctx, aws.ToString(in.AccountAlias))
}

// getPasswordPolicy answers that there is none, for there are no passwords.
func (a api) getPasswordPolicy(context.Context, *iam.GetAccountPasswordPolicyInput) (*iam.GetAccountPasswordPolicyOutput, error) {
	return nil, noSuchEntity("The Password Policy with domain name %s cannot be found.", a.cfg.Account)
}

// detailKinds are the filters of GetAccountAuthorizationDetails that mean entities.
var detailKinds = map[types.EntityType]Kind{types.EntityTypeUser: User, types.EntityTypeGroup: Group, types.EntityTypeRole: Role}

func (a api) getAuthorizationDetails(ctx context.Context, in *iam.GetAccountAuthorizationDetailsInput) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	q := detailQuery{listing: fmt.Sprint(in.Filter)}
	if len(in.Filter) == 0 {
		in.Filter = types.EntityType("").Values()
	}
	for _, f := range in.Filter {
		switch {
		case detailKinds[f] != "":
			q.kinds = append(q.kinds, detailKinds[f])
		case f == types.EntityTypeLocalManagedPolicy:
			q.local = true
		case f == types.EntityTypeAWSManagedPolicy:
			q.aws = true
		default:
			return nil, constraint(clip(string(f)), "filter", "Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]")
		}
	}
	list, marker, err := a.details(ctx, q, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	out := &iam.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []types.UserDetail{}, GroupDetailList: []types.GroupDetail{}, RoleDetailList: []types.RoleDetail{},
		Policies: []types.ManagedPolicyDetail{}, IsTruncated: marker != "", Marker: optional(marker),
	}
	for _, d := range list {
		a.addDetail(out, d)
	}
	return out, nil
}

func (a api) addDetail(out *iam.GetAccountAuthorizationDetailsOutput, d detail) {
	if d.policy != nil {
		out.Policies = append(out.Policies, a.policyDetail(d))
		return
	}
	e := d.entity
	arn, attached, inline := a.ARN(e), each(e.Attached, attachedOut), inlineOut(e)
	switch e.Kind {
	case User:
		out.UserDetailList = append(out.UserDetailList, types.UserDetail{
			Arn: &arn, UserId: &e.ID, UserName: &e.Name, Path: &e.Path, CreateDate: &e.Created, Tags: tagsOut(e.Tags),
			AttachedManagedPolicies: attached, UserPolicyList: inline, PermissionsBoundary: boundaryOut(e.Boundary),
			GroupList: each(d.groups, func(g *Entity) string { return g.Name }),
		})
	case Group:
		out.GroupDetailList = append(out.GroupDetailList, types.GroupDetail{
			Arn: &arn, GroupId: &e.ID, GroupName: &e.Name, Path: &e.Path, CreateDate: &e.Created,
			AttachedManagedPolicies: attached, GroupPolicyList: inline,
		})
	case Role:
		out.RoleDetailList = append(out.RoleDetailList, types.RoleDetail{
			Arn: &arn, RoleId: &e.ID, RoleName: &e.Name, Path: &e.Path, CreateDate: &e.Created, Tags: tagsOut(e.Tags),
			AssumeRolePolicyDocument: aws.String(Escape(e.Trust)), AttachedManagedPolicies: attached, RolePolicyList: inline,
			PermissionsBoundary: boundaryOut(e.Boundary), InstanceProfileList: each(d.profiles, a.profileOut), RoleLastUsed: lastUsedOut(d.used),
		})
	}
}

func inlineOut(e *Entity) []types.PolicyDetail {
	return each(slices.Sorted(maps.Keys(e.Inline)), func(name string) types.PolicyDetail {
		return types.PolicyDetail{PolicyName: &name, PolicyDocument: aws.String(Escape(e.Inline[name]))}
	})
}

func (a api) policyDetail(d detail) types.ManagedPolicyDetail {
	p := a.policyOut(*d.policy)
	return types.ManagedPolicyDetail{
		Arn: p.Arn, PolicyName: p.PolicyName, PolicyId: p.PolicyId, Path: p.Path, Description: p.Description, CreateDate: p.CreateDate, UpdateDate: p.UpdateDate,
		DefaultVersionId: p.DefaultVersionId, IsAttachable: p.IsAttachable, AttachmentCount: p.AttachmentCount,
		PermissionsBoundaryUsageCount: p.PermissionsBoundaryUsageCount,
		PolicyVersionList: each(d.versions, func(v policyVersion) types.PolicyVersion {
			out := versionOut(v)
			out.Document = aws.String(Escape(v.Document))
			return out
		}),
	}
}
