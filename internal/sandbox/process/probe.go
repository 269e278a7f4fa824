package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

const probeTimeout = 10 * time.Second

// prove runs this binary in a sandbox, where it answers on the control socket.
func (d *Driver) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	exe, err := filepath.EvalSymlinks(d.cfg.Exe)
	if err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
	l, err := d.use(ctx)
	if err != nil {
		return err
	}
	// A sandbox that hangs ends with its launcher, and every wait with it.
	stop := context.AfterFunc(ctx, l.Kill)
	defer stop()
	const inside = "/var/runtime/" + launch.ProbeName
	g := newGuest("probe", d, l)
	err = g.start(ctx, sandbox.Spec{
		ID: g.id, Args: []string{inside}, Dir: "/",
		Mounts: []sandbox.Mount{{Host: exe, Inside: inside}},
	})
	if err != nil {
		return errors.Join(err, g.release())
	}
	said, err := io.ReadAll(io.LimitReader(g.Conn(), 64))
	if err := errors.Join(err, g.Close()); err != nil {
		return fmt.Errorf("run probe: %w", err)
	}
	if string(said) != launch.ProbeAnswer {
		return fmt.Errorf("probe answered %q, exit %+v", said, g.Exit())
	}
	return nil
}
