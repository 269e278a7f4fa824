package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// maxMessage is what a message's length, of two bytes, can say.
const maxMessage = 1<<16 - 1

// acceptPause is how long connections rest when the node has no descriptors left.
const acceptPause = 50 * time.Millisecond

func (r *Resolver) serveStreams(ctx context.Context) error {
	for {
		c, err := r.streams.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close()
			}
			return nil
		case errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE):
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		case err != nil:
			return fmt.Errorf("accept query: %w", err)
		}
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
		if !r.connected.take(from) {
			c.Close()
			continue
		}
		r.work.Go(func() {
			defer r.connected.give(from)
			defer c.Close()
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			for r.serveStream(ctx, c, from) == nil {
			}
		})
	}
}

// serveStream answers one query. Errors are the sandbox's own business.
func (r *Resolver) serveStream(ctx context.Context, c net.Conn, from netip.Addr) error {
	if err := c.SetDeadline(time.Now().Add(streamIdle)); err != nil {
		return err
	}
	b, err := readMessage(c, maxQuery)
	if err != nil {
		return err
	}
	q, ok := readQuery(b)
	if !ok {
		return errors.New("not a query")
	}
	answered := make(chan answer, 1)
	r.begin(ctx, q, from, func(a answer) { answered <- a })
	return writeMessage(c, (<-answered).pack(q, maxMessage))
}

// readMessage reads one message behind its length.
func readMessage(c io.Reader, limit int) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	n := int(binary.BigEndian.Uint16(size[:]))
	if n > limit {
		return nil, fmt.Errorf("read message: %d bytes are over the limit of %d", n, limit)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	return b, nil
}

func writeMessage(c io.Writer, b []byte) error {
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}
