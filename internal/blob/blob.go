package blob

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ErrNotFound is what Open returns for a digest that is not kept.
var ErrNotFound = errors.New("blob not found")

// Digest is the SHA-256 of a blob, in lower-case hexadecimal. Its form is what
// ParseDigest accepts, so it is safe as a file name.
type Digest string

// ParseDigest checks that s is a digest.
func ParseDigest(s string) (Digest, error) {
	if b, err := hex.DecodeString(s); err != nil || len(b) != 32 || hex.EncodeToString(b) != s {
		return "", fmt.Errorf("parse digest %.80q: want 64 lower-case hexadecimal digits", s)
	}
	return Digest(s), nil
}

// Base64 is the digest as AWS prints it: CodeSha256.
func (d Digest) Base64() string {
	b, _ := hex.DecodeString(string(d)) // a Digest is valid by construction
	return base64.StdEncoding.EncodeToString(b)
}

// Store keeps blobs by their digest. Its methods are safe for concurrent use.
type Store interface {
	// Put keeps what r gives, up to limit bytes, and returns its digest and
	// size once it is durable. Putting what is there already is not an error.
	// It returns ErrTooLarge beyond limit, and keeps nothing then.
	Put(ctx context.Context, r io.Reader, limit int64) (Digest, int64, error)
	// Open gives a blob's bytes and size, or ErrNotFound. The caller closes it.
	// Reads fail if the content no longer matches the digest.
	Open(ctx context.Context, d Digest) (File, error)
	// Delete forgets a blob; one that is not there is no error.
	Delete(ctx context.Context, d Digest) error
}

// ErrTooLarge is what Put returns for more bytes than its limit.
var ErrTooLarge = errors.New("blob over the limit")

// File is an open blob.
type File interface {
	io.ReaderAt
	io.Reader
	io.Closer
	// Size is the blob's length in bytes.
	Size() int64
}
