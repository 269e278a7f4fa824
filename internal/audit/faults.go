package audit

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// refuse is the fault of a request that no retry would cure.
func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, code, format, args...)
}

var (
	errMax   = refuse("InvalidMaxResultsException", "The specified maximum number of results is not valid: it is 1 to 50.")
	errToken = refuse("InvalidNextTokenException", "The specified nextToken is not valid: it belongs to a request with the same parameters.")
	errTimes = refuse("InvalidTimeRangeException", "The specified time range is not valid: the start time is after the end time.")
)
