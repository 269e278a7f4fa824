package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) userOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("CreateUser"), a.createUser),
		wire.Op(wire.Named("GetUser"), a.getUser),
		wire.Op(wire.Named("UpdateUser"), a.updateUser),
		wire.Op(wire.Named("DeleteUser"), a.deleteUser),
		wire.Op(wire.Named("ListUsers"), a.listUsers),
		wire.Op(wire.Named("ListGroupsForUser"), a.listGroupsForUser),
		wire.Op(wire.Named("PutUserPermissionsBoundary"), a.putUserBoundary),
		wire.Op(wire.Named("DeleteUserPermissionsBoundary"), a.deleteUserBoundary),
	}
}

func (a api) createUser(ctx context.Context, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	e, err := a.Service.createUser(ctx, aws.ToString(in.UserName), aws.ToString(in.Path), aws.ToString(in.PermissionsBoundary), tagsIn(in.Tags))
	if err != nil {
		return nil, err
	}
	u := a.userOut(e)
	if len(e.Tags) > 0 {
		u.Tags = tagsOut(e.Tags)
	}
	return &iam.CreateUserOutput{User: &u}, nil
}

func (a api) getUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	if p := auth.From(ctx); in.UserName == nil && p.Kind == auth.RootUser {
		return &iam.GetUserOutput{User: &types.User{Arn: &p.ARN, UserId: &p.UserID}}, nil
	}
	name, err := a.userOf(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	e, err := a.Find(ctx, User, name)
	if err != nil {
		return nil, err
	}
	u := a.userOut(e)
	if len(e.Tags) > 0 {
		u.Tags = tagsOut(e.Tags)
	}
	return &iam.GetUserOutput{User: &u}, nil
}

func (a api) updateUser(ctx context.Context, in *iam.UpdateUserInput) (*iam.UpdateUserOutput, error) {
	return nil, a.Service.updateUser(ctx, aws.ToString(in.UserName), aws.ToString(in.NewUserName), aws.ToString(in.NewPath))
}

func (a api) deleteUser(ctx context.Context, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	return nil, a.Service.deleteUser(ctx, aws.ToString(in.UserName))
}

func (a api) listUsers(ctx context.Context, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	list, marker, err := a.listEntities(ctx, User, aws.ToString(in.PathPrefix), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListUsersOutput{Users: each(list, a.userOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) listGroupsForUser(ctx context.Context, in *iam.ListGroupsForUserInput) (*iam.ListGroupsForUserOutput, error) {
	list, marker, err := a.groupsOf(ctx, aws.ToString(in.UserName), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupsForUserOutput{Groups: each(list, a.groupOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) putUserBoundary(ctx context.Context, in *iam.PutUserPermissionsBoundaryInput) (*iam.PutUserPermissionsBoundaryOutput, error) {
	return nil, a.putBoundary(ctx, User, aws.ToString(in.UserName), aws.ToString(in.PermissionsBoundary))
}

func (a api) deleteUserBoundary(ctx context.Context, in *iam.DeleteUserPermissionsBoundaryInput) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	return nil, a.deleteBoundary(ctx, User, aws.ToString(in.UserName))
}
