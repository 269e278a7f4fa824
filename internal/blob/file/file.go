package file

import (
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/mayfly-cloud/mayfly/internal/blob"
)

// file is an open blob. Read checks what it has given when it comes to the end;
// ReadAt, which jumps, cannot: who reads so and must know calls Store.Verify.
type file struct {
	*os.File
	digest blob.Digest
	size   int64
	hash   hash.Hash
}

// Size implements blob.File.
func (f *file) Size() int64 { return f.size }

// Read implements io.Reader. The end of a damaged blob is an error, not io.EOF.
func (f *file) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.hash.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(f.hash.Sum(nil)) != string(f.digest) {
		err = fmt.Errorf("blob %s is damaged: its content has another digest", f.digest)
	}
	return n, err
}

// WriteTo hides os.File's, which would pass Read by.
func (f *file) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f})
}

// Seek hides os.File's: the digest is of the whole, in order.
func (f *file) Seek(int64, int) (int64, error) {
	return 0, fmt.Errorf("seek blob: %w; use ReadAt", os.ErrInvalid)
}
