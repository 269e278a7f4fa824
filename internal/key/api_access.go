package key

import (
	"cmp"
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// access is what each operation needs. An alias in a request is resolved: what is
// asked for is its key.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
func (a api) access() access.Table {
	t := access.Table{
		"CreateKey":      {Action: "kms:CreateKey", Keys: a.createKeyConditions, Also: a.tagNew},
		"ListKeys":       {Action: "kms:ListKeys", Keys: a.caller},
		"ListAliases":    {Action: "kms:ListAliases", Keys: a.caller},
		"GenerateRandom": {Action: "kms:GenerateRandom", Keys: a.caller},

		"CreateAlias": {Action: "kms:CreateAlias", Resources: a.aliasAndTarget, Keys: a.aliasConditions},
		"DeleteAlias": {Action: "kms:DeleteAlias", Resources: a.aliasAndOwn, Keys: a.aliasConditions},
		"UpdateAlias": {Action: "kms:UpdateAlias", Resources: a.aliasOwnAndTarget, Keys: a.aliasConditions},

		"Decrypt":   {Action: "kms:Decrypt", Resources: a.sealedUnder, Keys: a.decryptConditions},
		"ReEncrypt": {Action: "kms:ReEncryptFrom", Resources: a.sealedUnder, Keys: a.reEncryptConditions, Also: a.reEncryptTo},
	}
	for _, operation := range []string{
		"DescribeKey", "EnableKey", "DisableKey", "UpdateKeyDescription", "ScheduleKeyDeletion", "CancelKeyDeletion",
		"Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GetKeyPolicy", "PutKeyPolicy", "ListKeyPolicies",
		"TagResource", "UntagResource", "ListResourceTags", "EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus",
		"RotateKeyOnDemand", "ListKeyRotations",
	} {
		t[operation] = access.Rule{Action: "kms:" + operation, Resources: a.ofKey, Keys: a.keyConditions}
	}
	return t
}

func (a api) ofKey(ctx context.Context, in any) []string {
	return []string{a.resource(ctx, access.Text(in, "KeyId"))}
}

// resource is the ARN of the key that ref means. What is not there is asked for
// under the name it was given.
func (s *Service) resource(ctx context.Context, ref string) string {
	if k, err := s.Key(ctx, ref); err == nil {
		return s.keyARN(k.ID)
	}
	n, err := s.parse(ref)
	switch {
	case err != nil: // of another account or region, or nothing at all
		return s.keyARN("unknown")
	case n.alias != "":
		return s.arn(n.alias)
	}
	return s.keyARN(n.id)
}

// sealedUnder is the key a ciphertext names, whatever the request says: a caller
// can't choose what is asked for.
func (a api) sealedUnder(ctx context.Context, in any) []string {
	return []string{a.resource(ctx, sealedUnder(in))}
}

func sealedUnder(in any) string {
	var blob []byte
	switch in := in.(type) {
	case *kms.DecryptInput:
		blob = in.CiphertextBlob
	case *kms.ReEncryptInput:
		blob = in.CiphertextBlob
	}
	h, _ := readHeader(blob)
	return h.key
}

func (a api) aliasAndTarget(ctx context.Context, in any) []string {
	return []string{a.arn(access.Text(in, "AliasName")), a.resource(ctx, access.Text(in, "TargetKeyId"))}
}

func (a api) aliasAndOwn(ctx context.Context, in any) []string {
	alias := a.arn(access.Text(in, "AliasName"))
	if own := a.resource(ctx, access.Text(in, "AliasName")); own != alias {
		return []string{alias, own}
	}
	return []string{alias}
}

func (a api) aliasOwnAndTarget(ctx context.Context, in any) []string {
	return append(a.aliasAndOwn(ctx, in), a.resource(ctx, access.Text(in, "TargetKeyId")))
}

func (a api) caller(context.Context, any) access.Keys {
	return access.Keys{"kms:CallerAccount": {a.cfg.Account}}
}

// conditions are the condition keys every key has.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (s *Service) conditions(ctx context.Context, ref string) access.Keys {
	keys := access.Keys{
		"kms:CallerAccount": {s.cfg.Account}, "kms:KeySpec": {"SYMMETRIC_DEFAULT"}, "kms:CustomerMasterKeySpec": {"SYMMETRIC_DEFAULT"},
		"kms:KeyUsage": {"ENCRYPT_DECRYPT"}, "kms:CustomerMasterKeyUsage": {"ENCRYPT_DECRYPT"}, "kms:KeyOrigin": {"AWS_KMS"}, "kms:MultiRegion": {"false"},
	}
	if n, err := s.parse(ref); err == nil && n.alias != "" {
		keys["kms:RequestAlias"] = []string{n.alias}
	}
	var k *Key
	var aliases []Alias
	err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if k, err = s.find(r, ref); err == nil {
			aliases, err = aliasesOf(r, k.ID)
		}
		return err
	})
	if err != nil {
		return keys // what is not there has none; what fails is refused by the operation
	}
	for _, al := range aliases {
		keys["kms:ResourceAliases"] = append(keys["kms:ResourceAliases"], al.Name)
	}
	for name, value := range k.Tags {
		keys["aws:ResourceTag/"+name] = []string{value}
	}
	return keys
}

func addContext(keys access.Keys, context map[string]string) {
	for name, value := range context {
		keys["kms:EncryptionContext:"+name] = []string{value}
		keys["kms:EncryptionContextKeys"] = append(keys["kms:EncryptionContextKeys"], name)
	}
}

