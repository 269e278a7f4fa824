package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// signingKeys derives the key of a scope from a secret and remembers it: the chain
// of four HMACs costs more than the rest of a small request's verification.
type signingKeys struct{ known *cache[keyScope, signingKey] }

// keyScope is everything but the secret that a signing key depends on.
type keyScope struct{ accessKeyID, date, region, service string }

// signingKey remembers the secret it came from: an access key whose secret has
// changed must not verify with the old one.
type signingKey struct {
	secret string
	key    [sha256.Size]byte
}

// keysKept is one generation of signing keys: one per credential, day and
// service in use.
const keysKept = 4096

func newSigningKeys() *signingKeys {
	return &signingKeys{newCache[keyScope, signingKey](keysKept)}
}

// of returns the signing key of a secret and a scope. fresh says that it was not
// known; the caller remembers it once a signature made with it has matched, so that
// strangers cannot fill the cache.
func (k *signingKeys) of(secret string, s keyScope) (key [sha256.Size]byte, fresh bool) {
	if known, ok := k.known.get(s); ok && subtle.ConstantTimeCompare([]byte(known.secret), []byte(secret)) == 1 {
		return known.key, false
	}
	return deriveKey(secret, s), true
}

// remember keeps a derived key. The scope's strings are copied: they are parts of a
// request's header and would keep all of it alive.
func (k *signingKeys) remember(secret string, s keyScope, key [sha256.Size]byte) {
	k.known.put(keyScope{
		accessKeyID: strings.Clone(s.accessKeyID),
		date:        strings.Clone(s.date),
		region:      strings.Clone(s.region),
		service:     strings.Clone(s.service),
	}, signingKey{secret, key})
}

// deriveKey is the chain of HMACs:
//
//	HMAC(HMAC(HMAC(HMAC("AWS4"+secret, date), region), service), "aws4_request")
func deriveKey(secret string, s keyScope) [sha256.Size]byte {
	key := sign([]byte("AWS4"+secret), s.date)
	key = sign(key[:], s.region)
	key = sign(key[:], s.service)
	return sign(key[:], terminator)
}

// sign is HMAC-SHA256.
func sign[T string | []byte](key []byte, msg T) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(msg))
	h.Sum(sum[:0])
	return sum
}
