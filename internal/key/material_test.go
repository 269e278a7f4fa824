package key_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/mayfly-cloud/mayfly/internal/key"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// glass is a vault that can be looked into.
type glass struct {
	key.Vault
	plain [][]byte
}

func (g *glass) Seal(label string, plain []byte) ([]byte, error) {
	g.plain = append(g.plain, bytes.Clone(plain))
	return g.Vault.Seal(label, plain)
}

// What is stored of a key is neither its material nor what was encrypted with it, and
// each generation has its own.
func TestStoreHoldsNoMaterial(t *testing.T) {
	n, ctx := start(t), t.Context()
	vault := &glass{Vault: n.vault}
	service := key.New(key.Config{Store: n.store, Vault: vault, Policies: grammar{}, Account: account, Region: region, Clock: n.clock})
	k, err := service.Create(ctx, key.Draft{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Rotate(ctx, k.ID); err != nil {
		t.Fatal(err)
	}
	ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: &k.ID, Plaintext: secret}))
	if len(vault.plain) != 2 || len(vault.plain[0]) != 32 || bytes.Equal(vault.plain[0], vault.plain[1]) {
		t.Fatalf("made %d materials", len(vault.plain))
	}
	err = n.store.View(ctx, func(r store.Reader) error {
		for p, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			for _, text := range append(vault.plain, secret) {
				if bytes.Contains(p.Value, text) {
					t.Errorf("%q holds it in the clear", p.Key)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Material put in another's place does not open.
func TestMaterialKeepsItsPlace(t *testing.T) {
	n, ctx := start(t), t.Context()
	one, two := *n.create(t), *n.create(t)
	blob := ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: &one, Plaintext: secret})).CiphertextBlob
	err := n.store.Update(ctx, func(tx store.Tx) error {
		b, err := tx.Get(store.Key("key", "material", two, 1))
		if err != nil {
			return err
		}
		return tx.Set(store.Key("key", "material", one, 1), bytes.Clone(b))
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob})
	refused(t, "swapped", err, "InternalFailure", "")
}
