package key

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const symmetric = types.EncryptionAlgorithmSpecSymmetricDefault

func (a api) encrypt(ctx context.Context, in *kms.EncryptInput) (*kms.EncryptOutput, error) {
	if err := checkUse(in.GrantTokens, nil, in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	if n := len(in.Plaintext); n == 0 || n > maxPlain {
		return nil, invalid("1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and 4096")
	}
	blob, k, err := a.Service.encrypt(ctx, aws.ToString(in.KeyId), in.Plaintext, in.EncryptionContext)
	if err = orDry(in.DryRun, err); err != nil {
		return nil, err
	}
	return &kms.EncryptOutput{CiphertextBlob: blob, KeyId: aws.String(a.keyARN(k.ID)), EncryptionAlgorithm: symmetric}, nil
}

func (a api) decrypt(ctx context.Context, in *kms.DecryptInput) (*kms.DecryptOutput, error) {
	if err := checkUse(in.GrantTokens, in.Recipient, in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	plain, k, err := a.open(ctx, in.CiphertextBlob, aws.ToString(in.KeyId), in.EncryptionContext)
	if err = orDry(in.DryRun, err); err != nil {
		return nil, err
	}
	h, _ := readHeader(in.CiphertextBlob)
	materialID, err := a.materialID(ctx, k, h.gen)
	return &kms.DecryptOutput{
		Plaintext: plain, KeyId: aws.String(a.keyARN(k.ID)), KeyMaterialId: &materialID, EncryptionAlgorithm: symmetric,
	}, err
}

// open is decrypt for a blob from outside.
func (a api) open(ctx context.Context, blob []byte, ref string, context map[string]string) ([]byte, *Key, error) {
	if n := len(blob); n == 0 || n > maxBlob {
		return nil, nil, invalid("1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length between 1 and 6144")
	}
	return a.Service.decrypt(ctx, blob, ref, context)
}

func (a api) reEncrypt(ctx context.Context, in *kms.ReEncryptInput) (*kms.ReEncryptOutput, error) {
	if err := checkUse(in.GrantTokens, nil, in.SourceEncryptionAlgorithm); err != nil {
		return nil, err
	}
	if err := checkUse(nil, nil, in.DestinationEncryptionAlgorithm); err != nil {
		return nil, err
	}
	if aws.ToString(in.DestinationKeyId) == "" {
		return nil, violates("null", "destinationKeyId", "Member must not be null")
	}
	plain, from, err := a.open(ctx, in.CiphertextBlob, aws.ToString(in.SourceKeyId), in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	blob, to, err := a.Service.encrypt(ctx, *in.DestinationKeyId, plain, in.DestinationEncryptionContext)
	if err = orDry(in.DryRun, err); err != nil {
		return nil, err
	}
	source, _ := readHeader(in.CiphertextBlob)
	sourceID, err := a.materialID(ctx, from, source.gen)
	if err != nil {
		return nil, err
	}
	destinationID, err := a.materialID(ctx, to, to.Generation)
	return &kms.ReEncryptOutput{
		CiphertextBlob: blob, SourceKeyId: aws.String(a.keyARN(from.ID)), KeyId: aws.String(a.keyARN(to.ID)),
		SourceEncryptionAlgorithm: symmetric, DestinationEncryptionAlgorithm: symmetric,
		SourceKeyMaterialId: &sourceID, DestinationKeyMaterialId: &destinationID,
	}, err
}

func (a api) generateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput) (*kms.GenerateDataKeyOutput, error) {
	if err := checkUse(in.GrantTokens, in.Recipient, ""); err != nil {
		return nil, err
	}
	n, err := dataKeySize(in.KeySpec, in.NumberOfBytes)
	if err != nil {
		return nil, err
	}
	plain, err := random(n, "numberOfBytes")
	if err != nil {
		return nil, err
	}
	blob, k, err := a.Service.encrypt(ctx, aws.ToString(in.KeyId), plain, in.EncryptionContext)
	if err = orDry(in.DryRun, err); err != nil {
		return nil, err
	}
	materialID, err := a.materialID(ctx, k, k.Generation)
	return &kms.GenerateDataKeyOutput{CiphertextBlob: blob, Plaintext: plain, KeyId: aws.String(a.keyARN(k.ID)), KeyMaterialId: &materialID}, err
}

func (a api) generateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	out, err := a.generateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: in.KeyId, KeySpec: in.KeySpec, NumberOfBytes: in.NumberOfBytes,
		EncryptionContext: in.EncryptionContext, GrantTokens: in.GrantTokens, DryRun: in.DryRun,
	})
	if err != nil {
		return nil, err
	}
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: out.CiphertextBlob, KeyId: out.KeyId, KeyMaterialId: out.KeyMaterialId}, nil
}

// dataKeySize reads the two ways of saying how long a data key is.
func dataKeySize(spec types.DataKeySpec, n *int32) (int, error) {
	switch {
	case (spec == "") == (n == nil):
		return 0, invalid("Please specify either number of bytes or key spec.")
	case n != nil:
		return int(*n), nil
	case spec == types.DataKeySpecAes256:
		return 32, nil
	case spec == types.DataKeySpecAes128:
		return 16, nil
	}
	return 0, violates(clip(string(spec)), "keySpec", "Member must satisfy enum value set: [AES_256, AES_128]")
}

func (a api) generateRandom(_ context.Context, in *kms.GenerateRandomInput) (*kms.GenerateRandomOutput, error) {
	switch {
	case in.CustomKeyStoreId != nil:
		return nil, unsupported("CustomKeyStoreId")
	case in.Recipient != nil:
		return nil, unsupported("Recipient")
	case in.NumberOfBytes == nil:
		return nil, invalid("NumberOfBytes is required.")
	}
	b, err := random(int(*in.NumberOfBytes), "numberOfBytes")
	return &kms.GenerateRandomOutput{Plaintext: b}, err
}

// checkUse refuses what a use of a key may ask for and is not here.
func checkUse(grants []string, recipient *types.RecipientInfo, algorithm types.EncryptionAlgorithmSpec) error {
	if recipient != nil {
		return unsupported("Recipient")
	}
	if cmp.Or(algorithm, symmetric) != symmetric {
		return refuse("InvalidKeyUsageException", "The algorithm %s is not one of symmetric keys, the only ones offered by Mayfly.", clip(string(algorithm)))
	}
	return noGrants(grants)
}

// orDry turns success into AWS's answer to a rehearsal.
func orDry(dry *bool, err error) error {
	if err == nil && aws.ToBool(dry) {
		return errDryRun
	}
	return err
}
