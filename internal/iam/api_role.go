package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) roleOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("CreateRole"), a.createRole),
		wire.Op(wire.Named("GetRole"), a.getRole),
		wire.Op(wire.Named("UpdateRole"), a.updateRole),
		wire.Op(wire.Named("UpdateRoleDescription"), a.updateRoleDescription),
		wire.Op(wire.Named("UpdateAssumeRolePolicy"), a.updateAssumeRolePolicy),
		wire.Op(wire.Named("DeleteRole"), a.deleteRole),
		wire.Op(wire.Named("ListRoles"), a.listRoles),
		wire.Op(wire.Named("PutRolePermissionsBoundary"), a.putRoleBoundary),
		wire.Op(wire.Named("DeleteRolePermissionsBoundary"), a.deleteRoleBoundary),
		wire.Op(wire.Named("CreateServiceLinkedRole"), a.createServiceLinkedRole),
		wire.Op(wire.Named("DeleteServiceLinkedRole"), a.deleteServiceLinkedRole),
		wire.Op(wire.Named("GetServiceLinkedRoleDeletionStatus"), a.getDeletionStatus),
	}
}

func (a api) createRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	e := &Entity{
		Name: aws.ToString(in.RoleName), Path: aws.ToString(in.Path), Description: aws.ToString(in.Description),
		Trust: aws.ToString(in.AssumeRolePolicyDocument), MaxSession: int(aws.ToInt32(in.MaxSessionDuration)),
		Boundary: aws.ToString(in.PermissionsBoundary),
	}
	if err := a.Service.createRole(ctx, e, tagsIn(in.Tags)); err != nil {
		return nil, err
	}
	return &iam.CreateRoleOutput{Role: a.wholeRole(e)}, nil
}

// wholeRole is a role with its tags, which lists leave out.
func (a api) wholeRole(e *Entity) *types.Role {
	r := a.roleOut(e)
	if len(e.Tags) > 0 {
		r.Tags = tagsOut(e.Tags)
	}
	return &r
}

func lastUsedOut(used *Used) *types.RoleLastUsed {
	out := &types.RoleLastUsed{LastUsedDate: usedAt(used)}
	if used != nil {
		out.Region = &used.Region
	}
	return out
}

func (a api) getRole(ctx context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	out := &iam.GetRoleOutput{}
	err := a.cfg.Store.View(ctx, func(r store.Reader) error {
		e, err := find(r, Role, aws.ToString(in.RoleName))
		if err == nil {
			err = a.current(r, e)
		}
		if err != nil {
			return err
		}
		used, err := a.lastUsed(r, e.ID)
		out.Role = a.wholeRole(e)
		out.Role.RoleLastUsed = lastUsedOut(used)
		return err
	})
	return out, err
}

func (a api) updateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	_, err := a.Service.updateRole(ctx, aws.ToString(in.RoleName), in.Description, in.MaxSessionDuration)
	return nil, err
}

func (a api) updateRoleDescription(ctx context.Context, in *iam.UpdateRoleDescriptionInput) (*iam.UpdateRoleDescriptionOutput, error) {
	e, err := a.Service.updateRole(ctx, aws.ToString(in.RoleName), aws.String(aws.ToString(in.Description)), nil)
	if err != nil {
		return nil, err
	}
	return &iam.UpdateRoleDescriptionOutput{Role: a.wholeRole(e)}, nil
}

func (a api) updateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	return nil, a.updateTrust(ctx, aws.ToString(in.RoleName), aws.ToString(in.PolicyDocument))
}

func (a api) deleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	return nil, a.Service.deleteRole(ctx, aws.ToString(in.RoleName))
}

func (a api) listRoles(ctx context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	list, marker, err := a.listEntities(ctx, Role, aws.ToString(in.PathPrefix), windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.ListRolesOutput{Roles: each(list, a.roleOut), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) putRoleBoundary(ctx context.Context, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	return nil, a.putBoundary(ctx, Role, aws.ToString(in.RoleName), aws.ToString(in.PermissionsBoundary))
}

func (a api) deleteRoleBoundary(ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	return nil, a.deleteBoundary(ctx, Role, aws.ToString(in.RoleName))
}

func (a api) createServiceLinkedRole(ctx context.Context, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	e, err := a.createLinkedRole(ctx, aws.ToString(in.AWSServiceName), aws.ToString(in.CustomSuffix), aws.ToString(in.Description))
	if err != nil {
		return nil, err
	}
	return &iam.CreateServiceLinkedRoleOutput{Role: a.wholeRole(e)}, nil
}

func (a api) deleteServiceLinkedRole(ctx context.Context, in *iam.DeleteServiceLinkedRoleInput) (*iam.DeleteServiceLinkedRoleOutput, error) {
	task, err := a.deleteLinkedRole(ctx, aws.ToString(in.RoleName))
	if err != nil {
		return nil, err
	}
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: &task}, nil
}

// getDeletionStatus answers for tasks, which were done before they were named.
func (a api) getDeletionStatus(_ context.Context, in *iam.GetServiceLinkedRoleDeletionStatusInput) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	if !strings.HasPrefix(aws.ToString(in.DeletionTaskId), "task"+servicePath) {
		return nil, noSuchEntity("The deletion task %s cannot be found.", clip(aws.ToString(in.DeletionTaskId)))
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeSucceeded}, nil
}
