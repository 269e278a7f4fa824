// Command mayfly-agent is process 1 of sandboxes whose runtime speaks Lambda's
// HTTP APIs; see package guest. Workers mount it into sandboxes; it takes no
// arguments and is of no use elsewhere.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"

	"github.com/mayfly-cloud/mayfly/internal/agent/guest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mayfly-agent:", err)
		os.Exit(1)
	}
}

func run() error {
	runtime.GOMAXPROCS(2)
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	control, err := guest.OpenControl(3)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", guest.Address)
	if err != nil {
		return err
	}
	return guest.New(guest.Config{
		Control:   control,
		Listener:  l,
		Start:     guest.NewReaper().Start,
		Output:    os.Stdout,
		Telemetry: os.NewFile(4, "telemetry"),
	}).Run()
}
