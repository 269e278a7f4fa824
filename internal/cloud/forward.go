package cloud

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits of a forwarder: an allowed port of the host serves at most this many
// connections of all sandboxes at once, and dials this long.
const (
	maxForwarded = 1024
	dialTimeout  = 10 * time.Second
)

// forward carries connections from l to the target until ctx ends.
func forward(ctx context.Context, l net.Listener, target string) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var conns errgroup.Group
	conns.SetLimit(maxForwarded)
	for {
		c, err := l.Accept()
		if err != nil {
			conns.Wait()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept for %s: %w", target, err)
		}
		if !conns.TryGo(func() error { splice(ctx, c, target); return nil }) {
			c.Close()
		}
	}
}

// splice joins c and a new connection to the target until both sides are done.
// A target that can't be reached shows as a connection that closes at once, as
// a refused one would.
func splice(ctx context.Context, c net.Conn, target string) {
	defer c.Close()
	d := net.Dialer{Timeout: dialTimeout}
	t, err := d.DialContext(ctx, "tcp", target)
	if err != nil {
		return
	}
	defer t.Close()
	stop := context.AfterFunc(ctx, func() { c.Close(); t.Close() })
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return copyHalf(t, c) })
	g.Go(func() error { return copyHalf(c, t) })
	g.Wait() // errors are the two sides' own business
}

// copyHalf copies one direction and passes on its end.
func copyHalf(dst, src net.Conn) error {
	_, err := io.Copy(dst, src)
	if half, ok := dst.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	return err
}
