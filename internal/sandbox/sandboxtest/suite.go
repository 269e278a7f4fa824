package sandboxtest

import (
	"slices"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// Config says what to test.
type Config struct {
	Driver sandbox.Driver
	// Guest is the suite's program, made by Build from "sandboxtest/guest".
	Guest string
	// Gateway is the node's address in the network of sandboxes, and Allow lets
	// them connect to a port of it. Both unset where there is no network.
	Gateway string
	Allow   func(port uint16) error
}

type suite struct{ Config }

// Run runs the suite. The driver stays open.
func Run(t *testing.T, cfg Config) {
	s := &suite{cfg}
	for _, c := range []struct {
		name  string
		needs string // the promise that a driver may be too weak for
		test  func(*suite, *testing.T)
	}{
		{"Starts", "", (*suite).starts},
		{"StartFails", "", (*suite).startFails},
		{"Prints", "", (*suite).prints},
		{"Ends", "", (*suite).ends},
		{"IsNobody", "", (*suite).isNobody},
		{"CannotWrite", "", (*suite).cannotWrite},
		{"SeesNothingElse", "", (*suite).seesNothingElse},
		{"Attaches", "", (*suite).attaches},
		{"TmpIsBounded", "tmp limit", (*suite).tmpIsBounded},
		{"ProcessesAreBounded", "process limit", (*suite).processesAreBounded},
		{"FilesAreBounded", "", (*suite).filesAreBounded},
		{"MemoryIsBounded", "memory limit", (*suite).memoryIsBounded},
		{"CPUIsBounded", "CPU limit", (*suite).cpuIsBounded},
		{"Measures", "", (*suite).measures},
		{"Freezes", "freezing", (*suite).freezes},
		{"KillsFrozen", "freezing", (*suite).killsFrozen},
		{"DiesAlone", "freezing", (*suite).diesAlone},
		{"ReachesNodeAlone", "own network", (*suite).reachesNodeAlone},
		{"PacketsReachNobody", "own network", (*suite).packetsReachNobody},
		{"HasNoNetwork", "network isolation", (*suite).hasNoNetwork},
		{"StartsTogether", "", (*suite).startsTogether},
		{"LeavesNothing", "", (*suite).leavesNothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			if slices.Contains(cfg.Driver.Info().Weaker, c.needs) {
				t.Skipf("%s has no %s here", cfg.Driver.Info().Name, c.needs)
			}
			c.test(s, t)
		})
	}
}
