package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"gvisor.dev/gvisor/runsc/cli"
	"gvisor.dev/gvisor/runsc/cmd"
	"gvisor.dev/gvisor/runsc/cmd/sentry/sentrycmd"
	"gvisor.dev/gvisor/runsc/cmd/util"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

// Names gVisor gives itself (argv[0]) when it executes this binary again.
const (
	runscPrefix = "runsc" // runsc-sandbox, runsc-gofer
	selfName    = "/proc/self/exe"
)

// bootGC is the garbage collector's target while a gVisor kernel boots. Boot
// allocates a few MiB once; collecting in the middle of it costs 14 ms.
const bootGC = 800

// settled is when a kernel that has booted gives back what booting took, 2 MiB,
// and collects as usual from then on. By then a caller who waited has its answer.
const settled = 5 * time.Second

// runsc restores namespaces from those of the main thread, so in the launcher
// the main thread must never be lent to a goroutine that enters another one.
func init() {
	if part() == launch.LauncherName {
		runtime.LockOSThread()
	}
}

// Dispatch plays the part this process was started for, if it was started by
// this package, and then doesn't return.
func Dispatch() {
	switch part() {
	case launch.LauncherName:
		os.Exit(launch.Serve(os.Args[1:], new(host)))
	case launch.ProbeName:
		os.Exit(launch.AnswerProbe())
	case runscPrefix:
		if err := closeInherited(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "mayfly-sandbox:", err)
			os.Exit(1)
		}
		debug.SetGCPercent(bootGC)
		time.AfterFunc(hurry, endHurry)
		time.AfterFunc(settled, func() {
			debug.SetGCPercent(100)
			debug.FreeOSMemory()
		})
		registerFilters()
		cli.Run(nil, map[util.SubCommand]string{
			new(sentrycmd.Boot):   "internal",
			new(cmd.Gofer):        "internal",
			new(sentrycmd.Umount): "internal",
		}, nil)
	}
}

// part names what this process is, by its argv[0]; "" is none of this package's.
func part() string {
	name := filepath.Base(os.Args[0])
	switch {
	case name == launch.LauncherName, name == launch.ProbeName:
		return name
	case strings.HasPrefix(name, runscPrefix):
		return runscPrefix
	case os.Args[0] == selfName && len(os.Args) > 1 && os.Args[1] == "umount":
		return runscPrefix
	}
	return ""
}
