package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) profileOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("CreateInstanceProfile"), a.createInstanceProfile),
		wire.Op(wire.Named("GetInstanceProfile"), a.getInstanceProfile),
		wire.Op(wire.Named("DeleteInstanceProfile"), a.deleteInstanceProfile),
		wire.Op(wire.Named("ListInstanceProfiles"), a.listInstanceProfiles),
		wire.Op(wire.Named("ListInstanceProfilesForRole"), a.listInstanceProfilesForRole),
		wire.Op(wire.Named("AddRoleToInstanceProfile"), a.addRoleToInstanceProfile),
		wire.Op(wire.Named("RemoveRoleFromInstanceProfile"), a.removeRoleFromInstanceProfile),
	}
}

// ProfileARN names an instance profile.
func (s *Service) ProfileARN(p *Profile) string { return s.arn("instance-profile", p.Path, p.Name) }

func (a api) profileOut(f filled) types.InstanceProfile {
	arn := a.ProfileARN(f.Profile)
	out := types.InstanceProfile{
		Arn: &arn, CreateDate: &f.Created, InstanceProfileId: &f.ID, InstanceProfileName: &f.Name, Path: &f.Path, Roles: []types.Role{},
	}
	if len(f.Tags) > 0 {
		out.Tags = tagsOut(f.Tags)
	}
	if f.role != nil {
		out.Roles = append(out.Roles, a.roleOut(f.role))
	}
	return out
}

func (a api) createInstanceProfile(ctx context.Context, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	p, err := a.createProfile(ctx, aws.ToString(in.InstanceProfileName), aws.ToString(in.Path), tagsIn(in.Tags))
	if err != nil {
		return nil, err
	}
	out := a.profileOut(filled{p, nil})
	return &iam.CreateInstanceProfileOutput{InstanceProfile: &out}, nil
}

func (a api) getInstanceProfile(ctx context.Context, in *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	f, err := a.profile(ctx, aws.ToString(in.InstanceProfileName))
	if err != nil {
		return nil, err
	}
	out := a.profileOut(f)
	return &iam.GetInstanceProfileOutput{InstanceProfile: &out}, nil
}

func (a api) deleteInstanceProfile(ctx context.Context, in *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	return nil, a.deleteProfile(ctx, aws.ToString(in.InstanceProfileName))
}

func (a api) listInstanceProfiles(ctx context.Context, in *iam.ListInstanceProfilesInput) (*iam.ListInstanceProfilesOutput, error) {
	list, marker, err := a.listProfiles(ctx, aws.ToString(in.PathPrefix), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesOutput{InstanceProfiles: each(list, a.profileOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) listInstanceProfilesForRole(ctx context.Context, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	list, marker, err := a.profilesOf(ctx, aws.ToString(in.RoleName), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: each(list, a.profileOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) addRoleToInstanceProfile(ctx context.Context, in *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	return nil, a.addRole(ctx, aws.ToString(in.InstanceProfileName), aws.ToString(in.RoleName))
}

func (a api) removeRoleFromInstanceProfile(ctx context.Context, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	return nil, a.removeRole(ctx, aws.ToString(in.InstanceProfileName), aws.ToString(in.RoleName))
}
