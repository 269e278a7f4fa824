package key

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// policyName is the name of every key's only policy.
const policyName = "default"

func (a api) getKeyPolicy(ctx context.Context, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	k, err := a.byRef(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kms.GetKeyPolicyOutput{Policy: &k.Policy, PolicyName: aws.String(policyName)}, nil
}

// byRef reads a key that is not named by an alias.
func (a api) byRef(ctx context.Context, ref *string) (k *Key, err error) {
	err = a.cfg.Store.View(ctx, func(r store.Reader) error {
		k, err = a.findByID(r, aws.ToString(ref))
		return err
	})
	return k, err
}

func (a api) putKeyPolicy(ctx context.Context, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	return nil, a.SetPolicy(ctx, aws.ToString(in.KeyId), aws.ToString(in.Policy))
}

func checkPolicyName(name *string) error {
	if name != nil && *name != policyName {
		return refuse("NotFoundException", "No such policy exists: a key's only policy is called default.")
	}
	return nil
}

func (a api) listKeyPolicies(ctx context.Context, in *kms.ListKeyPoliciesInput) (*kms.ListKeyPoliciesOutput, error) {
	if _, _, err := pageOf("ListKeyPolicies", in.Limit, in.Marker); err != nil {
		return nil, err
	}
	if _, err := a.byRef(ctx, in.KeyId); err != nil {
		return nil, err
	}
	return &kms.ListKeyPoliciesOutput{PolicyNames: []string{policyName}}, nil
}

func (a api) tagResource(ctx context.Context, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	return nil, a.AddTags(ctx, aws.ToString(in.KeyId), tagsOf(in.Tags))
}

func (a api) untagResource(ctx context.Context, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	return nil, a.RemoveTags(ctx, aws.ToString(in.KeyId), in.TagKeys)
}

func (a api) listResourceTags(ctx context.Context, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	n, after, err := pageOf("ListResourceTags", in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	k, err := a.byRef(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &kms.ListResourceTagsOutput{Tags: []types.Tag{}}
	last := ""
	for _, name := range slices.Sorted(maps.Keys(k.Tags)) {
		if name <= after {
			continue
		}
		if out.Truncated = len(out.Tags) == n; out.Truncated {
			break
		}
		out.Tags = append(out.Tags, types.Tag{TagKey: &name, TagValue: aws.String(k.Tags[name])})
		last = name
	}
	out.NextMarker = next("ListResourceTags", last, out.Truncated)
	return out, nil
}

func (a api) enableKeyRotation(ctx context.Context, in *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	days := usualRotation
	if in.RotationPeriodInDays != nil {
		if days = int(*in.RotationPeriodInDays); days < minRotation {
			return nil, violates(days, "rotationPeriodInDays", "Member must have value between 90 and 2560")
		}
	}
	return nil, a.SetRotation(ctx, aws.ToString(in.KeyId), days)
}

func (a api) disableKeyRotation(ctx context.Context, in *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	return nil, a.SetRotation(ctx, aws.ToString(in.KeyId), 0)
}

func (a api) getKeyRotationStatus(ctx context.Context, in *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
	k, err := a.byRef(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &kms.GetKeyRotationStatusOutput{KeyId: aws.String(a.keyARN(k.ID)), KeyRotationEnabled: k.Rotation.Days > 0 && k.State != PendingDeletion}
	if out.KeyRotationEnabled {
		out.RotationPeriodInDays, out.NextRotationDate = aws.Int32(int32(k.Rotation.Days)), &k.Rotation.Next
	}
	return out, nil
}

func (a api) rotateKeyOnDemand(ctx context.Context, in *kms.RotateKeyOnDemandInput) (*kms.RotateKeyOnDemandOutput, error) {
	k, err := a.Rotate(ctx, aws.ToString(in.KeyId))
	if err != nil {
		return nil, err
	}
	return &kms.RotateKeyOnDemandOutput{KeyId: &k.ID}, nil
}

func (a api) listKeyRotations(ctx context.Context, in *kms.ListKeyRotationsInput) (*kms.ListKeyRotationsOutput, error) {
	const listing = "ListKeyRotations"
	n, after, err := pageOf(listing, in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	if cmp.Or(in.IncludeKeyMaterial, types.IncludeKeyMaterialRotationsOnly) != types.IncludeKeyMaterialRotationsOnly {
		return nil, unsupported("IncludeKeyMaterial " + clip(string(in.IncludeKeyMaterial)))
	}
	k, list, err := a.Rotations(ctx, aws.ToString(in.KeyId))
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(list, func(r Rotated) bool { return r.MaterialID == after }); i >= 0 {
		list = list[i+1:]
	}
	out := &kms.ListKeyRotationsOutput{Rotations: []types.RotationsListEntry{}, Truncated: len(list) > n}
	last := ""
	for _, r := range list[:min(n, len(list))] {
		entry := types.RotationsListEntry{KeyId: &k.ID, RotationDate: &r.At, RotationType: types.RotationTypeAutomatic, KeyMaterialId: &r.MaterialID}
		if r.OnDemand {
			entry.RotationType = types.RotationTypeOnDemand
		}
		out.Rotations = append(out.Rotations, entry)
		last = r.MaterialID
	}
	out.NextMarker = next(listing, last, out.Truncated)
	return out, nil
}
