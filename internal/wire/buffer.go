package wire

import (
	"net/http"
	"strconv"
	"sync"
)

// buffer is a pooled byte slice that bodies are encoded into.
type buffer struct{ b []byte }

// maxPooled is the largest buffer kept: one large answer should not stay in
// memory for good.
const maxPooled = 1 << 20

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 1024)} }}

func getBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) free() {
	if cap(b.b) <= maxPooled {
		b.b = b.b[:0]
		buffers.Put(b)
	}
}

// setLength announces the body's length, unless the output bound the header itself:
// S3's HeadObject tells the length of a body that it does not send.
func setLength(h http.Header, status, n int) {
	if status != http.StatusNoContent && h["Content-Length"] == nil {
		h.Set("Content-Length", strconv.Itoa(n))
	}
}

// setRequestID sets the header that names the request in the protocol's way.
func setRequestID(h http.Header, p Protocol, id string) {
	if p == RestXML {
		h.Set("X-Amz-Request-Id", id)
		return
	}
	h.Set("X-Amzn-Requestid", id)
}