func addTags(keys access.Keys, names []string, tags []types.Tag) {
	for _, t := range tags {
		keys["aws:RequestTag/"+aws.ToString(t.TagKey)] = []string{aws.ToString(t.TagValue)}
		names = append(names, aws.ToString(t.TagKey))
	}
	if len(names) > 0 {
		keys["aws:TagKeys"] = names
	}
}

// keyConditions are those of the key that KeyId means and of what the request says.
func (a api) keyConditions(ctx context.Context, in any) access.Keys {
	keys := a.conditions(ctx, access.Text(in, "KeyId"))
	switch in := in.(type) {
	case *kms.EncryptInput:
		addContext(keys, in.EncryptionContext)
		keys["kms:EncryptionAlgorithm"] = []string{string(symmetric)}
	case *kms.GenerateDataKeyInput:
		addContext(keys, in.EncryptionContext)
	case *kms.GenerateDataKeyWithoutPlaintextInput:
		addContext(keys, in.EncryptionContext)
	case *kms.ScheduleKeyDeletionInput:
		if in.PendingWindowInDays != nil {
			keys["kms:ScheduleKeyDeletionPendingWindowInDays"] = []string{strconv.Itoa(int(*in.PendingWindowInDays))}
		}
	case *kms.EnableKeyRotationInput:
		if in.RotationPeriodInDays != nil {
			keys["kms:RotationPeriodInDays"] = []string{strconv.Itoa(int(*in.RotationPeriodInDays))}
		}
	case *kms.PutKeyPolicyInput:
		keys["kms:BypassPolicyLockoutSafetyCheck"] = []string{strconv.FormatBool(in.BypassPolicyLockoutSafetyCheck)}
	case *kms.TagResourceInput:
		addTags(keys, nil, in.Tags)
	case *kms.UntagResourceInput:
		addTags(keys, in.TagKeys, nil)
	}
	return keys
}

func (a api) createKeyConditions(_ context.Context, in any) access.Keys {
	create := in.(*kms.CreateKeyInput)
	keys := access.Keys{
		"kms:CallerAccount": {a.cfg.Account}, "kms:MultiRegion": {strconv.FormatBool(aws.ToBool(create.MultiRegion))},
		"kms:BypassPolicyLockoutSafetyCheck": {strconv.FormatBool(create.BypassPolicyLockoutSafetyCheck)},
		"kms:KeySpec":                        {cmp.Or(string(create.KeySpec), "SYMMETRIC_DEFAULT")},
		"kms:KeyUsage":                       {cmp.Or(string(create.KeyUsage), "ENCRYPT_DECRYPT")},
		"kms:KeyOrigin":                      {cmp.Or(string(create.Origin), "AWS_KMS")},
	}
	addTags(keys, nil, create.Tags)
	return keys
}

// tagNew is what a key that is born with tags asks for too.
func (a api) tagNew(ctx context.Context, in any) []access.Need {
	if len(in.(*kms.CreateKeyInput).Tags) == 0 {
		return nil
	}
	return []access.Need{{Action: "kms:TagResource", Resource: "*", Keys: a.createKeyConditions(ctx, in)}}
}

func (a api) aliasConditions(ctx context.Context, in any) access.Keys {
	if target := access.Text(in, "TargetKeyId"); target != "" {
		return a.conditions(ctx, target)
	}
	return a.conditions(ctx, access.Text(in, "AliasName"))
}

func (a api) decryptConditions(ctx context.Context, in any) access.Keys {
	keys := a.conditions(ctx, sealedUnder(in))
	decrypt := in.(*kms.DecryptInput)
	a.addRequestAlias(keys, decrypt.KeyId)
	addContext(keys, decrypt.EncryptionContext)
	keys["kms:EncryptionAlgorithm"] = []string{string(symmetric)}
	return keys
}

func (a api) reEncryptConditions(ctx context.Context, in any) access.Keys {
	keys := a.conditions(ctx, sealedUnder(in))
	re := in.(*kms.ReEncryptInput)
	a.addRequestAlias(keys, re.SourceKeyId)
	addContext(keys, re.SourceEncryptionContext)
	a.addReEncrypt(ctx, keys, re)
	return keys
}

func (a api) reEncryptTo(ctx context.Context, in any) []access.Need {
	re := in.(*kms.ReEncryptInput)
	keys := a.conditions(ctx, aws.ToString(re.DestinationKeyId))
	addContext(keys, re.DestinationEncryptionContext)
	a.addReEncrypt(ctx, keys, re)
	return []access.Need{{Action: "kms:ReEncryptTo", Resource: a.resource(ctx, aws.ToString(re.DestinationKeyId)), Keys: keys}}
}

func (a api) addReEncrypt(ctx context.Context, keys access.Keys, in *kms.ReEncryptInput) {
	same := a.resource(ctx, sealedUnder(in)) == a.resource(ctx, aws.ToString(in.DestinationKeyId))
	keys["kms:ReEncryptOnSameKey"] = []string{strconv.FormatBool(same)}
	keys["kms:EncryptionAlgorithm"] = []string{string(symmetric)}
}

// addRequestAlias adds the alias a caller named a ciphertext's key by.
func (a api) addRequestAlias(keys access.Keys, ref *string) {
	if n, err := a.parse(aws.ToString(ref)); err == nil && n.alias != "" {
		keys["kms:RequestAlias"] = []string{n.alias}
	}
}
