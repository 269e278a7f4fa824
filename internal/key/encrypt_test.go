package key_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
)

var secret = []byte("correct horse battery staple")

func TestEncryptAndDecrypt(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	with := map[string]string{"purpose": "test", "app": "pay"}
	sealed := ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: secret, EncryptionContext: with}))
	if *sealed.KeyId != prefix+"key/"+*id || bytes.Contains(sealed.CiphertextBlob, secret[:8]) {
		t.Errorf("sealed as %q under %s", sealed.CiphertextBlob, *sealed.KeyId)
	}
	again := ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: secret, EncryptionContext: with}))
	if bytes.Equal(sealed.CiphertextBlob, again.CiphertextBlob) {
		t.Error("the same text is sealed the same way twice")
	}
	for _, named := range []*string{nil, id, aws.String(prefix + "key/" + *id)} {
		opened := ok[kms.DecryptOutput](t)(n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: with, KeyId: named}))
		if !bytes.Equal(opened.Plaintext, secret) || *opened.KeyId != prefix+"key/"+*id {
			t.Errorf("opened as %q under %s", opened.Plaintext, *opened.KeyId)
		}
	}
	_, err := n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: with, KeyId: n.create(t)})
	refused(t, "another key", err, "IncorrectKeyException", "")
	for what, context := range map[string]map[string]string{
		"no context": nil, "half": {"app": "pay"}, "other": {"app": "pay", "purpose": "x"}, "shifted": {"purposet": "est", "app": "pay"},
	} {
		_, err := n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: context})
		refused(t, what, err, "InvalidCiphertextException", "")
	}
	_, err = n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: secret, EncryptionContext: map[string]string{"a": strings.Repeat("x", 9000)}})
	refused(t, "a huge context", err, "ValidationException", "encryption context")
	for _, size := range []int{0, 4097} {
		_, err := n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: make([]byte, size)})
		refused(t, "size", err, "ValidationException", "plaintext")
	}
	_, err = n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: secret, EncryptionAlgorithm: types.EncryptionAlgorithmSpecRsaesOaepSha1})
	refused(t, "algorithm", err, "InvalidKeyUsageException", "RSAES_OAEP_SHA_1")
	_, err = n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: secret, DryRun: aws.Bool(true)})
	refused(t, "dry run", err, "DryRunOperationException", "")
	ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: make([]byte, 4096)}))
}

// Whatever bit is changed, and wherever it is cut, a ciphertext does not open.
func TestTamperedCiphertexts(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	via := n.service.Via("ssm")
	blob, _, err := via.Encrypt(ctx, *id, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range blob {
		changed := bytes.Clone(blob)
		changed[i] ^= 1 << (i % 8)
		plain, err := via.Decrypt(ctx, changed, nil)
		if !fault.Is(err, "InvalidCiphertextException") && !fault.Is(err, "AccessDeniedException") || plain != nil {
			t.Errorf("with byte %d changed: %q, %v", i, plain, err)
		}
		if plain, err := via.Decrypt(ctx, blob[:i], nil); !fault.Is(err, "InvalidCiphertextException") || plain != nil {
			t.Errorf("cut at %d: %q, %v", i, plain, err)
		}
	}
	if _, err := via.Decrypt(ctx, append(bytes.Clone(blob), 0), nil); !fault.Is(err, "InvalidCiphertextException") {
		t.Errorf("with a byte more: %v", err)
	}
	_, err = n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: []byte("nonsense")})
	refused(t, "nonsense", err, "InvalidCiphertextException", "")
}

func TestReEncrypt(t *testing.T) {
	n, ctx := start(t), context.Background()
	one, two := n.create(t), n.create(t)
	a, b := map[string]string{"a": "1"}, map[string]string{"b": "2"}
	sealed := ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: one, Plaintext: secret, EncryptionContext: a}))
	moved := ok[kms.ReEncryptOutput](t)(n.ReEncrypt(ctx, &kms.ReEncryptInput{
		CiphertextBlob: sealed.CiphertextBlob, SourceEncryptionContext: a, DestinationKeyId: two, DestinationEncryptionContext: b,
	}))
	if *moved.SourceKeyId != prefix+"key/"+*one || *moved.KeyId != prefix+"key/"+*two {
		t.Errorf("got %+v", moved)
	}
	opened := ok[kms.DecryptOutput](t)(n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: moved.CiphertextBlob, EncryptionContext: b, KeyId: two}))
	if !bytes.Equal(opened.Plaintext, secret) {
		t.Errorf("opened as %q", opened.Plaintext)
	}
	_, err := n.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: two})
	refused(t, "without its context", err, "InvalidCiphertextException", "")
	_, err = n.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: sealed.CiphertextBlob, SourceKeyId: two, SourceEncryptionContext: a, DestinationKeyId: two})
	refused(t, "of another source", err, "IncorrectKeyException", "")
}

