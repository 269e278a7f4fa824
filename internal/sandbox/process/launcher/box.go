package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

var errAbandoned = errors.New("start given up")

// Users of the host that sandboxes run as when the launcher is root: above all
// that distributions, containers and name services hand out.
const (
	firstUser = 2_000_000_000
	userCount = 1 << 20
)

// box is one sandbox, as its launcher sees it.
type box struct {
	id     string
	number uint32 // of the sandboxes this launcher has started
	host   *host

	dir string // holds the root's mount
	cmd *exec.Cmd

	mu        sync.Mutex
	init      *os.Process // while it can be killed by abandon
	abandoned bool
}

func (b *box) Start(q *launch.Start, files []*os.File) (*os.File, error) {
	dir := filepath.Join(b.host.Dir, b.id)
	if err := os.Mkdir(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	b.dir = dir
	if err := b.host.root.Mount(b.rootDir(), q.Mounts); err != nil {
		return nil, err
	}
	if err := bindDevices(b.host.Dir+devices, b.rootDir()+"/dev"); err != nil {
		return nil, err
	}
	return b.startInit(q, files)
}

// startInit starts the init, lets it go on once it is in its cgroups, and
// returns when it has become the program.
func (b *box) startInit(q *launch.Start, files []*os.File) (*os.File, error) {
	orders, give, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer give.Close()
	hear, complaints, err := os.Pipe()
	if err != nil {
		orders.Close()
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer hear.Close()
	fd := -1
	b.cmd = b.command(q, files, &fd)
	b.cmd.ExtraFiles = append(b.cmd.ExtraFiles, orders, complaints)
	err = b.spawn(q, files)
	orders.Close()
	complaints.Close()
	if err != nil {
		return nil, err
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	if err = join(q.Procs, b.cmd.Process.Pid); err == nil {
		err = json.NewEncoder(give).Encode(q)
	}
	give.Close()
	if err == nil {
		var said []byte
		if said, err = io.ReadAll(hear); len(said) > 0 {
			err = errors.New(string(said))
		}
	}
	b.mu.Lock()
	b.init = nil
	if b.abandoned {
		err = errAbandoned
	}
	b.mu.Unlock()
	if err != nil {
		_ = b.cmd.Process.Kill() // if it hasn't ended yet
		_ = b.cmd.Wait()         // the reason is known
		pidfd.Close()
		return nil, err
	}
	return pidfd, nil
}

// command is an init. It gets the privileges that it needs in its own
// namespaces, and no others; none outlive it.
func (b *box) command(q *launch.Start, files []*os.File, pidfd *int) *exec.Cmd {
	user := []syscall.SysProcIDMap{{ContainerID: rootfs.UID, Size: 1}}
	if !b.host.Rootless {
		user[0].HostID = firstUser + int(b.number%userCount)
	}
	attr := &syscall.SysProcAttr{
		Setsid: true, PidFD: pidfd,
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS |
			unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
		UidMappings: user, GidMappings: user,
		AmbientCaps: initCaps,
	}
	if !q.Network {
		attr.Cloneflags |= unix.CLONE_NEWNET
	}
	return &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{initName}, Env: []string{},
		Stdout: files[launch.FileOutput], Stderr: files[launch.FileOutput],
		ExtraFiles:  []*os.File{files[launch.FileControl], files[launch.FileTelemetry]},
		SysProcAttr: attr,
	}
}

// spawn starts the init from a thread that is where the init is to be: in the
// sandbox's root, which the init may not be able to find by its path, and in
// its network namespace, which it may not enter by itself.
func (b *box) spawn(q *launch.Start, files []*os.File) error {
	failed := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		failed <- func() error {
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return fmt.Errorf("detach thread: %w", err)
			}
			if err := unix.Chdir(b.rootDir()); err != nil {
				return fmt.Errorf("enter root: %w", err)
			}
			if q.Network {
				if err := unix.Setns(int(files[launch.FileNetNS].Fd()), unix.CLONE_NEWNET); err != nil {
					return fmt.Errorf("enter network: %w", err)
				}
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.abandoned {
				return errAbandoned
			}
			if err := b.cmd.Start(); err != nil {
				return fmt.Errorf("start init: %w", err)
			}
			b.init = b.cmd.Process
			return nil
		}()
	}()
	return <-failed
}

// join writes a process into cgroups.
func join(procs []string, pid int) error {
	for _, p := range procs {
		if err := os.WriteFile(p, []byte(strconv.Itoa(pid)), 0); err != nil {
			return fmt.Errorf("join cgroup: %w", err)
		}
	}
	return nil
}

func (b *box) Answer(q launch.Request) (r launch.Report, err error) {
	switch {
	case q.Attach != nil:
		err = rootfs.BindReadOnly(q.Attach.Host, filepath.Join(b.rootDir(), q.Attach.Inside))
	case q.Measure:
		r.Memory, err = measure(b.cmd.Process.Pid)
	case q.Abandon:
		b.abandon()
	}
	return r, err
}

// measure adds up the resident memory of a process and its descendants, without
// that of the files they map: those are the machine's, and others map them too.
func measure(pid int) (int64, error) {
	pids, err := launch.Family(pid)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, p := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return 0, fmt.Errorf("measure process: %w", err)
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) != 3 || f[0] != "RssAnon:" && f[0] != "RssShmem:" {
				continue
			}
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("measure process: %w", err)
			}
			sum += n << 10 // from kB
		}
	}
	return sum, nil
}

// abandon makes a start that is under way fail.
func (b *box) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.abandoned = true
	if b.init != nil {
		_ = b.init.Kill() // ended is as good
	}
}

func (b *box) Wait() (code, signal int) {
	_ = b.cmd.Wait() // the status says it
	ws, ok := b.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case !ok:
		return 0, int(unix.SIGKILL)
	case ws.Signaled():
		return 0, int(ws.Signal())
	}
	return ws.ExitStatus(), 0
}

func (b *box) Destroy() {
	if b.dir == "" {
		return
	}
	if err := errors.Join(rootfs.Unmount(b.rootDir()), os.RemoveAll(b.dir)); err != nil {
		fmt.Fprintf(os.Stderr, "remove sandbox %s: %v\n", b.id, err)
	}
}

func (b *box) rootDir() string { return filepath.Join(b.dir, "root") }
