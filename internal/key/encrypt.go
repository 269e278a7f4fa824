package key

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// maxRandom is the most bytes of GenerateRandom and of a data key.
const maxRandom = 1024

// encrypt encrypts under the newest material of the key that ref means.
func (s *Service) encrypt(ctx context.Context, ref string, plain []byte, context map[string]string) (blob []byte, k *Key, err error) {
	if err := checkContext(context); err != nil {
		return nil, nil, err
	}
	k, mat, err := s.ready(ctx, ref)
	if err == nil && s.due(k) {
		if err = s.turnIfDue(ctx, k.ID); err == nil {
			k, mat, err = s.ready(ctx, k.ID)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	blob, err = seal(mat, header{k.ID, k.Generation}, plain, context)
	return blob, k, err
}

// ready gives a key that may encrypt, and its newest material.
func (s *Service) ready(ctx context.Context, ref string) (k *Key, mat []byte, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if k, err = s.find(r, ref); err != nil {
			return err
		}
		if err = usable(s, k); err != nil {
			return err
		}
		mat, err = s.material(r, k.ID, k.Generation)
		return err
	})
	return k, mat, err
}

// decrypt opens a ciphertext. Where ref is not empty, it must mean the key that the
// ciphertext was made with.
func (s *Service) decrypt(ctx context.Context, blob []byte, ref string, context map[string]string) (plain []byte, k *Key, err error) {
	if err := checkContext(context); err != nil {
		return nil, nil, err
	}
	h, ok := readHeader(blob)
	if !ok {
		return nil, nil, errCiphertext
	}
	var mat []byte
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if ref != "" {
			asked, err := s.find(r, ref)
			if err != nil {
				return err
			}
			if asked.ID != h.key {
				return errWrongKey
			}
		}
		if k, err = s.byID(r, h.key); isMissing(err) {
			return errForeign
		} else if err != nil {
			return err
		}
		if err = usable(s, k); err != nil {
			return err
		}
		if mat, err = s.material(r, h.key, h.gen); errors.Is(err, store.ErrNotFound) {
			return errCiphertext // no such generation was ever made
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	plain, err = unseal(mat, blob, context)
	return plain, k, err
}

// materialID names a generation of a key's material.
func (s *Service) materialID(ctx context.Context, k *Key, gen int) (materialID string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		m, err := load[material](r, materialKey(k.ID, gen), nil)
		if err == nil {
			materialID = m.ID
		}
		return err
	})
	return materialID, err
}

// random makes n random bytes.
func random(n int, member string) ([]byte, error) {
	if n < 1 || n > maxRandom {
		return nil, violates(n, member, "Member must have value between 1 and 1024")
	}
	b := make([]byte, n)
	rand.Read(b)
	return b, nil
}
