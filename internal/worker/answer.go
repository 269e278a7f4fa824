package worker

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// header reads a frame's header: its kind and the length of its body, which may
// be over every limit.
func (e *Environment) header() (frame.Kind, int, error) {
	h, err := e.m.r.Peek(frame.HeaderLen)
	if err != nil {
		if err == io.EOF && len(h) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, 0, err
	}
	kind, n := frame.Kind(h[0]), int(binary.LittleEndian.Uint32(h[4:]))
	if h[1]|h[2]|h[3] != 0 {
		return 0, 0, errProtocol("sent what is no frame")
	}
	_, err = e.m.r.Discard(frame.HeaderLen)
	return kind, n, err
}

// body reads a body of n bytes, which the caller has found small enough, into
// memory of its own.
func (e *Environment) body(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(e.m.r, b); err != nil {
		return nil, midway(err)
	}
	return b, nil
}

func midway(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// receive reads the answer to a call.
func (e *Environment) receive(c *Call, out *Outcome) error {
	kind, n, err := e.header()
	if err != nil {
		return err
	}
	switch kind {
	case frame.Result, frame.Failed, frame.Begin:
	default:
		return errProtocol(fmt.Sprintf("sent a %q frame instead of an answer", byte(kind)))
	}
	if n < frame.IDLen {
		return errProtocol("sent an answer without a request id")
	}
	if n > frame.IDLen+maxResponse {
		return e.oversized(n)
	}
	b, err := e.body(n)
	if err != nil {
		return err
	}
	if string(b[:frame.IDLen]) != c.ID {
		return errProtocol("answered another request")
	}
	switch b = b[frame.IDLen:]; kind {
	case frame.Failed:
		return thrown(b, statusError)
	case frame.Begin:
		return e.receiveStream(c, b, out)
	}
	if c.Stream == nil {
		out.Payload = b
		return nil
	}
	out.Streamed = true
	s := sink{stream: c.Stream}
	s.begin("application/json")
	s.write(b)
	s.flush()
	return nil
}

// oversized passes over an answer that is too large, if that ends some day.
func (e *Environment) oversized(n int) error {
	if n > maxDiscard {
		e.kill()
		return errTooLarge()
	}
	if _, err := e.m.r.Discard(n); err != nil {
		return midway(err)
	}
	return errTooLarge()
}

// receiveStream reads a streamed answer to its end.
func (e *Environment) receiveStream(c *Call, begin []byte, out *Outcome) error {
	var b frame.BeginBody
	if len(begin) > 0 {
		if err := json.Unmarshal(begin, &b); err != nil {
			return errProtocol("began a stream that can't be read")
		}
	}
	to, limit := sink{stream: c.Stream}, maxStream
	if c.Stream == nil {
		limit = maxResponse
	}
	out.Streamed = c.Stream != nil
	to.begin(b.ContentType)
	for size := 0; ; {
		kind, n, err := e.header()
		if err != nil {
			return midway(err)
		}
		if n > frame.MaxChunk {
			return errProtocol("sent a chunk over the limit")
		}
		if cap(e.buf) < n {
			e.buf = make([]byte, frame.MaxChunk)
		}
		chunk := e.buf[:n]
		if _, err := io.ReadFull(e.m.r, chunk); err != nil {
			return midway(err)
		}
		switch {
		case kind == frame.End && n == 0:
			to.flush()
			out.Payload = to.buffered
			return nil
		case kind == frame.End:
			return thrown(append([]byte(nil), chunk...), statusError)
		case kind != frame.Chunk:
			return errProtocol(fmt.Sprintf("sent a %q frame in a stream", byte(kind)))
		}
		if size += n; size > limit {
			e.kill()
			return errTooLarge()
		}
		to.write(chunk)
		if e.m.r.Buffered() == 0 {
			to.flush()
		}
	}
}

// sink passes a stream on until its receiver fails, or keeps it when there is
// none.
type sink struct {
	stream   Stream
	err      error
	buffered []byte
}

func (s *sink) begin(contentType string) {
	if s.stream != nil {
		s.err = s.stream.Begin(contentType)
	}
}

func (s *sink) write(b []byte) {
	switch {
	case s.stream == nil:
		s.buffered = append(s.buffered, b...)
	case s.err == nil:
		_, s.err = s.stream.Write(b)
	}
}

func (s *sink) flush() {
	if s.stream != nil && s.err == nil {
		s.err = s.stream.Flush()
	}
}
