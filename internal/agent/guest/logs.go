package guest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// maxLine bounds a log line handed to subscribers; longer ones come in pieces.
	maxLine = 256 << 10
	// maxDrain bounds what is read at the end of a call: code that writes without
	// end keeps nobody waiting.
	maxDrain = 1 << 20
	// frameHead is the head of a log frame: 4 bytes that mark it, 4 of length and
	// 8 of time, big-endian.
	frameHead = 16
)

// logPipe carries the logs of a child through the agent, so that subscribers
// get them too. Its reader and drain share it: what a child wrote before it
// answered reaches the worker before the answer does.
type logPipe struct {
	source string
	framed bool // log frames, not lines
	events *events
	r, to  *os.File
	raw    syscall.RawConn

	mu   sync.Mutex
	buf  []byte
	rest []byte // an unfinished line or frame
	skip int    // bytes of a frame that is too long
}

// logs gives a child the descriptor for its logs, which end at to. Without
// extensions that is to itself. The caller closes it where mine is true.
func (a *Agent) logs(source string, to *os.File, framed bool) (w *os.File, mine bool, err error) {
	if len(a.init.Extensions) == 0 || to == nil {
		return to, false, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, false, fmt.Errorf("make log pipe: %w", err)
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return nil, false, fmt.Errorf("open log pipe: %w", err)
	}
	p := &logPipe{source: source, framed: framed, events: a.events, r: r, to: to, raw: raw, buf: make([]byte, 32<<10)}
	a.pipes = append(a.pipes, p)
	a.tasks.Go(p.copy)
	return w, true, nil
}

// copy passes on what is written until the pipe ends.
func (p *logPipe) copy() {
	defer p.r.Close()
	for {
		n := 0
		err := p.raw.Read(func(fd uintptr) bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			n = p.read(fd)
			return n >= 0
		})
		if err != nil || n == 0 {
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.rest) > 0 && !p.framed {
				p.events.line(p.source, string(p.rest))
			}
			return
		}
	}
}

// drain passes on what is in the pipe now.
func (p *logPipe) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.raw.Control(func(fd uintptr) { // a closed pipe has nothing left
		for done := 0; done < maxDrain; {
			n := p.read(fd)
			if n <= 0 {
				return
			}
			done += n
		}
	})
}

// end lets what was written come through, and ends the copying.
func (p *logPipe) end() {
	_ = p.r.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // closed already, where it fails
}

// read passes on what one read gives: 0 is the end, -1 that there is nothing now.
func (p *logPipe) read(fd uintptr) int {
	for {
		n, err := syscall.Read(int(fd), p.buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return -1
		case err != nil || n <= 0:
			return 0
		}
		_, _ = p.to.Write(p.buf[:n]) // without the worker there is nobody to tell
		if p.framed {
			p.splitFrames(p.buf[:n])
		} else {
			p.splitLines(p.buf[:n])
		}
		return n
	}
}

func (p *logPipe) splitLines(b []byte) {
	for len(b) > 0 {
		line, after, whole := bytes.Cut(b, []byte{'\n'})
		p.rest, b = append(p.rest, line...), after
		if whole || len(p.rest) >= maxLine {
			p.events.line(p.source, string(p.rest))
			p.rest = p.rest[:0]
		}
	}
}

func (p *logPipe) splitFrames(b []byte) {
	n := min(p.skip, len(b))
	p.skip -= n
	p.rest = append(p.rest, b[n:]...)
	for len(p.rest) >= frameHead {
		size := int(binary.BigEndian.Uint32(p.rest[4:]))
		if size > maxLine {
			p.skip = max(0, size-(len(p.rest)-frameHead))
			p.rest = p.rest[min(len(p.rest), frameHead+size):]
			continue
		}
		if len(p.rest) < frameHead+size {
			return
		}
		p.events.line(p.source, string(p.rest[frameHead:frameHead+size]))
		p.rest = append(p.rest[:0], p.rest[frameHead+size:]...)
	}
}

// drainLogs passes on what the children have written so far.
func (a *Agent) drainLogs() {
	for _, p := range a.pipes {
		p.drain()
	}
}
