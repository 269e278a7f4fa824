package launcher

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

// Descriptors of an init, besides those the program inherits from it.
const (
	ordersFD     = launch.TelemetryFD + 1 // a launch.Start, then end of file
	complaintsFD = launch.TelemetryFD + 2 // why it failed; else closed by exec
)

// begin is an init's main function. It returns the exit status if it fails.
func begin() int {
	unix.CloseOnExec(ordersFD)
	unix.CloseOnExec(complaintsFD)
	complaints := os.NewFile(complaintsFD, "complaints")
	var q launch.Start
	err := json.NewDecoder(os.NewFile(ordersFD, "orders")).Decode(&q)
	if err == nil {
		err = become(&q)
	}
	fmt.Fprint(complaints, err)
	return 1
}

// become turns this process into the program. Each step needs the privileges
// that a later one gives up. It returns only if one fails.
func become(q *launch.Start) error {
	if err := takeUser(); err != nil {
		return err
	}
	if err := takeRoot(q.TmpBytes); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(rootfs.Hostname)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	if !q.Network {
		if err := startLoopback(); err != nil {
			return err
		}
	}
	if err := limit(q); err != nil {
		return err
	}
	if err := dropPrivileges(); err != nil {
		return err
	}
	if err := restrictFiles(); err != nil {
		return err
	}
	if err := unix.Chdir(q.Dir); err != nil {
		return fmt.Errorf("enter %s: %w", q.Dir, err)
	}
	unix.Umask(0o022)
	if err := filterCalls(); err != nil {
		return err
	}
	return fmt.Errorf("execute %s: %w", q.Args[0], unix.Exec(q.Args[0], q.Args, q.Env))
}

// limit bounds what is counted by process or by user.
func limit(q *launch.Start) error {
	set := func(what, n int) error {
		v := uint64(n)
		if n <= 0 {
			v = math.MaxUint64
		}
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: v, Max: v}); err != nil {
			return fmt.Errorf("limit program: %w", err)
		}
		return nil
	}
	if q.Processes > 0 {
		if err := set(unix.RLIMIT_NPROC, q.Processes); err != nil {
			return err
		}
	}
	if q.OpenFiles > 0 {
		if err := set(unix.RLIMIT_NOFILE, q.OpenFiles); err != nil {
			return err
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("limit program: %w", err)
	}
	return nil
}

// startLoopback starts the only interface of a network namespace of its own.
func startLoopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("start loopback: %w", err)
	}
	defer unix.Close(s)
	r, err := unix.NewIfreq("lo")
	if err == nil {
		r.SetUint16(unix.IFF_UP)
		err = unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
	}
	if err != nil {
		return fmt.Errorf("start loopback: %w", err)
	}
	return nil
}
