package process

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

// start makes what a sandbox needs of its node, then has the launcher start it.
// After an error the caller releases what was made.
func (g *guest) start(ctx context.Context, s sandbox.Spec) error {
	q := &launch.Start{
		Args: s.Args, Env: s.Env, Dir: s.Dir, TmpBytes: s.TmpBytes,
		Processes: s.Limits.Processes, OpenFiles: s.Limits.OpenFiles,
	}
	for _, m := range s.Mounts {
		q.Mounts = append(q.Mounts, launch.Bind(m))
	}
	if err := g.confine(q, s.Limits); err != nil {
		return err
	}
	if s.Network && g.driver.cfg.Network != nil {
		var err error
		if g.net, err = g.driver.cfg.Network.Take(ctx); err != nil {
			return err
		}
		q.Network = true
	}
	w, theirs, err := launch.NewWires()
	if err != nil {
		return err
	}
	g.Wires = w
	defer launch.Close(theirs)
	files := theirs
	if g.net != nil {
		files = append(files, g.net.File())
	}
	return g.launch(ctx, q, files)
}

// confine makes the cgroup.
func (g *guest) confine(q *launch.Start, l sandbox.Limits) error {
	if g.driver.cfg.Cgroups == nil {
		return nil
	}
	group, err := g.driver.cfg.Cgroups.Group(g.id)
	if err != nil {
		return err
	}
	g.group, q.Procs = group, group.Procs()
	return g.limit(l)
}

// launch has the launcher start the sandbox, with files.
func (g *guest) launch(ctx context.Context, q *launch.Start, files []*os.File) error {
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	c, err := g.launcher.Call(launch.Request{ID: g.id, Start: q}, g.ended, fds...)
	if err != nil {
		return err
	}
	select {
	case r := <-c:
		return g.launched(r)
	case <-ctx.Done():
	}
	if _, err := g.launcher.Call(launch.Request{ID: g.id, Abandon: true}, nil); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if err := g.launched(<-c); err == nil {
		g.Kill()
		<-g.done
	}
	return ctx.Err()
}

// launched takes in the launcher's answer to a start.
func (g *guest) launched(r launch.Reply) error {
	if r.Err == nil && len(r.Files) != 1 {
		launch.Close(r.Files)
		r.Err = errors.New("launcher sent no pidfd")
	}
	if r.Err != nil {
		g.launcher.Forget(g.id)
		return r.Err
	}
	g.pidfd = r.Files[0]
	g.pid = pidOf(g.pidfd)
	return nil
}

// limit sets what can be changed while the sandbox runs.
func (g *guest) limit(l sandbox.Limits) error {
	if g.group == nil {
		return nil
	}
	err := errors.Join(g.group.SetMemory(l.MemoryBytes), g.group.SetCPU(l.CPUs), g.group.SetProcesses(l.Processes))
	if err != nil {
		return fmt.Errorf("limit sandbox: %w", err)
	}
	return nil
}
