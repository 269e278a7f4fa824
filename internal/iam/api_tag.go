package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) tagOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("TagUser"), a.tagUser),
		wire.Op(wire.Named("UntagUser"), a.untagUser),
		wire.Op(wire.Named("ListUserTags"), a.listUserTags),
		wire.Op(wire.Named("TagRole"), a.tagRole),
		wire.Op(wire.Named("UntagRole"), a.untagRole),
		wire.Op(wire.Named("ListRoleTags"), a.listRoleTags),
		wire.Op(wire.Named("TagPolicy"), a.tagPolicy),
		wire.Op(wire.Named("UntagPolicy"), a.untagPolicy),
		wire.Op(wire.Named("ListPolicyTags"), a.listPolicyTags),
		wire.Op(wire.Named("TagInstanceProfile"), a.tagInstanceProfile),
		wire.Op(wire.Named("UntagInstanceProfile"), a.untagInstanceProfile),
		wire.Op(wire.Named("ListInstanceProfileTags"), a.listInstanceProfileTags),
		wire.Op(wire.Named("TagOpenIDConnectProvider"), a.tagOpenIDConnectProvider),
		wire.Op(wire.Named("UntagOpenIDConnectProvider"), a.untagOpenIDConnectProvider),
		wire.Op(wire.Named("ListOpenIDConnectProviderTags"), a.listOpenIDConnectProviderTags),
	}
}

func tagKey(t types.Tag) string { return aws.ToString(t.Key) }

func (a api) tagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	return nil, a.alter(ctx, User, aws.ToString(in.UserName), tagEntity(tagsIn(in.Tags), nil))
}

func (a api) untagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	return nil, a.alter(ctx, User, aws.ToString(in.UserName), tagEntity(nil, in.TagKeys))
}

func (a api) listUserTags(ctx context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	x, err := a.Find(ctx, User, aws.ToString(in.UserName))
	if err != nil {
		return nil, err
	}
	tags, marker, err := paged("tags of "+aws.ToString(in.UserName), tagsOut(x.Tags), tagKey, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListUserTagsOutput{Tags: tags, IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) tagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	return nil, a.alterRole(ctx, aws.ToString(in.RoleName), tagEntity(tagsIn(in.Tags), nil))
}

func (a api) untagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	return nil, a.alterRole(ctx, aws.ToString(in.RoleName), tagEntity(nil, in.TagKeys))
}

func (a api) listRoleTags(ctx context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	x, err := a.Find(ctx, Role, aws.ToString(in.RoleName))
	if err != nil {
		return nil, err
	}
	tags, marker, err := paged("tags of "+aws.ToString(in.RoleName), tagsOut(x.Tags), tagKey, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: tags, IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) tagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	return nil, a.alterPolicy(ctx, aws.ToString(in.PolicyArn), tagPolicy(tagsIn(in.Tags), nil))
}

func (a api) untagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	return nil, a.alterPolicy(ctx, aws.ToString(in.PolicyArn), tagPolicy(nil, in.TagKeys))
}

func (a api) listPolicyTags(ctx context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	x, err := a.policy(ctx, aws.ToString(in.PolicyArn))
	if err != nil {
		return nil, err
	}
	tags, marker, err := paged("tags of "+aws.ToString(in.PolicyArn), tagsOut(x.Tags), tagKey, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyTagsOutput{Tags: tags, IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) tagInstanceProfile(ctx context.Context, in *iam.TagInstanceProfileInput) (*iam.TagInstanceProfileOutput, error) {
	return nil, a.alterProfile(ctx, aws.ToString(in.InstanceProfileName), tagProfile(tagsIn(in.Tags), nil))
}

func (a api) untagInstanceProfile(ctx context.Context, in *iam.UntagInstanceProfileInput) (*iam.UntagInstanceProfileOutput, error) {
	return nil, a.alterProfile(ctx, aws.ToString(in.InstanceProfileName), tagProfile(nil, in.TagKeys))
}

func (a api) listInstanceProfileTags(ctx context.Context, in *iam.ListInstanceProfileTagsInput) (*iam.ListInstanceProfileTagsOutput, error) {
	x, err := a.profile(ctx, aws.ToString(in.InstanceProfileName))
	if err != nil {
		return nil, err
	}
	tags, marker, err := paged("tags of "+aws.ToString(in.InstanceProfileName), tagsOut(x.Tags), tagKey, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfileTagsOutput{Tags: tags, IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) tagOpenIDConnectProvider(ctx context.Context, in *iam.TagOpenIDConnectProviderInput) (*iam.TagOpenIDConnectProviderOutput, error) {
	return nil, a.alterProvider(ctx, aws.ToString(in.OpenIDConnectProviderArn), tagProvider(tagsIn(in.Tags), nil))
}

func (a api) untagOpenIDConnectProvider(ctx context.Context, in *iam.UntagOpenIDConnectProviderInput) (*iam.UntagOpenIDConnectProviderOutput, error) {
	return nil, a.alterProvider(ctx, aws.ToString(in.OpenIDConnectProviderArn), tagProvider(nil, in.TagKeys))
}

func (a api) listOpenIDConnectProviderTags(ctx context.Context, in *iam.ListOpenIDConnectProviderTagsInput) (*iam.ListOpenIDConnectProviderTagsOutput, error) {
	x, err := a.provider(ctx, aws.ToString(in.OpenIDConnectProviderArn))
	if err != nil {
		return nil, err
	}
	tags, marker, err := paged("tags of "+aws.ToString(in.OpenIDConnectProviderArn), tagsOut(x.Tags), tagKey, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListOpenIDConnectProviderTagsOutput{Tags: tags, IsTruncated: marker != "", Marker: optional(marker)}, nil
}
