// Command standalone does nothing but play the gVisor driver's parts. Tests use
// it in their own stead: what takes part must be linked statically, and isn't
// when it is built with the race detector.
package main

import "github.com/mayfly-cloud/mayfly/internal/sandbox/gvisor/launcher"

func main() { launcher.Dispatch() }
