// Command mayfly-sandbox plays every part around sandboxes that isn't the node's:
// the launchers of both isolation drivers, gVisor's kernel and file server, and
// the first process of a sandbox without gVisor. Nodes run it by the names of
// those parts; it is of no use otherwise.
package main

import (
	"fmt"
	"os"

	gvisor "github.com/mayfly-cloud/mayfly/internal/sandbox/gvisor/launcher"
	process "github.com/mayfly-cloud/mayfly/internal/sandbox/process/launcher"
)

func main() {
	// These return only where there is no part of theirs to play.
	process.Dispatch()
	gvisor.Dispatch()
	fmt.Fprintln(os.Stderr, "mayfly-sandbox is started by mayfly, and does nothing by itself")
	os.Exit(2)
}
