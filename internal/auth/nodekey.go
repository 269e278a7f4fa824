package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// nodeKeyFile holds the node's key: 32 random bytes.
const nodeKeyFile = "node.key"

// NodeKey is the one secret that everything a node seals goes back to: session
// tokens, and secrets that are stored. It prints as nothing but its name.
//
// What Seal makes is
//
//	version 0x01 | nonce, 12 bytes | AES-256-GCM(plain), bound to the label
//
// under a key that HKDF with SHA-256 (RFC 5869) derives for the label alone, so that
// no two purposes share a key.
type NodeKey struct{ b [sha256.Size]byte }

const (
	sealVersion = 1
	labelSealed = "mayfly sealed\n"
)

// OpenNodeKey reads node.key in dir, or makes it, readable by its owner alone. It is
// safe to open it twice; losing it loses all that was sealed.
func OpenNodeKey(dir string) (NodeKey, error) {
	b, err := ownerFile(dir, nodeKeyFile, func() ([]byte, error) {
		b := make([]byte, sha256.Size)
		rand.Read(b)
		return b, nil
	})
	if err != nil {
		return NodeKey{}, fmt.Errorf("open node key: %w", err)
	}
	if len(b) != sha256.Size {
		return NodeKey{}, fmt.Errorf("open node key: %s has %d bytes, not %d", nodeKeyFile, len(b), sha256.Size)
	}
	return NodeKey{[sha256.Size]byte(b)}, nil
}

// Seal encrypts a secret that is to be stored. Only Unseal with the same label opens
// it, and refuses what was changed. The label says what it is and where it belongs.
func (k NodeKey) Seal(label string, plain []byte) ([]byte, error) {
	aead, err := k.aead(label)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return aead.Seal([]byte{sealVersion}, nil, plain, []byte(label)), nil
}

// Unseal decrypts what Seal made for this label.
func (k NodeKey) Unseal(label string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, fmt.Errorf("unseal: %w", errSealed)
	}
	aead, err := k.aead(label)
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", err)
	}
	plain, err := aead.Open(nil, nil, sealed[1:], []byte(label))
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", errSealed)
	}
	return plain, nil
}

// aead is the cipher under the label's own key.
func (k NodeKey) aead(label string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, k.b[:], nil, labelSealed+label, sha256.Size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// String keeps the key out of whatever prints it.
func (NodeKey) String() string { return "node key" }

// GoString keeps the key out of %#v.
func (NodeKey) GoString() string { return "auth.NodeKey{}" }
