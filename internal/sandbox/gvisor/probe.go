package gvisor

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

const (
	probeAnswer  = "alive"
	probeTimeout = 10 * time.Second
)

// prove runs a sandbox with this binary in it, which answers on its control
// socket.
func (d *Driver) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	exe, err := filepath.EvalSymlinks(d.cfg.Exe)
	if err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
	const inside = "/var/runtime/" + probeName
	g, err := d.start(ctx, sandbox.Spec{
		ID: "probe", Args: []string{inside}, Dir: "/",
		Mounts: []sandbox.Mount{{Host: exe, Inside: inside}},
	})
	if err != nil {
		return err
	}
	defer g.Close()
	stop := context.AfterFunc(ctx, g.Kill)
	defer stop()
	b, err := io.ReadAll(io.LimitReader(g.Conn(), 64))
	if err != nil {
		return fmt.Errorf("read answer of probe: %w", err)
	}
	if string(b) != probeAnswer {
		said, _ := os.ReadFile(os.DevNull)
		return fmt.Errorf("probe answered %q %q", b, said)
	}
	return nil
}
