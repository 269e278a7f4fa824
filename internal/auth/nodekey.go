package auth

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// nodeKeyFile holds the node's key: 32 random bytes.
const nodeKeyFile = "node.key"

// NodeKey is the one secret that everything a node seals goes back to: session
// tokens and the material of encryption keys. Whoever seals takes a key of its own
// from it by Derive, so that no two purposes share one. It prints as nothing but
// its name.
type NodeKey struct{ b [sha256.Size]byte }

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

// Derive makes the 256-bit key of one purpose, by HKDF with SHA-256 (RFC 5869). The
// purpose is a constant of the program; changing it loses what was sealed under it.
func (k NodeKey) Derive(purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, k.b[:], nil, "mayfly "+purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key for %s: %w", purpose, err)
	}
	return key, nil
}

// String keeps the key out of whatever prints it.
func (NodeKey) String() string { return "node key" }

// GoString keeps the key out of %#v.
func (NodeKey) GoString() string { return "auth.NodeKey{}" }