func TestDataKeys(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	for size, in := range map[int]*kms.GenerateDataKeyInput{
		32: {KeySpec: types.DataKeySpecAes256}, 16: {KeySpec: types.DataKeySpecAes128}, 1024: {NumberOfBytes: aws.Int32(1024)}, 1: {NumberOfBytes: aws.Int32(1)},
	} {
		in.KeyId = id
		got := ok[kms.GenerateDataKeyOutput](t)(n.GenerateDataKey(ctx, in))
		opened := ok[kms.DecryptOutput](t)(n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: got.CiphertextBlob}))
		if len(got.Plaintext) != size || !bytes.Equal(got.Plaintext, opened.Plaintext) {
			t.Errorf("%d bytes: %x and %x", size, got.Plaintext, opened.Plaintext)
		}
	}
	blind := ok[kms.GenerateDataKeyWithoutPlaintextOutput](t)(n.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: id, KeySpec: types.DataKeySpecAes256}))
	if opened := ok[kms.DecryptOutput](t)(n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blind.CiphertextBlob})); len(opened.Plaintext) != 32 {
		t.Errorf("opened %d bytes", len(opened.Plaintext))
	}
	for what, in := range map[string]*kms.GenerateDataKeyInput{
		"neither": {}, "both": {KeySpec: types.DataKeySpecAes256, NumberOfBytes: aws.Int32(3)}, "none": {NumberOfBytes: aws.Int32(0)},
		"many": {NumberOfBytes: aws.Int32(1025)}, "unknown": {KeySpec: "AES_512"},
	} {
		in.KeyId = id
		_, err := n.GenerateDataKey(ctx, in)
		refused(t, what, err, "ValidationException", "")
	}
	if got := ok[kms.GenerateRandomOutput](t)(n.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(64)})); len(got.Plaintext) != 64 {
		t.Errorf("got %d bytes", len(got.Plaintext))
	}
	_, err := n.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(2000)})
	refused(t, "too many", err, "ValidationException", "")
}

func TestRotation(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	encrypt := func() []byte {
		t.Helper()
		return ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: secret})).CiphertextBlob
	}
	materialOf := func(blob []byte) string {
		t.Helper()
		out := ok[kms.DecryptOutput](t)(n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob}))
		if !bytes.Equal(out.Plaintext, secret) {
			t.Errorf("opened as %q", out.Plaintext)
		}
		return *out.KeyMaterialId
	}
	status := func() *kms.GetKeyRotationStatusOutput {
		t.Helper()
		return ok[kms.GetKeyRotationStatusOutput](t)(n.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id}))
	}
	first := encrypt()
	if status().KeyRotationEnabled {
		t.Error("it rotates by itself")
	}
	for _, days := range []int32{0, 89, 2561} {
		_, err := n.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: &days})
		refused(t, "period", err, "ValidationException", "")
	}
	ok[kms.EnableKeyRotationOutput](t)(n.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: aws.Int32(90)}))
	if s := status(); !s.KeyRotationEnabled || *s.RotationPeriodInDays != 90 || !s.NextRotationDate.Equal(noon.AddDate(0, 0, 90)) {
		t.Errorf("got %+v", s)
	}
	n.clock.Advance(200 * 24 * time.Hour) // two dates went by
	second := encrypt()
	if s := status(); !s.NextRotationDate.Equal(noon.AddDate(0, 0, 270)) {
		t.Errorf("the next is on %v", s.NextRotationDate)
	}
	ok[kms.RotateKeyOnDemandOutput](t)(n.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: id}))
	third := encrypt()
	a, b, c := materialOf(first), materialOf(second), materialOf(third)
	if a == b || b == c || a == c {
		t.Errorf("materials %s, %s, %s", a, b, c)
	}
	list := ok[kms.ListKeyRotationsOutput](t)(n.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: id}))
	if len(list.Rotations) != 2 || list.Rotations[0].RotationType != types.RotationTypeAutomatic || list.Rotations[1].RotationType != types.RotationTypeOnDemand {
		t.Errorf("got %+v", list.Rotations)
	}
	ok[kms.DisableKeyRotationOutput](t)(n.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: id}))
	n.clock.Advance(1000 * 24 * time.Hour)
	if got := materialOf(encrypt()); got != c {
		t.Error("it still rotates")
	}
}

