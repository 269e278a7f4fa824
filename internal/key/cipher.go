package key

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// A ciphertext is
//
//	version 0x01 | key, 16 bytes | generation, 4 bytes | salt, 16 bytes | nonce, 12 bytes | AES-256-GCM
//
// Each is sealed under a key of its own, HKDF(material, salt), so that no amount of
// use wears the material out. The header and the encryption context are
// authenticated with it; the context is not in the ciphertext, whoever decrypts
// must know it. The header can be read without any key, so that it can be told which
// key a ciphertext needs before it is decided whether the caller may use it.
const (
	cipherVersion = 1
	saltSize      = 16
	headerSize    = 1 + 16 + 4 + saltSize
	labelMessage  = "mayfly message"
)

// Limits, as AWS has them.
const (
	maxPlain   = 4096 // of Encrypt
	maxBlob    = 6144
	maxContext = 8192 // of the encryption context, names and values together
)

// header is what a ciphertext says of itself.
type header struct {
	key string
	gen int
}

// readHeader takes a ciphertext apart. What it says is not yet proven true.
func readHeader(blob []byte) (h header, ok bool) {
	if len(blob) <= headerSize || blob[0] != cipherVersion {
		return h, false
	}
	gen := binary.BigEndian.Uint32(blob[17:21])
	if gen == 0 || gen > 1<<30 {
		return h, false
	}
	return header{uuidOf([16]byte(blob[1:17])), int(gen)}, true
}

// seal encrypts plain under a material.
func seal(mat []byte, h header, plain []byte, context map[string]string) ([]byte, error) {
	blob := make([]byte, headerSize, headerSize+len(plain)+28)
	blob[0] = cipherVersion
	raw, err := uuidBytes(h.key)
	if err != nil {
		return nil, err
	}
	copy(blob[1:17], raw[:])
	binary.BigEndian.PutUint32(blob[17:21], uint32(h.gen))
	rand.Read(blob[21:headerSize])
	key, err := hkdf.Key(sha256.New, mat, blob[21:headerSize], labelMessage, materialSize)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(blob, nil, plain, bound(blob, context)), nil
}

// unseal decrypts what readHeader has read. Whatever is wrong is errCiphertext.
func unseal(mat, blob []byte, context map[string]string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, mat, blob[21:headerSize], labelMessage, materialSize)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, blob[headerSize:], bound(blob[:headerSize], context))
	if err != nil {
		return nil, errCiphertext
	}
	return plain, nil
}

// newAEAD puts a random nonce of 12 bytes before each ciphertext.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bound is the data a ciphertext is bound to: the header and the context, in one
// spelling whatever the order of its pairs.
func bound(header []byte, context map[string]string) []byte {
	b := slices.Clone(header)
	for _, k := range slices.Sorted(maps.Keys(context)) {
		for _, s := range []string{k, context[k]} {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
		}
	}
	return b
}

func checkContext(context map[string]string) error {
	n := 0
	for k, v := range context {
		n += len(k) + len(v)
	}
	if n > maxContext {
		return invalid("The encryption context has %d bytes, more than %d.", n, maxContext)
	}
	return nil
}

// uuidOf prints the 16 bytes of a key's id.
func uuidOf(b [16]byte) string {
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func uuidBytes(s string) (b [16]byte, err error) {
	if !isUUID(s) {
		return b, errKeyID
	}
	plain := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	_, err = hex.Decode(b[:], []byte(plain))
	return b, err
}

// isUUID says whether s is a key's id: 8-4-4-4-12 lower-case hexadecimal digits.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !('0' <= c && c <= '9' || 'a' <= c && c <= 'f'):
			return false
		}
	}
	return true
}
