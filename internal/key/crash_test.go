package key_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/key"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What was answered survives the plug being pulled, on a file system that forgets what
// was not synced: a ciphertext always finds its key and its generation.
func TestCrash(t *testing.T) {
	nodeKey, err := auth.OpenNodeKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fs := vfs.NewCrashableMem()
	var after *vfs.MemFS
	var blobs [][]byte
	t.Run("before", func(t *testing.T) {
		n, ctx := startWith(t, fs, nodeKey), t.Context()
		id := n.create(t)
		encrypt := func() {
			t.Helper()
			blobs = append(blobs, ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: secret})).CiphertextBlob)
		}
		encrypt()
		ok[kms.RotateKeyOnDemandOutput](t)(n.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: id}))
		encrypt()
		ok[kms.EnableKeyRotationOutput](t)(n.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: aws.Int32(90)}))
		n.clock.Advance(91 * 24 * time.Hour)
		encrypt()
		blob, _, err := n.service.Via("ssm").Encrypt(ctx, "", secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		blobs = append(blobs, blob)
		after = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0, RNG: rand.New(rand.NewPCG(1, 2))})
	})
	t.Run("after", func(t *testing.T) {
		n := startWith(t, after, nodeKey)
		for i, blob := range blobs {
			if plain, err := n.service.Via("ssm").Decrypt(t.Context(), blob, nil); err != nil || !bytes.Equal(plain, secret) {
				t.Errorf("ciphertext %d: %q, %v", i, plain, err)
			}
		}
	})
}

var errCrash = errors.New("crash")

// fused lets so many transactions through and none after: what a crash between two of
// them would leave.
type fused struct {
	store.Store
	left int
}

func (s *fused) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.left--; s.left < 0 {
		return errCrash
	}
	return s.Store.Update(ctx, fn)
}

// A rotation that is due and is cut off leaves the key as it was, or turned.
func TestRotationCutOff(t *testing.T) {
	n, ctx := start(t), context.Background()
	nodeKey, err := auth.OpenNodeKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cut := &fused{n.store, 100}
	service := key.New(key.Config{Store: cut, Vault: nodeKey, Policies: grammar{}, Account: account, Region: region, Clock: n.clock})
	k, err := service.Create(ctx, key.Draft{})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.SetRotation(ctx, k.ID, 90); err != nil {
		t.Fatal(err)
	}
	via := service.Via("ssm")
	before, _, err := via.Encrypt(ctx, k.ID, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(90 * 24 * time.Hour)
	cut.left = 0
	if _, _, err := via.Encrypt(ctx, k.ID, secret, nil); !errors.Is(err, errCrash) {
		t.Errorf("got %v", err)
	}
	cut.left = 100
	after, _, err := via.Encrypt(ctx, k.ID, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range [][]byte{before, after} {
		if plain, err := via.Decrypt(ctx, blob, nil); err != nil || !bytes.Equal(plain, secret) {
			t.Errorf("%q, %v", plain, err)
		}
	}
	if _, list, err := service.Rotations(ctx, k.ID); len(list) != 1 || err != nil {
		t.Errorf("%d rotations, %v", len(list), err)
	}
}
