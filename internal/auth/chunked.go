package auth

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// What ends a chunked body early.
var (
	errTorn = fault.New(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
	errSize = fault.New(http.StatusBadRequest, "IncompleteBody",
		"You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header")
	errTrailer = fault.New(http.StatusBadRequest, "MalformedTrailerError",
		"The request contained trailing data that was not well-formed or did not conform to our published schema.")
)

const (
	// maxLine bounds a chunk's header and a trailer: a size, a signature, a checksum.
	maxLine        = 512
	chunkSignature = ";chunk-signature="
	trailerSigned  = "x-amz-trailer-signature"
)

// chunked reads a body of aws-chunked framing:
//
//	size;chunk-signature=...\r\n data \r\n
//	...
//	0;chunk-signature=...\r\n
//	x-amz-checksum-crc32c:...\r\n          with a trailer
//	x-amz-trailer-signature:...\r\n        with a signed trailer
//	\r\n
//
// Without signatures a chunk's header is its size alone.
type chunked struct {
	body   *bufio.Reader
	length int64        // the data still to come
	signer *chunkSigner // nil when chunks are not signed
	sum    *checksum    // nil when there is no trailer

	left int64  // of the current chunk
	mac  []byte // what the current chunk's header claims
	err  error  // why reading has ended
}

func newChunked(body io.Reader, length int64, signer *chunkSigner, sum *checksum) *chunked {
	return &chunked{body: bufio.NewReaderSize(body, 32<<10), length: length, signer: signer, sum: sum}
}

// Read implements io.Reader. Errors of the framing are *fault.Error.
func (c *chunked) Read(p []byte) (int, error) {
	if c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.body.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.signer != nil {
		c.signer.hash.Write(p[:n])
	}
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	switch {
	case err != nil:
		c.err = torn(err)
	case c.left == 0:
		c.err = c.endChunk()
	}
	return n, c.err
}

// next reads a chunk's header, and at the last one the rest of the body.
func (c *chunked) next() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, mac, signed := strings.Cut(line, chunkSignature)
	if signed != (c.signer != nil) {
		return errTorn
	}
	n, err := strconv.ParseUint(size, 16, 63)
	if err != nil {
		return errTorn
	}
	c.left, c.mac = int64(n), []byte(mac)
	c.length -= c.left
	if c.length < 0 {
		return errSize
	}
	if n > 0 {
		return nil
	}
	return c.finish()
}

// endChunk checks what follows a chunk's data.
func (c *chunked) endChunk() error {
	if err := c.blank(); err != nil {
		return err
	}
	return c.checkChunk()
}

func (c *chunked) checkChunk() error {
	if c.signer == nil {
		return nil
	}
	return c.signer.chunk(c.mac)
}

// finish checks the last chunk, the trailer, and that nothing follows. It returns
// io.EOF when all is well.
func (c *chunked) finish() error {
	if c.length != 0 {
		return errSize
	}
	if err := c.checkChunk(); err != nil {
		return err
	}
	if c.sum != nil {
		if err := c.trailer(); err != nil {
			return err
		}
	}
	if err := c.blank(); err != nil {
		return err
	}
	if _, err := c.body.ReadByte(); err != nil {
		return err // io.EOF, or an error of the connection
	}
	return errTorn
}

// trailer reads the checksum and, where chunks are signed, its signature.
func (c *chunked) trailer() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || !strings.EqualFold(name, c.sum.trailer) {
		return errTrailer
	}
	value = strings.TrimSpace(value)
	if c.signer != nil {
		if line, err = c.line(); err != nil {
			return err
		}
		name, mac, ok := strings.Cut(line, ":")
		if !ok || !strings.EqualFold(name, trailerSigned) {
			return errTrailer
		}
		if err := c.signer.trailer(c.sum.trailer+":"+value+"\n", []byte(strings.TrimSpace(mac))); err != nil {
			return err
		}
	}
	return c.sum.check(value)
}

// line reads up to \r\n and returns what is before it.
func (c *chunked) line() (string, error) {
	line, err := c.body.ReadSlice('\n')
	if err != nil {
		return "", torn(err)
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || len(line) > maxLine {
		return "", errTorn
	}
	return string(line), nil
}

// blank reads a line that must have nothing in it.
func (c *chunked) blank() error {
	line, err := c.line()
	if err == nil && line != "" {
		return errTorn
	}
	return err
}

// torn is what a body that ends inside a chunk is answered with; an error of the
// connection stays itself.
func torn(err error) error {
	if err == io.EOF || err == bufio.ErrBufferFull || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

// chunkSigner computes the signatures of chunks: each covers the one before it, the
// first the request's.
type chunkSigner struct {
	key          [sha256.Size]byte
	stamp, scope string
	previous     []byte
	hash         hash.Hash // of the current chunk's data
}

// emptySum is the SHA-256 of nothing, in the place of a chunk's headers.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunk checks the signature of the data written to hash, and starts the next.
func (c *chunkSigner) chunk(mac []byte) error {
	b := c.header("AWS4-HMAC-SHA256-PAYLOAD")
	b = append(b, emptySum+"\n"...)
	b = hex.AppendEncode(b, c.hash.Sum(nil))
	c.hash.Reset()
	return c.check(b, mac)
}

// trailer checks the signature of the trailer, a canonical header.
func (c *chunkSigner) trailer(canonical string, mac []byte) error {
	sum := sha256.Sum256([]byte(canonical))
	return c.check(hex.AppendEncode(c.header("AWS4-HMAC-SHA256-TRAILER"), sum[:]), mac)
}

func (c *chunkSigner) header(kind string) []byte {
	b := make([]byte, 0, 512)
	b = append(append(b, kind...), '\n')
	b = append(append(b, c.stamp...), '\n')
	b = append(append(b, c.scope...), '\n')
	return append(append(b, c.previous...), '\n')
}

func (c *chunkSigner) check(toSign, mac []byte) error {
	sum := sign(c.key[:], toSign)
	want := hex.AppendEncode(nil, sum[:])
	if subtle.ConstantTimeCompare(want, mac) != 1 {
		return (&Refusal{Reason: Mismatch}).Fault(S3)
	}
	c.previous = want
	return nil
}
