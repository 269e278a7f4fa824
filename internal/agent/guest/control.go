package guest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// keepBuffer bounds the buffers kept from one call to the next.
const keepBuffer = 256 << 10

// control is the control socket. One goroutine at a time reads it (see
// Agent.turn); any may write.
type control struct {
	r *bufio.Reader
	w io.Writer

	mu  sync.Mutex // guards writes and out
	out []byte

	spareMu sync.Mutex
	spare   []byte
}

func newControl(rw io.ReadWriter) *control {
	return &control{r: bufio.NewReaderSize(rw, 16<<10), w: rw}
}

// read reads a frame. The body is the caller's until it gives it to recycle.
func (c *control) read() (frame.Kind, []byte, error) {
	c.spareMu.Lock()
	buf := c.spare
	c.spare = nil
	c.spareMu.Unlock()
	return frame.Read(c.r, buf)
}

// recycle takes back a frame's body.
func (c *control) recycle(buf []byte) {
	if cap(buf) > keepBuffer {
		return
	}
	c.spareMu.Lock()
	c.spare = buf[:0]
	c.spareMu.Unlock()
}

// send writes a frame, in one write.
func (c *control) send(k frame.Kind, parts ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = frame.Append(c.out[:0], k, parts...)
	_, err := c.w.Write(c.out)
	if cap(c.out) > keepBuffer {
		c.out = nil
	}
	if err != nil {
		return fmt.Errorf("write %q frame: %w", byte(k), err)
	}
	return nil
}

// sendJSON writes a frame with a JSON body after prefix.
func (c *control) sendJSON(k frame.Kind, prefix string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %q frame: %w", byte(k), err)
	}
	return c.send(k, []byte(prefix), body)
}

// sendBuilt writes a frame that is built already.
func (c *control) sendBuilt(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.w.Write(b); err != nil {
		return fmt.Errorf("write %q frame: %w", b[0], err)
	}
	return nil
}
