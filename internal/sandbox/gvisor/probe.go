package gvisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

const (
	probeTimeout = 10 * time.Second
	// kvmTimeout is short: KVM is quick, or it hangs, which it does on some
	// nested hosts whose /dev/kvm opens and makes machines.
	kvmTimeout = 2 * time.Second
)

// choosePlatform takes the first platform that runs a sandbox here.
func (d *Driver) choosePlatform(ctx context.Context) error {
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err == nil {
		f.Close()
		if d.tryPlatform(ctx, "kvm", kvmTimeout) == nil {
			return nil
		}
	}
	return d.tryPlatform(ctx, "systrap", probeTimeout)
}

func (d *Driver) tryPlatform(ctx context.Context, platform string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d.setup.Platform = platform
	l, err := d.startLauncher(ctx)
	if err != nil {
		return err
	}
	// A sandbox that hangs ends with its launcher, and every wait with it.
	stop := context.AfterFunc(ctx, l.Kill)
	err = d.prove(ctx, l)
	stop()
	if err != nil {
		l.Close()
		return err
	}
	d.launcher = l
	return nil
}

func (d *Driver) startLauncher(ctx context.Context) (*launch.Launcher, error) {
	return launch.New(ctx, launch.Config{
		Exe: d.cfg.Exe, Name: launch.LauncherName, Setup: d.setup, Log: d.cfg.Log,
		// The variable keeps runsc from looking for other binaries.
		Env: []string{"GVISOR_SIDECAR_BINARIES_DIR=/proc/none", "PATH=/usr/bin:/bin"},
	})
}

// prove runs this binary in a sandbox, where it answers on the control socket.
func (d *Driver) prove(ctx context.Context, l *launch.Launcher) error {
	exe, err := filepath.EvalSymlinks(d.cfg.Exe)
	if err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
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
