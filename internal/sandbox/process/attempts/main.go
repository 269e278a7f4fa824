//go:build amd64

// Command attempts makes system calls that a sandbox must refuse, and a few
// that it must not, and says on descriptor 3 what came of them. Tests run it
// inside.
package main

import (
	"encoding/json"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	newest = 470        // above every call the filter knows
	x32    = 0x40000000 // set in the numbers of the x32 ABI
)

var calls = map[string][3]uintptr{
	"unshare":                      {unix.SYS_UNSHARE, unix.CLONE_NEWUSER},
	"setns":                        {unix.SYS_SETNS},
	"mount":                        {unix.SYS_MOUNT},
	"open_tree":                    {unix.SYS_OPEN_TREE},
	"ptrace":                       {unix.SYS_PTRACE, unix.PTRACE_TRACEME},
	"bpf":                          {unix.SYS_BPF},
	"keyctl":                       {unix.SYS_KEYCTL},
	"io_uring_setup":               {unix.SYS_IO_URING_SETUP, 1},
	"userfaultfd":                  {unix.SYS_USERFAULTFD},
	"perf_event_open":              {unix.SYS_PERF_EVENT_OPEN},
	"open_by_handle_at":            {unix.SYS_OPEN_BY_HANDLE_AT},
	"process_vm_readv":             {unix.SYS_PROCESS_VM_READV},
	"chroot":                       {unix.SYS_CHROOT},
	"init_module":                  {unix.SYS_INIT_MODULE},
	"clone with a user namespace":  {unix.SYS_CLONE, unix.CLONE_NEWUSER | uintptr(unix.SIGCHLD)},
	"clone3":                       {unix.SYS_CLONE3},
	"a call newer than the filter": {newest},
	"a call of the x32 ABI":        {x32 | unix.SYS_GETPID},
	"socket to the hypervisor":     {unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM},
	"socket of the crypto code":    {unix.SYS_SOCKET, unix.AF_ALG, unix.SOCK_SEQPACKET},
	"socket on the internet":       {unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM},
}

func main() {
	came := make(map[string]string)
	for name, c := range calls {
		came[name] = ""
		if _, _, e := unix.RawSyscall(c[0], c[1], c[2], 0); e != 0 {
			came[name] = e.Error()
		}
	}
	came["write below /proc/sys"] = text(os.WriteFile("/proc/sys/kernel/hostname", []byte("x"), 0))
	came["move between directories"] = text(move())
	if json.NewEncoder(os.NewFile(3, "control")).Encode(came) == nil {
		call32()
	}
}

func move() error {
	for _, d := range []string{"/tmp/a", "/tmp/b"} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/tmp/a/file", nil, 0o644); err != nil {
		return err
	}
	return os.Rename("/tmp/a/file", "/tmp/b/file")
}

// text is what is behind an error.
func text(err error) string {
	if p, ok := err.(*os.PathError); ok {
		err = p.Err
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// call32 asks for the process id by the 32-bit ABI.
func call32() {
	code, err := unix.Mmap(-1, 0, os.Getpagesize(),
		unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return
	}
	copy(code, []byte{
		0xb8, 0x14, 0x00, 0x00, 0x00, // mov eax, 20
		0xcd, 0x80, // int 0x80
		0xc3, // ret
	})
	entry := &code[0]
	closure := &entry // a func value points to where its code's address is
	(*(*func())(unsafe.Pointer(&closure)))()
}
