package logs

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

var (
	errNoGroup      = fault.New(http.StatusBadRequest, "ResourceNotFoundException", "The specified log group does not exist.")
	errNoStream     = fault.New(http.StatusBadRequest, "ResourceNotFoundException", "The specified log stream does not exist.")
	errGroupExists  = fault.New(http.StatusBadRequest, "ResourceAlreadyExistsException", "The specified log group already exists")
	errStreamExists = fault.New(http.StatusBadRequest, "ResourceAlreadyExistsException", "The specified log stream already exists")
	errToken        = invalid("The specified nextToken is invalid.")
)

// invalid is the fault of a request that no retry would cure.
func invalid(format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

// constraint is the fault of one member's value.
func constraint(value any, member, rule string) *fault.Error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, rule)
}
