package launcher

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

// Name is what a launcher goes by (argv[0]); initName is what an init does.
const (
	Name     = "mayfly-process"
	initName = "mayfly-init"
)

// Privileges belong to threads. An init gives up those of its main thread, the
// one that executes the program, so its main goroutine must stay on it.
func init() {
	if part() == initName {
		runtime.LockOSThread()
	}
}

// Dispatch plays the part this process was started for, if it was started by
// the process driver, and then doesn't return.
func Dispatch() {
	switch part() {
	case Name:
		os.Exit(launch.Serve(os.Args[1:], new(host)))
	case initName:
		os.Exit(begin())
	case launch.ProbeName:
		os.Exit(launch.AnswerProbe())
	}
}

func part() string { return filepath.Base(os.Args[0]) }
