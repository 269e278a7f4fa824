package http1

import (
	"bytes"
	"errors"
	"io"
)

// maxDiscard bounds how much of an unwanted body is read to keep a connection.
const maxDiscard = 64 << 20

// body is what is left to read of a request's body.
type body struct {
	left     int64 // of the body, or of the current chunk
	chunked  bool
	begun    bool // chunked: a chunk was read, so its line end is due
	expect   bool // the client waits for 100 Continue
	done     bool
	trailers []field
}

// newBody finds how the request's body is delimited. A request with both
// delimiters, or with one twice, is refused: it could mean two things.
func newBody(r *Request) (body, error) {
	b := body{done: true}
	lengths, codings := 0, 0
	for i := range r.n {
		f := r.fields[i]
		switch {
		case equalFold(f.name, "Content-Length"):
			n, ok := parseUint(f.value, 10)
			if !ok {
				return b, ErrMalformed
			}
			lengths++
			b.left, b.done = n, n == 0
		case equalFold(f.name, "Transfer-Encoding"):
			if !equalFold(f.value, "chunked") {
				return b, ErrMalformed
			}
			codings++
			b.chunked, b.done = true, false
		case equalFold(f.name, "Expect"):
			b.expect = equalFold(f.value, "100-continue")
		}
	}
	if lengths+codings > 1 {
		return b, ErrMalformed
	}
	return b, nil
}

// Read reads from the request's body. It returns io.EOF at its end, after the
// trailers, and io.ErrUnexpectedEOF when the connection ended before.
func (c *Conn) Read(p []byte) (int, error) {
	b := &c.body
	if b.expect && !b.done {
		b.expect = false
		if c.start == c.end {
			if _, err := io.WriteString(c.rw, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
				return 0, err
			}
		}
	}
	if b.chunked && b.left == 0 && !b.done {
		if err := c.nextChunk(); err != nil {
			return 0, noEOF(err)
		}
	}
	if b.done || len(p) == 0 {
		if b.done {
			return 0, io.EOF
		}
		return 0, nil
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := c.readRaw(p)
	if b.left -= int64(n); b.left == 0 && !b.chunked {
		b.done = true
	}
	return n, noEOF(err)
}

// ReadBody appends the whole body to dst. When the body is longer than limit it
// returns ErrTooLarge; what is left can still be discarded.
func (c *Conn) ReadBody(dst []byte, limit int) ([]byte, error) {
	begin := len(dst)
	for {
		if len(dst)-begin > limit {
			return dst, ErrTooLarge
		}
		if b := &c.body; !b.chunked && b.left > int64(limit-(len(dst)-begin)) {
			return dst, ErrTooLarge
		} else if need := min(b.left, int64(limit)) + 1; int64(cap(dst)-len(dst)) < need {
			dst = grow(dst, int(need))
		}
		n, err := c.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// Trailer gives the value of a trailer of the body just read, or nil.
func (c *Conn) Trailer(name string) []byte {
	for _, f := range c.body.trailers {
		if equalFold(f.name, name) {
			return f.value
		}
	}
	return nil
}

// Discard reads what is left of the body, within reason.
func (c *Conn) Discard() error {
	if c.body.done {
		return nil
	}
	if c.body.expect {
		return ErrMalformed // the body was never asked for, and will not come
	}
	p := make([]byte, 4<<10)
	for total := 0; total < maxDiscard; {
		n, err := c.Read(p)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		total += n
	}
	return ErrTooLarge
}

// nextChunk reads the line that begins a chunk; with the last one, the trailers.
func (c *Conn) nextChunk() error {
	b := &c.body
	if b.begun {
		if line, err := c.readLine(); err != nil {
			return err
		} else if len(line) > 0 {
			return ErrMalformed
		}
	}
	b.begun = true
	line, err := c.readLine()
	if err != nil {
		return err
	}
	size, _, _ := bytes.Cut(line, []byte{';'})
	n, ok := parseUint(trim(size), 16)
	if !ok {
		return ErrMalformed
	}
	if n > 0 {
		b.left = n
		return nil
	}
	b.done = true
	return c.readTrailers()
}

func (c *Conn) readTrailers() error {
	for c.end-c.start < 2 {
		if err := c.fill(); err != nil {
			return err
		}
	}
	if bytes.HasPrefix(c.buf[c.start:c.end], []byte("\r\n")) {
		c.start += 2
		return nil
	}
	n, err := c.readHead(MaxTrailers)
	if err != nil {
		return err
	}
	fs := make([]field, 8)
	k, err := parseFields(fs, c.buf[c.start:c.start+n])
	c.start += n
	c.body.trailers = fs[:k]
	return err
}

// readLine reads up to a line end, which it leaves out.
func (c *Conn) readLine() ([]byte, error) {
	for {
		have := c.buf[c.start:c.end]
		if i := bytes.Index(have, []byte("\r\n")); i >= 0 {
			c.start += i + 2
			return have[:i], nil
		}
		if len(have) > maxChunkLine {
			return nil, ErrMalformed
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// readRaw reads what is buffered, else straight from the connection.
func (c *Conn) readRaw(p []byte) (int, error) {
	if c.start == c.end && len(p) < bufferSize {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	if c.start < c.end {
		n := copy(p, c.buf[c.start:c.end])
		c.start += n
		return n, nil
	}
	return c.rw.Read(p)
}

// parseUint reads a number of at most 15 digits; signs are refused.
func parseUint(b []byte, base int64) (int64, bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		d := int64(99)
		switch c = lower(c); {
		case '0' <= c && c <= '9':
			d = int64(c - '0')
		case 'a' <= c && c <= 'f':
			d = int64(c-'a') + 10
		}
		if d >= base {
			return 0, false
		}
		n = n*base + d
	}
	return n, true
}

// grow makes room for need more bytes, at least doubling.
func grow(b []byte, need int) []byte {
	to := make([]byte, len(b), max(2*cap(b), len(b)+need, 1024))
	copy(to, b)
	return to
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
