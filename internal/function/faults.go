package function

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The faults of Lambda's API, by AWS's codes. Messages are AWS's wherever it
// has one: tools match on them.

func user(status int, code, format string, args ...any) *fault.Error {
	e := fault.New(status, code, format, args...)
	e.Type = "User"
	return e
}

func invalid(format string, args ...any) *fault.Error {
	return user(http.StatusBadRequest, "InvalidParameterValueException", format, args...)
}

func notFound(format string, args ...any) *fault.Error {
	return user(http.StatusNotFound, "ResourceNotFoundException", format, args...)
}

func conflict(format string, args ...any) *fault.Error {
	return user(http.StatusConflict, "ResourceConflictException", format, args...)
}

func functionNotFound(arn string) *fault.Error { return notFound("Function not found: %s", arn) }

func noSuchResource() *fault.Error {
	return notFound("The resource you requested does not exist.")
}

// unsupported refuses a parameter that AWS has and this does not, rather than
// letting a caller believe that it took effect.
func unsupported(parameter string) *fault.Error {
	return invalid("The parameter %s is not supported by Mayfly.", parameter)
}

// stale answers a revision id that is no longer the latest.
func stale(read string) *fault.Error {
	return user(http.StatusPreconditionFailed, "PreconditionFailedException",
		"The RevisionId provided does not match the latest RevisionId. Call the %s API to retrieve the latest RevisionId for your resource.", read)
}

// violates answers a value against the API's own constraints, before Lambda
// itself has looked at it.
func violates(value any, member, constraint string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "ValidationException",
		"1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: "+constraint,
		append([]any{value, member}, args...)...)
}

// within checks a number against its bounds.
func within(n int, member string, low, high int) error {
	switch {
	case n < low:
		return violates(n, member, "Member must have value greater than or equal to %d", low)
	case n > high:
		return violates(n, member, "Member must have value less than or equal to %d", high)
	}
	return nil
}

// shorter checks a text's length in bytes.
func shorter(s, member string, limit int) error {
	if len(s) > limit {
		return violates(clip(s), member, "Member must have length less than or equal to %d", limit)
	}
	return nil
}

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
