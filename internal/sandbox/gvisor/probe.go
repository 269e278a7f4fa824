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

// gVisor's platforms.
const (
	kvm     = "kvm"
	systrap = "systrap"
)

const (
	probeTimeout = 10 * time.Second
	// kvmTimeout is short: KVM is quick, or it hangs, which it does on some
	// nested hosts whose /dev/kvm opens and makes machines.
	kvmTimeout = 500 * time.Millisecond
)

// choosePlatform takes KVM where it runs a sandbox, else systrap. What was found
// to work is remembered until the machine boots or the program changes.
func (d *Driver) choosePlatform(ctx context.Context) error {
	found := verdict{file: d.cfg.Verdict, exe: d.cfg.Exe}
	if platform := found.read(); platform != "" {
		d.setup.Platform = platform
		if l, err := d.startLauncher(ctx, platform); err == nil {
			d.launcher = l
			return nil
		}
	}
	platform, l, err := d.proveBest(ctx)
	if err != nil {
		return err
	}
	d.setup.Platform, d.launcher = platform, l
	if err := found.write(platform); err != nil {
		d.cfg.Log.Warn("what isolation works will be found out again at the next start", "error", err)
	}
	return nil
}

// proveBest proves both platforms at the same time, and keeps the better one's
// launcher.
func (d *Driver) proveBest(ctx context.Context) (string, *launch.Launcher, error) {
	type proof struct {
		launcher *launch.Launcher
		err      error
	}
	try := func(platform string, timeout time.Duration) <-chan proof {
		c := make(chan proof, 1)
		go func() {
			l, err := d.tryPlatform(ctx, platform, timeout)
			c <- proof{l, err}
		}()
		return c
	}
	plain := try(systrap, probeTimeout)
	virtual := proof{err: errors.New("no /dev/kvm")}
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err == nil {
		f.Close()
		virtual = <-try(kvm, kvmTimeout)
	}
	p := <-plain
	if virtual.err != nil {
		return systrap, p.launcher, p.err
	}
	if p.err == nil {
		p.launcher.Close()
	}
	return kvm, virtual.launcher, nil
}

func (d *Driver) tryPlatform(ctx context.Context, platform string, timeout time.Duration) (*launch.Launcher, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	l, err := d.startLauncher(ctx, platform)
	if err != nil {
		return nil, err
	}
	// A sandbox that hangs ends with its launcher, and every wait with it.
	stop := context.AfterFunc(ctx, l.Kill)
	err = d.prove(ctx, l, platform)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (d *Driver) startLauncher(ctx context.Context, platform string) (*launch.Launcher, error) {
	setup := d.setup
	setup.Platform = platform
	return launch.New(ctx, launch.Config{
		Exe: d.cfg.Exe, Name: launch.LauncherName, Setup: setup, Log: d.cfg.Log,
		// The variable keeps runsc from looking for other binaries.
		Env: []string{"GVISOR_SIDECAR_BINARIES_DIR=/proc/none", "PATH=/usr/bin:/bin"},
	})
}

// prove runs the driver's own program in a sandbox, where it answers on the
// control socket.
func (d *Driver) prove(ctx context.Context, l *launch.Launcher, platform string) error {
	exe, err := filepath.EvalSymlinks(d.cfg.Exe)
	if err != nil {
		return fmt.Errorf("find sandbox program: %w", err)
	}
	const inside = "/var/runtime/" + launch.ProbeName
	g := newGuest("probe-"+platform, d, l)
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
