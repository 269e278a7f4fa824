package sts

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The faults of STS, by AWS's codes.
// Source: the errors of each operation in
// https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html

func denied(format string, args ...any) *fault.Error {
	return fault.New(http.StatusForbidden, "AccessDenied", format, args...)
}

func validation(format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "ValidationError", format, args...)
}

// constraint is the fault of one member's value.
func constraint(value any, member, rule string, args ...any) *fault.Error {
	return validation("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: "+rule,
		append([]any{value, member}, args...)...)
}

func malformedPolicy(format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}

func tooLarge(percent int) *fault.Error {
	return fault.New(http.StatusBadRequest, "PackedPolicyTooLarge",
		"Packed size of session policies and tags consumes %d%% of allotted space.", percent)
}

func invalidToken(format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, "InvalidIdentityToken", format, args...)
}

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 256
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
