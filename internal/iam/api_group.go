package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) groupOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("CreateGroup"), a.createGroup),
		wire.Op(wire.Named("GetGroup"), a.getGroup),
		wire.Op(wire.Named("UpdateGroup"), a.updateGroup),
		wire.Op(wire.Named("DeleteGroup"), a.deleteGroup),
		wire.Op(wire.Named("ListGroups"), a.listGroups),
		wire.Op(wire.Named("AddUserToGroup"), a.addUserToGroup),
		wire.Op(wire.Named("RemoveUserFromGroup"), a.removeUserFromGroup),
	}
}

func (a api) createGroup(ctx context.Context, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
	e, err := a.Service.createGroup(ctx, aws.ToString(in.GroupName), aws.ToString(in.Path))
	if err != nil {
		return nil, err
	}
	g := a.groupOut(e)
	return &iam.CreateGroupOutput{Group: &g}, nil
}

func (a api) getGroup(ctx context.Context, in *iam.GetGroupInput) (*iam.GetGroupOutput, error) {
	e, users, marker, err := a.members(ctx, aws.ToString(in.GroupName), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	g := a.groupOut(e)
	return &iam.GetGroupOutput{Group: &g, Users: each(users, a.userOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) updateGroup(ctx context.Context, in *iam.UpdateGroupInput) (*iam.UpdateGroupOutput, error) {
	return nil, a.Service.updateGroup(ctx, aws.ToString(in.GroupName), aws.ToString(in.NewGroupName), aws.ToString(in.NewPath))
}

func (a api) deleteGroup(ctx context.Context, in *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
	return nil, a.Service.deleteGroup(ctx, aws.ToString(in.GroupName))
}

func (a api) listGroups(ctx context.Context, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	list, marker, err := a.listEntities(ctx, Group, aws.ToString(in.PathPrefix), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupsOutput{Groups: each(list, a.groupOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) addUserToGroup(ctx context.Context, in *iam.AddUserToGroupInput) (*iam.AddUserToGroupOutput, error) {
	return nil, a.addToGroup(ctx, aws.ToString(in.GroupName), aws.ToString(in.UserName))
}

func (a api) removeUserFromGroup(ctx context.Context, in *iam.RemoveUserFromGroupInput) (*iam.RemoveUserFromGroupOutput, error) {
	return nil, a.removeFromGroup(ctx, aws.ToString(in.GroupName), aws.ToString(in.UserName))
}
