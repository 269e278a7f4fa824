package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
)

// A session token is
//
//	version 0x01 | nonce, 12 bytes | AES-256-GCM(session as CBOR)
//
// under a key of its own, HMAC(node key, label + access key id). So a token opens for
// one access key id alone, and random nonces never meet under one key. The secret
// access key is another HMAC, over the access key id and the token: whoever changes a
// bit of the token has neither a session nor its secret. What is sealed to be stored has
// the same form, under keys of yet another label.
const (
	tokenVersion = 1
	labelToken   = "mayfly session token\n"
	labelSecret  = "mayfly session secret\n"
	labelStored  = "mayfly stored secret\n"
)

// session is what a token carries. Times are in Unix seconds. Role is the ARN of whose
// session it is, ID its unique id; Kind is empty for a role's.
type session struct {
	Role, Name, Source, Boot string
	Expires                  int64
	Issued                   int64    `codec:",omitempty"`
	Kind                     Kind     `codec:",omitempty"`
	ID                       string   `codec:",omitempty"`
	With                     *Session `codec:",omitempty"`
}

var errSealed = errors.New("it does not open")

func (s *Sessions) sealToken(accessKeyID string, content session) (string, error) {
	b, err := record.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("seal session: %w", err)
	}
	aead, err := s.aead(labelToken + accessKeyID)
	if err != nil {
		return "", fmt.Errorf("seal session: %w", err)
	}
	return tokenText.EncodeToString(aead.Seal([]byte{tokenVersion}, nil, b, []byte(accessKeyID))), nil
}

func (s *Sessions) openToken(accessKeyID, token string) (content session, err error) {
	b, err := tokenText.DecodeString(token)
	if err != nil || len(b) == 0 || b[0] != tokenVersion {
		return content, errSealed
	}
	aead, err := s.aead(labelToken + accessKeyID)
	if err != nil {
		return content, fmt.Errorf("open session: %w", err)
	}
	plain, err := aead.Open(nil, nil, b[1:], []byte(accessKeyID))
	if err != nil {
		return content, errSealed
	}
	return content, record.Unmarshal(plain, &content)
}

// aead is the cipher under a key of the label's own.
func (s *Sessions) aead(label string) (cipher.AEAD, error) {
	key := sign(s.key[:], label)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// secret is the secret access key of a session: 40 characters, 240 bits.
func (s *Sessions) secret(accessKeyID, token string) string {
	sum := sign(s.key[:], labelSecret+accessKeyID+"\n"+token)
	return base64.StdEncoding.EncodeToString(sum[:30])
}

// revocations are the access keys of sessions that ended before their time. What has
// expired is swept out whenever the set has doubled, so it never holds more
// than twice the sessions that could still be alive.
type revocations struct {
	mu    sync.RWMutex
	until map[string]time.Time
	sweep int // the size to sweep at
}

// sweepAt is the size below which sweeping is not worth it.
const sweepAt = 1024

func (r *revocations) add(accessKeyID string, expires, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until, r.sweep = make(map[string]time.Time), sweepAt
	}
	r.until[accessKeyID] = expires
	if len(r.until) < r.sweep {
		return
	}
	for k, t := range r.until {
		if t.Before(now) {
			delete(r.until, k)
		}
	}
	r.sweep = max(sweepAt, 2*len(r.until))
}

func (r *revocations) has(accessKeyID string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.until[accessKeyID]
	return ok
}
