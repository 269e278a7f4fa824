package launcher

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

// initCaps are what an init needs, in its own user namespace: to mount, to name
// its host, to change user, to give up the rest, and to start its loopback.
var initCaps = []uintptr{
	unix.CAP_SYS_ADMIN, unix.CAP_SETUID, unix.CAP_SETGID, unix.CAP_SETPCAP, unix.CAP_NET_ADMIN,
}

// takeUser makes this thread the sandbox's user. It keeps its capabilities, as
// whoever wasn't root before does.
func takeUser() error {
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, rootfs.UID, rootfs.UID, rootfs.UID); e != 0 {
		return fmt.Errorf("change group: %w", e)
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, rootfs.UID, rootfs.UID, rootfs.UID); e != 0 {
		return fmt.Errorf("change user: %w", e)
	}
	return nil
}

// dropPrivileges gives up all there are, and all there could be.
func dropPrivileges() error {
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err == unix.EINVAL {
			break // the kernel knows no more
		}
		if err != nil {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("drop ambient capabilities: %w", err)
	}
	none := [2]unix.CapUserData{}
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("refuse new privileges: %w", err)
	}
	return nil
}
