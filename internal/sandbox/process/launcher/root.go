package launcher

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// devices is where a launcher keeps what sandboxes see as /dev, in its Dir.
const devices = "/dev"

var (
	deviceFiles = []string{"null", "zero", "full", "random", "urandom"}
	deviceLinks = map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	}
	// hiddenProc are files of /proc that tell of the machine, or change it.
	hiddenProc = []string{"interrupts", "kcore", "keys", "latency_stats", "sched_debug", "sysrq-trigger", "timer_list"}
)

// makeDevices fills dir. An ordinary user can't make devices, only show those
// there are.
func makeDevices(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make devices: %w", err)
	}
	for _, d := range deviceFiles {
		if err := os.WriteFile(dir+"/"+d, nil, 0o644); err != nil {
			return fmt.Errorf("make device: %w", err)
		}
		if err := unix.Mount("/dev/"+d, dir+"/"+d, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("show device %s: %w", d, err)
		}
	}
	for name, to := range deviceLinks {
		if err := os.Symlink(to, dir+"/"+name); err != nil {
			return fmt.Errorf("make device: %w", err)
		}
	}
	return nil
}

// bindDevices shows dir at point.
func bindDevices(dir, point string) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return fmt.Errorf("show devices: %w", err)
	}
	defer unix.Close(fd)
	attr := unix.MountAttr{
		Attr_set:    unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC,
		Propagation: unix.MS_PRIVATE,
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		return fmt.Errorf("show devices: %w", err)
	}
	if err := unix.MoveMount(fd, "", unix.AT_FDCWD, point, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("show devices: %w", err)
	}
	return nil
}

// takeRoot makes the working directory, which is a sandbox's root, the root of
// an init's own mount namespace, and leaves nothing else in there.
//
// The root is mounted again on itself, because what a new user namespace got
// from an older one it can't move. The copy still receives what the launcher
// mounts on the original.
func takeRoot(tmpBytes int64) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, ".", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return fmt.Errorf("copy root: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.MoveMount(fd, "", unix.AT_FDCWD, ".", unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount root: %w", err)
	}
	if err := unix.Fchdir(fd); err != nil {
		return fmt.Errorf("enter root: %w", err)
	}
	if err := mountProc(); err != nil {
		return err
	}
	if err := mountTmp(tmpBytes); err != nil {
		return err
	}
	// The old root ends up on top of the new one, and goes.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave old root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("enter root: %w", err)
	}
	return nil
}

// mountProc must come while the launcher's /proc is in reach: the kernel gives
// no one a view of processes who has none.
func mountProc() error {
	if err := unix.Mount("proc", "proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for _, name := range hiddenProc {
		err := unix.Mount("dev/null", "proc/"+name, "", unix.MS_BIND, "")
		if err != nil && !errors.Is(err, os.ErrNotExist) { // kernels differ
			return fmt.Errorf("hide /proc/%s: %w", name, err)
		}
	}
	return nil
}

func mountTmp(size int64) error {
	options := "mode=1777"
	if size > 0 {
		options += fmt.Sprintf(",size=%d", size)
	}
	if err := unix.Mount("tmpfs", "tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount /tmp: %w", err)
	}
	return nil
}
