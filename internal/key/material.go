package key

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// materialSize is that of an AES-256 key.
const materialSize = 32

// material is one generation of a key's material, sealed by the Vault. The label is
// the key's id and the generation, so that material put in another's place does not
// open.
type material struct {
	ID       string // KeyMaterialId: 64 hexadecimal characters that say nothing
	Sealed   []byte
	Created  time.Time
	OnDemand bool // made by RotateKeyOnDemand
}

var errKeyID = errors.New("the id of a key is no UUID")

func label(keyID string, gen int) string { return "key material " + keyID + " " + strconv.Itoa(gen) }

// makeMaterial makes the material of a key's generation.
func (s *Service) makeMaterial(keyID string, gen int) (*material, error) {
	plain := make([]byte, materialSize)
	rand.Read(plain)
	sealed, err := s.cfg.Vault.Seal(label(keyID, gen), plain)
	if err != nil {
		return nil, fmt.Errorf("make material of key %s: %w", keyID, err)
	}
	return &material{ID: id.Hex(32), Created: s.now(), Sealed: sealed}, nil
}

// material opens one generation of a key's material. The caller must not keep it.
func (s *Service) material(r store.Reader, keyID string, gen int) ([]byte, error) {
	m, err := load[material](r, materialKey(keyID, gen), nil)
	if err != nil {
		return nil, err
	}
	plain, err := s.cfg.Vault.Unseal(label(keyID, gen), m.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open material of key %s, which is another node's or was changed: %w", keyID, err)
	}
	return plain, nil
}
