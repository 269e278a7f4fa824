package iam

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The faults of IAM's API, by AWS's codes. Messages are AWS's wherever it has one:
// tools match on them.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and
// the errors of each operation.

func noSuchEntity(format string, args ...any) *fault.Error {
	return fault.New(http.StatusNotFound, "NoSuchEntity", format, args...)
}

func alreadyExists(format string, args ...any) *fault.Error {
	return fault.New(http.StatusConflict, "EntityAlreadyExists", format, args...)
}

func deleteConflict(format string, args ...any) *fault.Error {
	return fault.New(http.StatusConflict, "DeleteConflict", format, args...)
}

func limitExceeded(format string, args ...any) *fault.Error {
	return fault.New(http.StatusConflict, "LimitExceeded", format, args...)
}

func invalidInput(format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "InvalidInput", format, args...)
}

func malformedPolicy(format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}

func validation(format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "ValidationError", format, args...)
}

// constraint is the fault of one member's value.
func constraint(value any, member, rule string, args ...any) *fault.Error {
	return validation("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: "+rule,
		append([]any{value, member}, args...)...)
}

// notAttachable is the fault of a managed policy that is not there to be used.
func notAttachable(arn string) *fault.Error {
	return noSuchEntity("Policy %s does not exist or is not attachable.", clip(arn))
}

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 256
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
