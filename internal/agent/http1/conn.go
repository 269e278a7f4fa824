package http1

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// Limits of what is read, in bytes or pieces.
const (
	// MaxHead bounds the request line and headers. It is net/http's default,
	// which Lambda's own clients are made for: a runtime may send close to 1 MiB
	// of X-Ray error cause in a header.
	MaxHead = 1 << 20
	// MaxTrailers bounds the trailers of a chunked body.
	MaxTrailers = 512 << 10

	maxFields    = 64
	maxChunkLine = 256
	bufferSize   = 8 << 10
)

// Errors of a request that can't be understood. The connection can't be used
// further: answer once and close it.
var (
	ErrMalformed = errors.New("malformed request")
	ErrTooLarge  = errors.New("request over the limit")
)

// Conn reads requests from, and writes answers to, one connection. It is not
// safe for concurrent use. Byte slices it returns point into its buffer: those
// of the head are valid until the body is first read, all of them until Next.
type Conn struct {
	rw io.ReadWriter

	buf        []byte
	start, end int // what is read and not yet consumed

	req   Request
	body  body
	reply []byte
}

// NewConn serves HTTP on rw.
func NewConn(rw io.ReadWriter) *Conn {
	return &Conn{rw: rw, buf: make([]byte, bufferSize), body: body{done: true}}
}

// Next reads the head of the next request, after what is left of the body of
// the one before. It returns io.EOF when the connection ended between requests.
func (c *Conn) Next() (*Request, error) {
	if err := c.Discard(); err != nil {
		return nil, err
	}
	c.shrink()
	n, err := c.readHead(MaxHead)
	if err != nil {
		return nil, err
	}
	head := c.buf[c.start : c.start+n]
	c.start += n
	if err := c.req.parse(head); err != nil {
		return nil, err
	}
	c.body, err = newBody(&c.req)
	return &c.req, err
}

// Reply writes an answer, in one write unless the body is large.
func (c *Conn) Reply(status int, contentType string, body []byte) error {
	b := AppendStatus(c.reply[:0], status)
	b = AppendField(b, "Content-Type", contentType)
	return c.ReplyHead(b, body)
}

// ReplyHead writes an answer of a head, which AppendStatus and AppendField
// began, and a body. The head's buffer is kept for later answers.
func (c *Conn) ReplyHead(head, body []byte) error {
	head = append(head, "Content-Length: "...)
	head = strconv.AppendInt(head, int64(len(body)), 10)
	if c.req.Close {
		head = append(head, "\r\nConnection: close"...)
	}
	head = append(head, "\r\n\r\n"...)
	large := len(body) > bufferSize
	if !large {
		head = append(head, body...)
	}
	c.reply = head[:0]
	if _, err := c.rw.Write(head); err != nil {
		return err
	}
	if large {
		_, err := c.rw.Write(body)
		return err
	}
	return nil
}

// Head gives the buffer to begin an answer's head in.
func (c *Conn) Head(status int) []byte { return AppendStatus(c.reply[:0], status) }

// readHead reads until the buffer holds a blank line, and returns the length
// of everything up to and including it.
func (c *Conn) readHead(limit int) (int, error) {
	scanned := 0
	for {
		have := c.buf[c.start:c.end]
		from := max(0, scanned-3)
		if i := bytes.Index(have[from:], []byte("\r\n\r\n")); i >= 0 {
			return from + i + 4, nil
		}
		if scanned = len(have); scanned >= limit {
			return 0, ErrTooLarge
		}
		if err := c.fill(); err != nil {
			if err == io.EOF && scanned > 0 {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
}

// fill reads more into the buffer, which it makes room in first.
func (c *Conn) fill() error {
	if c.start == c.end {
		c.start, c.end = 0, 0
	}
	if c.end == len(c.buf) {
		to := c.buf
		if c.start == 0 {
			to = make([]byte, 2*len(c.buf))
		}
		c.end = copy(to, c.buf[c.start:c.end])
		c.start, c.buf = 0, to
	}
	for range 8 {
		n, err := c.rw.Read(c.buf[c.end:])
		if c.end += n; n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// shrink gives back the memory of a large head.
func (c *Conn) shrink() {
	if len(c.buf) > 8*bufferSize && c.end-c.start <= bufferSize {
		b := make([]byte, bufferSize)
		c.end = copy(b, c.buf[c.start:c.end])
		c.start, c.buf = 0, b
	}
	if cap(c.reply) > 8*bufferSize {
		c.reply = nil
	}
}
