package key

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func (a api) createKey(ctx context.Context, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	spec := cmp.Or(string(in.KeySpec), string(in.CustomerMasterKeySpec), string(types.KeySpecSymmetricDefault))
	origin := cmp.Or(in.Origin, types.OriginTypeAwsKms)
	usage := cmp.Or(in.KeyUsage, types.KeyUsageTypeEncryptDecrypt)
	switch {
	case in.KeySpec != "" && in.CustomerMasterKeySpec != "":
		return nil, invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.")
	case spec != string(types.KeySpecSymmetricDefault):
		return nil, unsupported("KeySpec " + clip(spec))
	case usage != types.KeyUsageTypeEncryptDecrypt:
		return nil, unsupported("KeyUsage " + clip(string(usage)))
	case origin != types.OriginTypeAwsKms:
		return nil, unsupported("Origin " + clip(string(origin)))
	case aws.ToBool(in.MultiRegion):
		return nil, unsupported("MultiRegion")
	case in.CustomKeyStoreId != nil:
		return nil, unsupported("CustomKeyStoreId")
	case in.XksKeyId != nil:
		return nil, unsupported("XksKeyId")
	case in.Policy != nil && *in.Policy == "":
		return nil, violates("", "policy", "Member must have length greater than or equal to 1")
	}
	k, err := a.Create(ctx, Draft{Description: aws.ToString(in.Description), Policy: aws.ToString(in.Policy), Tags: tagsOf(in.Tags)})
	if err != nil {
		return nil, err
	}
	meta, err := a.metadata(ctx, k)
	return &kms.CreateKeyOutput{KeyMetadata: meta}, err
}

func (a api) describeKey(ctx context.Context, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	if err := noGrants(in.GrantTokens); err != nil {
		return nil, err
	}
	k, err := a.describe(ctx, aws.ToString(in.KeyId))
	if err != nil {
		return nil, err
	}
	meta, err := a.metadata(ctx, k)
	return &kms.DescribeKeyOutput{KeyMetadata: meta}, err
}

func (a api) metadata(ctx context.Context, k *Key) (*types.KeyMetadata, error) {
	materialID, err := a.materialID(ctx, k, k.Generation)
	if err != nil {
		return nil, err
	}
	m := &types.KeyMetadata{
		KeyId: &k.ID, Arn: aws.String(a.keyARN(k.ID)), AWSAccountId: &a.cfg.Account, CreationDate: &k.Created,
		Description: &k.Description, Enabled: k.State == Enabled, KeyState: types.KeyState(k.State),
		KeyManager: types.KeyManagerTypeCustomer, KeyUsage: types.KeyUsageTypeEncryptDecrypt, Origin: types.OriginTypeAwsKms,
		KeySpec: types.KeySpecSymmetricDefault, CustomerMasterKeySpec: types.CustomerMasterKeySpecSymmetricDefault,
		EncryptionAlgorithms: []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault},
		MultiRegion:          aws.Bool(false), CurrentKeyMaterialId: &materialID,
	}
	if k.Service != "" {
		m.KeyManager = types.KeyManagerTypeAws
	}
	if k.State == PendingDeletion {
		m.DeletionDate = &k.Deleted
	}
	return m, nil
}

func (a api) listKeys(ctx context.Context, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	n, after, err := pageOf("ListKeys", in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	ids, more, err := a.List(ctx, after, n)
	if err != nil {
		return nil, err
	}
	out := &kms.ListKeysOutput{Keys: []types.KeyListEntry{}, Truncated: more}
	last := ""
	for _, id := range ids {
		out.Keys = append(out.Keys, types.KeyListEntry{KeyId: &id, KeyArn: aws.String(a.keyARN(id))})
		last = id
	}
	out.NextMarker = next("ListKeys", last, more)
	return out, nil
}

func (a api) enableKey(ctx context.Context, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	return nil, a.SetEnabled(ctx, aws.ToString(in.KeyId), true)
}

func (a api) disableKey(ctx context.Context, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	return nil, a.SetEnabled(ctx, aws.ToString(in.KeyId), false)
}

func (a api) updateKeyDescription(ctx context.Context, in *kms.UpdateKeyDescriptionInput) (*kms.UpdateKeyDescriptionOutput, error) {
	return nil, a.SetDescription(ctx, aws.ToString(in.KeyId), aws.ToString(in.Description))
}

func (a api) scheduleKeyDeletion(ctx context.Context, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	var days *int
	if in.PendingWindowInDays != nil {
		n := int(*in.PendingWindowInDays)
		days = &n
	}
	k, err := a.ScheduleDeletion(ctx, aws.ToString(in.KeyId), days)
	if err != nil {
		return nil, err
	}
	return &kms.ScheduleKeyDeletionOutput{
		KeyId: aws.String(a.keyARN(k.ID)), DeletionDate: &k.Deleted, KeyState: types.KeyState(k.State), PendingWindowInDays: aws.Int32(int32(k.Window)),
	}, nil
}

func (a api) cancelKeyDeletion(ctx context.Context, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	k, err := a.CancelDeletion(ctx, aws.ToString(in.KeyId))
	if err != nil {
		return nil, err
	}
	return &kms.CancelKeyDeletionOutput{KeyId: aws.String(a.keyARN(k.ID))}, nil
}

// noGrants refuses grant tokens: there are no grants they could be of.
func noGrants(tokens []string) error {
	if len(tokens) > 0 {
		return refuse("InvalidGrantTokenException", "Grants are not offered by Mayfly, so no grant token is valid.")
	}
	return nil
}

func tagsOf(list []types.Tag) []Tag {
	tags := make([]Tag, len(list))
	for i, t := range list {
		tags[i] = Tag{aws.ToString(t.TagKey), aws.ToString(t.TagValue)}
	}
	return tags
}
