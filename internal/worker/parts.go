package worker

import (
	"context"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// Runtimes finds the runtimes of this machine.
type Runtimes interface {
	// Lookup finds a runtime by its API name, "nodejs22.x".
	Lookup(name string) (Runtime, error)
}

// Runtime is one way of running handlers.
type Runtime interface {
	// Boot is how its program starts for functions of a memory size.
	Boot(memoryMiB int) Boot
	// Command is what an agent starts inside the sandbox: a custom runtime's
	// bootstrap, or the managed runtime itself when extensions run beside it.
	Command(memoryMiB int) []string
	// Env is what the runtime adds to a function's environment.
	Env() map[string]string
	// NeedsStart says whether a function's environment holds variables that the
	// runtime reads only when it starts, so that it needs an agent.
	NeedsStart(env map[string]string) bool
}

// Boot says how a runtime's program is started, before any function is known.
type Boot struct {
	Args, Env []string
	Dir       string
	// Ahead is added to Args when no call waits for the boot.
	Ahead  []string
	Mounts []sandbox.Mount
	// PoolKey is the same for boots that can stand in for each other; empty
	// keeps the boot out of the pool.
	PoolKey string
	// Agent says that the runtime speaks Lambda's Runtime API, so that the
	// agent must be the sandbox's program and start Command.
	Agent bool
}

// Code finds unpacked packages on this node.
type Code interface {
	// Dir gives the directory of a function's package, and keeps it there until
	// release is called.
	Dir(ctx context.Context, d blob.Digest) (dir string, release func(), err error)
	// Layers gives the directory of layers merged in their order, likewise.
	Layers(ctx context.Context, ds []blob.Digest) (dir string, release func(), err error)
}

// Credentials makes the keys a function runs with.
type Credentials interface {
	// ForRole makes a session of the role with this name, for one environment of
	// the function named by its ARN.
	ForRole(ctx context.Context, role, session, functionARN string) (Keys, error)
	// MayLog says whether a function's role lets it write to a stream of a log group
	// that is not the function's own.
	MayLog(ctx context.Context, role, functionARN, group, stream string) bool
	// Revoke makes the keys worthless: their environment is gone.
	Revoke(Keys)
}

// Keys are a role session's credentials, valid until Expires (zero: for ever).
type Keys struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expires                                    time.Time
}

// Logs keeps log events. It is called by one goroutine, off every call's path;
// while it blocks, functions that log more than 1 MiB meanwhile are held up.
type Logs interface {
	// Append adds events, in order, to a stream of a group. The events are
	// Append's to keep.
	Append(group, stream string, events []LogEvent)
}

// LogEvent is one entry of a log stream, without its final newline.
type LogEvent struct {
	Time    time.Time
	Message string
}

// StartKind says where an environment came from.
type StartKind string

// The kinds of start.
const (
	Warm        StartKind = "warm"        // an idle environment of the version
	Pooled      StartKind = "pooled"      // a pre-booted sandbox, specialised
	Cold        StartKind = "cold"        // a sandbox made for this call
	Provisioned StartKind = "provisioned" // initialised ahead by configuration
)

// Phases is what a start took, phase by phase.
type Phases struct {
	// Download made the code and layers available on the node; Sandbox took or
	// made a sandbox and put the code in; RuntimeInit is the runtime's own start
	// (zero for a pooled one); UserInit loaded the handler.
	Download, Sandbox, RuntimeInit, UserInit time.Duration
	// Began is when the start began.
	Began time.Time
}

// Init is the part that AWS calls the init phase, and bills.
func (p Phases) Init() time.Duration { return p.RuntimeInit + p.UserInit }

// Total is the sum of the phases.
func (p Phases) Total() time.Duration {
	return p.Download + p.Sandbox + p.RuntimeInit + p.UserInit
}
