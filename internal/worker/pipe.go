package worker

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxDrain bounds what is read from a pipe at the end of a call: code that
// writes without end keeps nobody waiting.
const maxDrain = 1 << 20

// pipe reads one of a sandbox's log pipes. Two readers share it: a goroutine
// that waits until there is something, and drain, which takes what is there
// without waiting. What the code wrote before its answer is in the pipe when the
// answer arrives, so a drain then gives the call all its lines and no others.
//
// Drain must not wait for the goroutine's read lock on the descriptor, so it
// reads by Control, which takes none.
type pipe struct {
	raw     syscall.RawConn
	journal *journal
	framed  bool // telemetry frames, not lines

	mu   sync.Mutex
	buf  []byte // an unfinished line or frame
	skip int    // bytes of an oversized frame still to pass over

	drainFn func(fd uintptr)
	drained int
}

var readBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

func newPipe(f *os.File, j *journal, framed bool) (*pipe, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &pipe{raw: raw, journal: j, framed: framed}
	p.drainFn = func(fd uintptr) {
		for p.drained < maxDrain {
			n := p.read(fd)
			if n <= 0 {
				return
			}
			p.drained += n
		}
	}
	return p, nil
}

// wait reads until the pipe ends.
func (p *pipe) wait() {
	for {
		p.journal.waitRoom()
		n := 0
		err := p.raw.Read(func(fd uintptr) bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			n = p.read(fd)
			return n != -int(syscall.EAGAIN)
		})
		if err != nil || n <= 0 {
			return
		}
	}
}

// drain takes what is in the pipe now and ends its last line.
func (p *pipe) drain() {
	p.mu.Lock()
	p.drained = 0
	_ = p.raw.Control(p.drainFn) // a closed pipe has nothing left
	if !p.framed && len(p.buf) > 0 {
		p.emit(time.Now(), p.buf)
		p.buf = p.buf[:0]
	}
	p.mu.Unlock()
}

// read reads once. It returns the count, 0 at the end, or a negative errno.
func (p *pipe) read(fd uintptr) int {
	b := readBuffers.Get().(*[]byte)
	defer readBuffers.Put(b)
	for {
		n, err := syscall.Read(int(fd), *b)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			if e, ok := err.(syscall.Errno); ok {
				return -int(e)
			}
			return -1
		case n > 0 && p.framed:
			p.splitTelemetry((*b)[:n])
		case n > 0:
			p.splitLines((*b)[:n])
		}
		return n
	}
}

func (p *pipe) emit(at time.Time, line []byte) {
	if len(line) > 0 {
		p.journal.line(at, string(line))
	}
}

// splitLines makes an event of each line: what is written to standard output
// and standard error.
func (p *pipe) splitLines(b []byte) {
	now := time.Now()
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			i = len(b)
		}
		if n := len(p.buf) + i; n >= maxLine { // too long for one event: cut it
			cut := maxLine - len(p.buf)
			p.emit(now, append(p.buf, b[:cut]...))
			p.buf, b = p.buf[:0], b[cut:]
			continue
		}
		if i == len(b) {
			p.buf = append(p.buf, b...)
			return
		}
		if len(p.buf) > 0 {
			p.emit(now, append(p.buf, b[:i]...))
			p.buf = p.buf[:0]
		} else {
			p.emit(now, b[:i])
		}
		b = b[i+1:]
	}
}

// The telemetry descriptor carries framed events, which may have many lines:
//
//	4 bytes type 0xa55a00xx | 4 bytes length | 8 bytes time, µs | text
//
// all big-endian. The type's lowest bit is set for text, the next one always,
// and the three above are the level. This is what AWS's runtime clients write
// when _LAMBDA_TELEMETRY_LOG_FD is set.
const (
	telemetryMagic  = 0xa55a0000
	telemetryHeader = 16
)

// splitTelemetry makes an event of each frame. Garbage is taken as lines.
func (p *pipe) splitTelemetry(b []byte) {
	for len(b) > 0 {
		if p.skip > 0 {
			n := min(p.skip, len(b))
			p.skip, b = p.skip-n, b[n:]
			continue
		}
		if need := telemetryHeader - len(p.buf); need > 0 {
			n := min(need, len(b))
			p.buf, b = append(p.buf, b[:n]...), b[n:]
			if n < need {
				return
			}
		}
		size, ok := telemetrySize(p.buf)
		if !ok {
			p.emit(time.Now(), bytes.TrimRight(p.buf, "\n"))
			p.buf = p.buf[:0]
			continue
		}
		n := min(telemetryHeader+min(size, maxLine)-len(p.buf), len(b))
		p.buf, b = append(p.buf, b[:n]...), b[n:]
		if len(p.buf) < telemetryHeader+min(size, maxLine) {
			return
		}
		p.emit(telemetryTime(p.buf), bytes.TrimSuffix(p.buf[telemetryHeader:], []byte("\n")))
		p.buf, p.skip = p.buf[:0], max(0, size-maxLine)
	}
}

func telemetrySize(h []byte) (int, bool) {
	kind, size := binary.BigEndian.Uint32(h), binary.BigEndian.Uint32(h[4:])
	return int(size), kind&^0xff == telemetryMagic && kind&2 != 0 && size < 1<<30
}

// telemetryTime is the frame's own time, unless that is not near now: the
// clock inside is the code's to set.
func telemetryTime(h []byte) time.Time {
	now := time.Now()
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(h[8:])))
	if d := now.Sub(at); d > time.Minute || d < -time.Second {
		return now
	}
	return at
}
