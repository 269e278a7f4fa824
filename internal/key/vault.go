package key

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

// vault seals key material at rest: AES-256-GCM with random nonces under a key that
// is derived from the node's for nothing else. The key's id and the generation are
// authenticated, so that material put in another's place does not open.
type vault struct{ aead cipher.AEAD }

// materialSize is that of an AES-256 key.
const materialSize = 32

// material is one generation of a key's material.
type material struct {
	ID       string // KeyMaterialId: 64 hexadecimal characters that say nothing
	Sealed   []byte
	Created  time.Time
	OnDemand bool // made by RotateKeyOnDemand
}

var errVault = errors.New("key material does not open: the store is not this node key's, or was changed")

func openVault(node auth.NodeKey) (vault, error) {
	key, err := node.Derive("key material")
	if err != nil {
		return vault{}, err
	}
	aead, err := newAEAD(key)
	return vault{aead}, err
}

// newAEAD puts a random nonce of 12 bytes before each ciphertext.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// make makes the material of a key's generation.
func (v vault) make(keyID string, gen int, now time.Time) *material {
	plain := make([]byte, materialSize)
	rand.Read(plain)
	return &material{ID: id.Hex(32), Created: now, Sealed: v.aead.Seal(nil, nil, plain, place(keyID, gen))}
}

// open gives the plain material, which its caller must not keep.
func (v vault) open(m *material, keyID string, gen int) ([]byte, error) {
	plain, err := v.aead.Open(nil, nil, m.Sealed, place(keyID, gen))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", keyID, errVault)
	}
	return plain, nil
}

// place is where a material belongs.
func place(keyID string, gen int) []byte { return []byte(keyID + "\n" + strconv.Itoa(gen)) }
