package launcher

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock holds what mounts hold already, in another way: should a mount be
// writable that must not be, writing still fails.

// What a program may do with files below a path.
const (
	toRead  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	toWrite = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	toMake  = unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER
	never = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
)

var fileRules = []struct {
	path   string
	access uint64
}{
	{"/", toRead},
	{"/tmp", toRead | toWrite | toMake},
	{"/dev", toWrite},
	{"/proc", toWrite}, // a program's own, as its user
}

const (
	// leastLandlock is the first version with which a file can be moved from
	// one directory to another; truncating came with the next.
	leastLandlock    = 2
	truncateLandlock = 3
)

// HasLandlock says whether this kernel has what restrictFiles needs. Without it
// sandboxes do without.
func HasLandlock() bool { return landlockVersion() >= leastLandlock }

func landlockVersion() int {
	v, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return 0
	}
	return int(v)
}

// restrictFiles holds this thread, and what it executes, to fileRules.
func restrictFiles() error {
	if !HasLandlock() {
		return nil
	}
	handled := uint64(toRead | toWrite | toMake | never)
	if landlockVersion() < truncateLandlock {
		handled &^= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	// The first field is all that the oldest version knows.
	attr := unix.LandlockRulesetAttr{Handled_access_fs: handled}
	set, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if e != 0 {
		return fmt.Errorf("make file rules: %w", e)
	}
	defer unix.Close(int(set))
	for _, r := range fileRules {
		if err := addFileRule(set, r.path, r.access&handled); err != nil {
			return err
		}
	}
	if _, _, e := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); e != 0 {
		return fmt.Errorf("obey file rules: %w", e)
	}
	return nil
}

func addFileRule(set uintptr, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, e := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, set,
		unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if e != 0 {
		return fmt.Errorf("add file rule for %s: %w", path, e)
	}
	return nil
}
