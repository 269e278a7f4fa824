package launcher

import (
	"fmt"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// refused are the system calls no program has a use for that a sandbox should
// allow. Most need a privilege that programs don't have; refusing them before
// the kernel looks for it keeps the code behind them out of reach. Those that a
// kernel or processor doesn't have are left out.
var refused = []struct {
	why   string
	calls []string
}{
	{"namespaces: root in one of its own reaches code written for root", []string{"unshare", "setns"}},
	{"mounts: the root is what it is", []string{
		"mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick",
		"move_mount", "open_tree", "mount_setattr", "quotactl", "quotactl_fd", "swapon", "swapoff",
	}},
	{"handles that lead to a file past every mount", []string{"open_by_handle_at", "name_to_handle_at", "fanotify_init"}},
	{"other processes' memory and files", []string{
		"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
		"move_pages", "migrate_pages",
	}},
	{"keyrings, which know no namespaces", []string{"keyctl", "add_key", "request_key"}},
	{"programs run by the kernel", []string{"bpf", "perf_event_open"}},
	{"large ways past this filter, or into the kernel", []string{
		"io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd",
	}},
	{"the machine: its kernel, clocks, logs, name and accounts", []string{
		"kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module",
		"reboot", "syslog", "acct", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime",
		"sethostname", "setdomainname", "vhangup", "lookup_dcookie",
	}},
	{"relics", []string{
		"modify_ldt", "iopl", "ioperm", "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl", "vm86", "vm86old",
		"get_kernel_syms", "query_module", "personality",
	}},
}

const (
	// lastCall is the newest call that was looked at (mseal, Linux 6.10): newer
	// ones don't exist for programs. Numbers since 424 are the same everywhere.
	lastCall = 462
	// newNamespaces are clone's flags that make one.
	newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET |
		unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
)

// Results of a refused call.
const (
	notPermitted   = seccomp.Action(unix.SECCOMP_RET_ERRNO) | seccomp.Action(unix.EPERM)
	notImplemented = seccomp.Action(unix.SECCOMP_RET_ERRNO) | seccomp.Action(unix.ENOSYS)
	notSupported   = seccomp.Action(unix.SECCOMP_RET_ERRNO) | seccomp.Action(unix.EAFNOSUPPORT)
)

// families of sockets that programs may have. Others, AF_VSOCK before all, lead
// out of a network namespace, or to code that few have looked at.
var families = []uint64{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

// filterCalls holds this thread, and what it executes, to the filter.
func filterCalls() error {
	program, err := callFilter()
	if err != nil {
		return fmt.Errorf("assemble call filter: %w", err)
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&p)))
	if e != 0 {
		return fmt.Errorf("load call filter: %w", e)
	}
	return nil
}

func callFilter() ([]unix.SockFilter, error) {
	here, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: callRules(here)}
	rules, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	// The rules let calls of other architectures pass, which on amd64 any
	// program can make.
	raw, err := bpf.Assemble(append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 4, Size: 4}, // seccomp_data.arch
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(here.ID), SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},
		bpf.LoadAbsolute{Off: 0, Size: 4}, // seccomp_data.nr
		bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: lastCall, SkipTrue: 1},
		bpf.RetConstant{Val: uint32(notImplemented)},
	}, rules...))
	if err != nil {
		return nil, err
	}
	var program []unix.SockFilter
	for _, i := range raw {
		program = append(program, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	return program, nil
}

func callRules(here *arch.Info) []seccomp.SyscallGroup {
	no := seccomp.SyscallGroup{Action: notPermitted}
	for _, r := range refused {
		for _, name := range r.calls {
			if _, ok := here.SyscallNames[name]; ok {
				no.Names = append(no.Names, name)
			}
		}
	}
	for bit := uint64(1); bit <= newNamespaces; bit <<= 1 {
		if newNamespaces&bit != 0 {
			no.NamesWithCondtions = append(no.NamesWithCondtions, seccomp.NameWithConditions{
				Name:       "clone",
				Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.BitsSet, Value: bit}},
			})
		}
	}
	// clone3's flags are where a filter can't look. The C library asks clone then.
	later := seccomp.SyscallGroup{Action: notImplemented, Names: []string{"clone3"}}
	strange := seccomp.ArgumentConditions{}
	for _, f := range families {
		strange = append(strange, seccomp.Condition{Argument: 0, Operation: seccomp.NotEqual, Value: f})
	}
	sockets := seccomp.SyscallGroup{Action: notSupported}
	for _, name := range []string{"socket", "socketpair"} {
		sockets.NamesWithCondtions = append(sockets.NamesWithCondtions,
			seccomp.NameWithConditions{Name: name, Conditions: strange})
	}
	return []seccomp.SyscallGroup{no, later, sockets}
}
