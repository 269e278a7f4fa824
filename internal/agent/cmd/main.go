// Command mayfly-agent is process 1 of sandboxes whose runtime speaks Lambda's
// HTTP APIs; see package guest. With arguments it is what gives a sandbox without
// a network the ports of its node; see package forward. Workers mount it into
// sandboxes; it is of no use elsewhere.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/mayfly-cloud/mayfly/internal/agent/forward"
	"github.com/mayfly-cloud/mayfly/internal/agent/guest"
)

// The descriptors a sandbox starts its program with, besides the usual three.
const (
	control   = 3
	telemetry = 4
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mayfly-agent:", err)
		os.Exit(1)
	}
}

func run() error {
	// Two, whatever the machine has: one goroutine carries a call, and the second
	// keeps the scheduler from taking its place away while it waits in a read.
	runtime.GOMAXPROCS(2)
	if len(os.Args) > 1 {
		return forwardPorts(os.Args[1], os.Args[2:])
	}
	cfg := guest.Config{Output: os.Stdout}
	syscall.CloseOnExec(control)
	cfg.Control = guest.NewSocket(os.NewFile(control, "control"))
	if err := syscall.Fstat(telemetry, new(syscall.Stat_t)); err == nil {
		syscall.CloseOnExec(telemetry)
		cfg.Telemetry = os.NewFile(telemetry, "telemetry")
	}
	var err error
	if cfg.Listener, err = guest.Listen(guest.Address); err != nil {
		return err
	}
	cfg.Start = guest.NewReaper().Start
	return guest.New(cfg).Run()
}

func forwardPorts(word string, args []string) error {
	switch word {
	case forward.Ports:
		return forward.Become(args)
	case forward.Served:
		return forward.Serve(args)
	}
	return fmt.Errorf("no such command: %q", word)
}
