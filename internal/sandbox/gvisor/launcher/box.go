package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/container"
	"gvisor.dev/gvisor/runsc/sandbox"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

var errAbandoned = errors.New("start given up")

// memoryName is what gVisor calls the file that is a guest's memory.
const memoryName = "runsc-memory"

// box is one sandbox, as its launcher sees it.
type box struct {
	id   string
	host *host

	dir       string // bundle, runsc's state and the root's mount
	conf      *config.Config
	container *container.Container
	kernel    *sandbox.Sandbox // the container's, which forgets it when it ends
	abandoned atomic.Bool
}

func (b *box) Start(q *launch.Start, files []*os.File) (*os.File, error) {
	b.dir = filepath.Join(b.host.Dir, b.id)
	if err := os.Mkdir(b.dir, 0o711); err != nil {
		return nil, fmt.Errorf("make bundle: %w", err)
	}
	if err := b.host.root.Mount(b.rootDir(), q.Mounts); err != nil {
		return nil, err
	}
	args := container.Args{
		ID:        b.id,
		Spec:      b.host.rules.spec(b, q, files),
		BundleDir: b.dir,
		Attached:  true,
		PassFiles: map[int]*os.File{
			1: files[launch.FileOutput], 2: files[launch.FileOutput],
			launch.ControlFD: files[launch.FileControl], launch.TelemetryFD: files[launch.FileTelemetry],
		},
	}
	text, err := json.Marshal(args.Spec)
	if err != nil {
		return nil, fmt.Errorf("encode spec: %w", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "config.json"), text, 0o644); err != nil {
		return nil, fmt.Errorf("write spec: %w", err)
	}
	b.conf = b.host.rules.conf(b, q.Network)
	return b.run(args, q.Procs)
}

func (b *box) run(args container.Args, procs []string) (*os.File, error) {
	if err := keepDescriptors(); err != nil {
		return nil, err
	}
	c, err := container.New(b.conf, args)
	if err != nil {
		return nil, fmt.Errorf("create sandbox: %w", err)
	}
	b.container, b.kernel = c, c.Sandbox
	if b.abandoned.Load() {
		return nil, errAbandoned
	}
	if err := join(procs, c.SandboxPid(), c.GoferPid.Load()); err != nil {
		return nil, err
	}
	fd, err := unix.PidfdOpen(c.SandboxPid(), 0)
	if err != nil {
		return nil, fmt.Errorf("open pidfd: %w", err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	if err := c.Start(b.conf); err != nil {
		pidfd.Close()
		return nil, fmt.Errorf("start program: %w", err)
	}
	if b.abandoned.Load() {
		pidfd.Close()
		return nil, errAbandoned
	}
	return pidfd, nil
}

// join writes processes and their descendants into cgroups. Between New and
// Start nothing of the guest's runs yet, and the sandbox has a few processes
// that all later ones descend from.
func join(procs []string, pids ...int) error {
	if len(procs) == 0 {
		return nil
	}
	pids, err := launch.Family(pids...)
	if err != nil {
		return err
	}
	for _, p := range procs {
		f, err := os.OpenFile(p, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("join cgroup: %w", err)
		}
		for _, pid := range pids {
			if _, err = f.WriteString(strconv.Itoa(pid)); err != nil {
				break
			}
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("join cgroup: %w", err)
		}
	}
	return nil
}

func (b *box) Answer(q launch.Request) (r launch.Report, err error) {
	switch {
	case q.Attach != nil:
		err = rootfs.BindReadOnly(q.Attach.Host, filepath.Join(b.rootDir(), q.Attach.Inside))
	// The guest's tasks are stopped where they are by the kernel they run on. The
	// host's freezer is no way to do it: stopped and continued from outside,
	// systrap's threads lose their place, and guests die of signals nobody sent.
	case q.Pause:
		err = b.kernel.Pause(b.id)
	case q.Resume:
		err = b.kernel.Resume(b.id)
	case q.Measure:
		r.Memory, err = b.measure()
	case q.Abandon:
		err = b.abandon()
	}
	return r, err
}

// measure gives the size of the file that is the guest's memory, its files in /tmp
// among it. The kernel's own memory is not, nor are host files the guest maps. The
// kernel isn't asked: one that somebody broke into might never answer.
func (b *box) measure() (int64, error) {
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", b.kernel.Getpid()))
	if err != nil {
		return 0, fmt.Errorf("measure sandbox: %w", err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err != nil || !strings.HasPrefix(to, "/memfd:"+memoryName) {
			continue // another, or closed meanwhile
		}
		var st unix.Stat_t
		if err := unix.Stat(fd, &st); err != nil {
			return 0, fmt.Errorf("measure sandbox: %w", err)
		}
		return st.Blocks * 512, nil // the unit of stat(2), whatever the file's blocks are
	}
	return 0, errors.New("measure sandbox: no memory file")
}

// abandon ends a start. gVisor's packages can't be told, but give up when a
// process of the sandbox dies; those carry its id as their last argument.
func (b *box) abandon() error {
	b.abandoned.Store(true)
	children, err := launch.Children(os.Getpid())
	if err != nil {
		return err
	}
	for _, pid := range children {
		args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && strings.HasSuffix(string(args), "\x00"+b.id+"\x00") {
			_ = unix.Kill(pid, unix.SIGKILL) // dead already is as good
		}
	}
	return nil
}

func (b *box) Wait() (code, signal int) {
	ws, err := b.container.Wait()
	switch {
	case err != nil:
		return 0, int(unix.SIGKILL)
	case ws.Signaled():
		return 0, int(ws.Signal())
	}
	return ws.ExitStatus(), 0
}

func (b *box) Destroy() {
	if b.container != nil {
		if err := b.container.Destroy(); err != nil {
			fmt.Fprintf(diagnostics, "destroy sandbox %s: %v\n", b.id, err)
		}
	}
	if b.dir == "" {
		return
	}
	if err := errors.Join(rootfs.Unmount(b.rootDir()), os.RemoveAll(b.dir)); err != nil {
		fmt.Fprintf(diagnostics, "remove sandbox %s: %v\n", b.id, err)
	}
}

func (b *box) rootDir() string { return filepath.Join(b.dir, "root") }