func TestManagedKeys(t *testing.T) {
	n, ctx := start(t), context.Background()
	via := n.service.Via("ssm")
	blob, arn, err := via.Encrypt(ctx, "", secret, map[string]string{"PARAMETER_ARN": "x"})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := via.Decrypt(ctx, blob, map[string]string{"PARAMETER_ARN": "x"})
	if err != nil || !bytes.Equal(plain, secret) {
		t.Errorf("opened as %q, %v", plain, err)
	}
	if _, again, err := via.Encrypt(ctx, "alias/aws/ssm", secret, nil); again != arn || err != nil {
		t.Errorf("%s and %s, %v", arn, again, err)
	}
	made := ok[kms.DescribeKeyOutput](t)(n.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/ssm")})).KeyMetadata
	if *made.Arn != arn || made.KeyManager != types.KeyManagerTypeAws {
		t.Errorf("got %+v", made)
	}
	described := ok[kms.DescribeKeyOutput](t)(n.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/lambda")})).KeyMetadata
	if described.KeyManager != types.KeyManagerTypeAws || *described.Arn == arn {
		t.Errorf("got %+v", described)
	}
	for what, err := range map[string]error{
		"delete":  second(n.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: made.KeyId})),
		"disable": second(n.DisableKey(ctx, &kms.DisableKeyInput{KeyId: made.KeyId})),
		"alias":   second(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/x"), TargetKeyId: made.KeyId})),
		"policy":  second(n.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: made.KeyId, Policy: aws.String(`{"Statement":[]}`)})),
	} {
		refused(t, what, err, "AccessDeniedException", "AWS managed key")
	}
	policy, err := n.service.ResourcePolicy(ctx, arn)
	if err != nil || !strings.Contains(string(policy), `"kms:ViaService":"ssm.eu-central-1.amazonaws.com"`) {
		t.Errorf("got %s, %v", policy, err)
	}
	big := make([]byte, 64<<10) // a service's own texts may be longer than Encrypt's
	if _, _, err := via.Encrypt(ctx, "", big, nil); err != nil {
		t.Error(err)
	}
	if _, _, err := via.Encrypt(ctx, "alias/none", secret, nil); !fault.Is(err, "NotFoundException") {
		t.Errorf("got %v", err)
	}
}

// Two first users make one key.
func TestManagedKeyIsMadeOnce(t *testing.T) {
	n, ctx := start(t), context.Background()
	arns := make(chan string)
	for range 8 {
		go func() {
			_, arn, err := n.service.Via("secretsmanager").Encrypt(ctx, "", secret, nil)
			if err != nil {
				t.Error(err)
			}
			arns <- arn
		}()
	}
	first := <-arns
	for range 7 {
		if arn := <-arns; arn != first {
			t.Errorf("%s and %s", first, arn)
		}
	}
}

// Another node's key opens nothing, and says so without a word of what is inside.
func TestMaterialIsSealedUnderTheNodesKey(t *testing.T) {
	fs := vfs.NewMem()
	open := func(t *testing.T) auth.NodeKey {
		k, err := auth.OpenNodeKey(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	mine := open(t)
	var blob []byte
	var id string
	t.Run("one node", func(t *testing.T) {
		n := startWith(t, fs, mine)
		id = *n.create(t)
		blob = ok[kms.EncryptOutput](t)(n.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &id, Plaintext: secret})).CiphertextBlob
	})
	t.Run("started again", func(t *testing.T) {
		n := startWith(t, fs, mine)
		if out := ok[kms.DecryptOutput](t)(n.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})); !bytes.Equal(out.Plaintext, secret) {
			t.Errorf("opened as %q", out.Plaintext)
		}
	})
	t.Run("with another node key", func(t *testing.T) {
		n := startWith(t, fs, open(t))
		_, err := n.service.Via("ssm").Decrypt(t.Context(), blob, nil)
		if f := (*fault.Error)(nil); err == nil || errors.As(err, &f) || !strings.Contains(err.Error(), "does not open") {
			t.Errorf("got %v", err)
		}
		_, err = n.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
		refused(t, "decrypt", err, "InternalFailure", "")
	})
}

// FuzzDecrypt: no bytes open, or bring the service down, that it has not made.
func FuzzDecrypt(f *testing.F) {
	n := start(f)
	id := n.create(f)
	via := n.service.Via("ssm")
	blob, _, err := via.Encrypt(context.Background(), *id, secret, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob)
	f.Add(blob[:40])
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := via.Decrypt(context.Background(), b, nil)
		switch {
		case bytes.Equal(b, blob):
			if err != nil || !bytes.Equal(plain, secret) {
				t.Errorf("%q, %v", plain, err)
			}
		case !fault.Is(err, "InvalidCiphertextException") && !fault.Is(err, "AccessDeniedException"):
			t.Errorf("%x: %q, %v", b, plain, err)
		}
	})
}
