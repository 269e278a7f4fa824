package guest

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// maxLine bounds a log line handed to subscribers; longer ones come in pieces.
const maxLine = 256 << 10

// logPipe is where a child writes its logs to.
type logPipe struct {
	w    *os.File
	mine bool // w is a pipe of its own
}

// closeWrite closes this end of the pipe once the child has it.
func (l logPipe) closeWrite() {
	if l.mine {
		_ = l.w.Close() // a pipe: nothing is lost
	}
}

// logs gives a child its log descriptor. Without extensions that is the
// sandbox's own output; with them, lines pass through here to be handed to
// subscribers too.
func (a *Agent) logs(source string) (logPipe, error) {
	if len(a.init.Extensions) == 0 {
		return logPipe{w: a.cfg.Output}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return logPipe{}, fmt.Errorf("make log pipe: %w", err)
	}
	a.pipes = append(a.pipes, r)
	a.tasks.Go(func() {
		defer r.Close()
		a.copyLogs(r, source)
	})
	return logPipe{w, true}, nil
}

// copyLogs passes on what is written to r, and splits it into lines.
func (a *Agent) copyLogs(r *os.File, source string) {
	buf := make([]byte, 32<<10)
	var line []byte
	for {
		n, err := r.Read(buf)
		_, _ = a.cfg.Output.Write(buf[:n]) // without the worker there is nobody to tell
		for rest := buf[:n]; len(rest) > 0; {
			piece, after, whole := bytes.Cut(rest, []byte{'\n'})
			line, rest = append(line, piece...), after
			if whole || len(line) >= maxLine {
				a.events.line(source, string(line))
				line = line[:0]
			}
		}
		if err != nil {
			if len(line) > 0 {
				a.events.line(source, string(line))
			}
			return
		}
	}
}

// drainLogs lets what was written come through, and ends the copying.
func (a *Agent) drainLogs() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.pipes {
		_ = r.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // closed already, where it fails
	}
}
