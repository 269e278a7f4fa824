package runtime

import (
	"fmt"
	"strings"
)

// UnknownError says that Lambda has no such runtime, or that Mayfly doesn't
// serve it.
type UnknownError struct {
	Runtime string
	Valid   []string // the names that are
}

// Error names the valid runtimes.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown runtime %q: must be one of %s", e.Runtime, strings.Join(e.Valid, ", "))
}

// MissingError says that a runtime Mayfly serves is not on this machine.
type MissingError struct {
	Runtime string
	// Reason is empty, or what was found and why it does not do.
	Reason string
	// Hints are commands of which any brings it.
	Hints []string
}

// Error says what is missing and what to do.
func (e *MissingError) Error() string {
	s := fmt.Sprintf("runtime %s is not on this machine", e.Runtime)
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	if len(e.Hints) > 0 {
		s += "; to add it: " + strings.Join(e.Hints, ", or ")
	}
	return s
}
