package node

import (
	"context"
	"errors"
	"os"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

// start makes what a sandbox needs of its node, then has the launcher start it.
// After an error the caller releases what was made.
func (g *Guest) start(ctx context.Context, s sandbox.Spec) error {
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
	w, theirs, err := newWires()
	if err != nil {
		return err
	}
	g.wires = w
	defer launch.Close(theirs)
	files := theirs
	if g.net != nil {
		files = append(files, g.net.File())
	}
	return g.launch(ctx, q, files)
}

// confine makes the cgroup.
func (g *Guest) confine(q *launch.Start, l sandbox.Limits) error {
	if g.driver.cfg.Cgroups == nil {
		return nil
	}
	group, err := g.driver.cfg.Cgroups.Group(g.id)
	if err != nil {
		return err
	}
	g.group, q.Procs = group, group.Procs()
	return g.Resize(l)
}

// launch has the launcher start the sandbox, with files.
func (g *Guest) launch(ctx context.Context, q *launch.Start, files []*os.File) error {
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	c, err := g.launcher.call(launch.Request{ID: g.id, Start: q}, g.ended, fds...)
	if err != nil {
		return err
	}
	select {
	case r := <-c:
		return g.launched(r)
	case <-ctx.Done():
	}
	if _, err := g.launcher.call(launch.Request{ID: g.id, Abandon: true}, nil); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if err := g.launched(<-c); err == nil {
		g.Kill()
		<-g.done
	}
	return ctx.Err()
}

// launched takes in the launcher's answer to a start.
func (g *Guest) launched(r reply) error {
	if r.err == nil && len(r.files) != 1 {
		launch.Close(r.files)
		r.err = errors.New("launcher sent no pidfd")
	}
	if r.err != nil {
		g.launcher.forget(g.id)
		return r.err
	}
	g.pidfd = r.files[0]
	return nil
}

// ended takes in that the program has, and the sandbox with it.
func (g *Guest) ended(e sandbox.Exit) {
	g.last = g.measure()
	g.exit = e
	g.exit.OutOfMemory = g.group != nil && g.group.OutOfMemory()
	close(g.done)
}
