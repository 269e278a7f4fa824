package sandbox

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// ErrUnsupported is what a driver returns when this machine can't run it.
var ErrUnsupported = errors.New("isolation driver not supported here")

// Driver makes sandboxes of one kind. Its methods are safe for concurrent use.
type Driver interface {
	// Info says what the driver is and what it enforces, for people.
	Info() Info
	// Start makes a sandbox and starts its program; ctx bounds the start, not
	// the life. When Start fails, nothing of the sandbox is left.
	Start(ctx context.Context, s Spec) (Sandbox, error)
	// Close ends every sandbox and waits until they are gone.
	Close() error
}

// Info describes a driver, for `mayfly up`, `mayfly doctor` and the answers.
type Info struct {
	// Name is the driver and its mode: "gvisor", "gvisor-rootless", "process".
	Name string
	// Detail is a sentence for a person: platform, what is enforced.
	Detail string
	// Weaker names each promise this driver doesn't keep here ("memory limit",
	// "network isolation"); empty for the full set.
	Weaker []string
}

// Spec says what to start.
type Spec struct {
	// ID names the sandbox on this node: lower-case letters, digits, hyphens.
	ID string
	// Args is the program and its arguments; Env its whole environment.
	Args, Env []string
	// Dir is its working directory.
	Dir string
	// Mounts are made before the program starts, read-only.
	Mounts []Mount
	// Limits hold from the first instruction; Resize changes them.
	Limits Limits
	// TmpBytes is the size of the sandbox's own /tmp.
	TmpBytes int64
	// Network is whether the sandbox gets a network at all.
	Network bool
}

// Mount shows a host file or directory, read-only, at a path inside.
type Mount struct{ Host, Inside string }

// Limits bound what a sandbox takes from its node. Zero means unlimited.
type Limits struct {
	// MemoryBytes is what the code may use; the driver adds its own overhead.
	MemoryBytes int64
	// CPUs is how many processors' worth of time at most; 0.5 is half of one.
	CPUs float64
	// CPUShare is its part while processors are short, in relation to that of other
	// sandboxes; zero is 1.
	CPUShare float64
	// Processes and OpenFiles bound the code's processes and descriptors.
	Processes, OpenFiles int
}

// Places in a sandbox that Attach can fill after the start. Before that they
// are empty directories. /opt inside leads to PlaceOpt.
const (
	PlaceTask = "/var/task" // the function's code
	PlaceOpt  = "/var/opt"  // its layers, merged
)

// Sandbox is one running sandbox. Its methods are safe for concurrent use,
// but Attach, Freeze and Thaw exclude each other.
type Sandbox interface {
	// ID is the Spec's.
	ID() string
	// Conn is the control socket. The caller reads and writes it; Close of the
	// sandbox closes it. End of file means that the sandbox is ending.
	Conn() net.Conn
	// Output is the read end of the pipe behind descriptors 1 and 2; Telemetry
	// of the one behind 4. Both are non-blocking and closed by Close.
	Output() *os.File
	Telemetry() *os.File
	// Attach shows a host directory, read-only, at one of the Places. Nothing
	// inside may have looked into the place before.
	Attach(host, place string) error
	// Resize changes the limits. What a driver can't change it ignores.
	Resize(Limits) error
	// Freeze stops every process of the sandbox; Thaw lets them go on. Memory
	// is kept. Both are idempotent.
	Freeze() error
	Thaw() error
	// Usage measures the sandbox now. After Done it gives the last measure.
	Usage() Usage
	// Addr is the sandbox's own address in its network; "" without one.
	Addr() string
	// Kill ends the program at once, frozen or not. Done follows.
	Kill()
	// Done is closed once the program has ended; Exit then says how.
	Done() <-chan struct{}
	Exit() Exit
	// Close kills, waits, and removes everything of the sandbox. Idempotent.
	Close() error
}

// Usage is what a sandbox has taken.
type Usage struct {
	// MemoryBytes is what the code takes now, and MemoryPeak the most it took
	// since the start (without a memory limit: the most that Usage has seen),
	// without the driver's own overhead. Zero: not measured.
	MemoryBytes, MemoryPeak int64
	// CPU is the time used so far.
	CPU time.Duration
}

// Exit says how a sandbox's program ended.
type Exit struct {
	// Code is the exit status; Signal the signal's number when one ended it.
	Code, Signal int
	// OutOfMemory says that its memory limit ended it.
	OutOfMemory bool
}
