// Command standalone does nothing but play the process driver's parts. Tests
// use it in their own stead: it starts faster without the race detector.
package main

import "github.com/mayfly-cloud/mayfly/internal/sandbox/process/launcher"

func main() { launcher.Dispatch() }
