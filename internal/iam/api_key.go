package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) keyOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("CreateAccessKey"), a.createAccessKey),
		wire.Op(wire.Named("UpdateAccessKey"), a.updateAccessKey),
		wire.Op(wire.Named("DeleteAccessKey"), a.deleteAccessKey),
		wire.Op(wire.Named("ListAccessKeys"), a.listAccessKeys),
		wire.Op(wire.Named("GetAccessKeyLastUsed"), a.getAccessKeyLastUsed),
	}
}

func status(k *AccessKey) types.StatusType {
	if k.Inactive {
		return types.StatusTypeInactive
	}
	return types.StatusTypeActive
}

func (a api) createAccessKey(ctx context.Context, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	name, err := a.userOf(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	k, e, secret, err := a.createKey(ctx, name)
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: &k.ID, SecretAccessKey: &secret, Status: status(k), UserName: &e.Name, CreateDate: &k.Created,
	}}, nil
}

func (a api) updateAccessKey(ctx context.Context, in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	name, err := a.userOf(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if in.Status != types.StatusTypeActive && in.Status != types.StatusTypeInactive {
		return nil, constraint(clip(string(in.Status)), "status", "Member must satisfy enum value set: [Active, Inactive]")
	}
	return nil, a.setKeyActive(ctx, name, aws.ToString(in.AccessKeyId), in.Status == types.StatusTypeActive)
}

func (a api) deleteAccessKey(ctx context.Context, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	name, err := a.userOf(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return nil, a.deleteKey(ctx, name, aws.ToString(in.AccessKeyId))
}

func (a api) listAccessKeys(ctx context.Context, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	name, err := a.userOf(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	e, list, marker, err := a.keysOf(ctx, name, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	metadata := func(k *AccessKey) types.AccessKeyMetadata {
		return types.AccessKeyMetadata{AccessKeyId: &k.ID, CreateDate: &k.Created, Status: status(k), UserName: &e.Name}
	}
	return &iam.ListAccessKeysOutput{AccessKeyMetadata: each(list, metadata), IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) getAccessKeyLastUsed(ctx context.Context, in *iam.GetAccessKeyLastUsedInput) (*iam.GetAccessKeyLastUsedOutput, error) {
	id := aws.ToString(in.AccessKeyId)
	e, err := a.KeyOwner(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &types.AccessKeyLastUsed{Region: aws.String("N/A"), ServiceName: aws.String("N/A")}
	err = a.cfg.Store.View(ctx, func(r store.Reader) error {
		used, err := a.lastUsed(r, id)
		if used != nil {
			out.LastUsedDate, out.Region, out.ServiceName = &used.At, &used.Region, &used.Service
		}
		return err
	})
	return &iam.GetAccessKeyLastUsedOutput{UserName: &e.Name, AccessKeyLastUsed: out}, err
}
