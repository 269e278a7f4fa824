package parameter

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The faults of Parameter Store, by AWS's codes.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html#API_PutParameter_Errors

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) *fault.Error {
	return refuse("ValidationException", format, args...)
}

// violates answers a value against the API's own constraints. Values of parameters
// are never among the values shown.
func violates(value any, member, constraint string) *fault.Error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

var (
	errNotFound = refuse("ParameterNotFound", "")
	errToken    = refuse("InvalidNextToken", "The specified token isn't valid.")
)

// versionNotFound is about a selector: a version's number or a label.
func versionNotFound(selector, name string) *fault.Error {
	if isLabel(selector) {
		return refuse("ParameterVersionNotFound", "Systems Manager could not find label %s for parameter %s. Verify the label and try again.", clip(selector), name)
	}
	return refuse("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", clip(selector), name)
}

// badKey answers what went wrong with the key of a SecureString; errors of ours
// stay ours.
func badKey(err error) error {
	f := fault.As(err)
	if f.Status >= http.StatusInternalServerError {
		return err
	}
	return refuse("InvalidKeyId", "%s (Service: AWSKMS; Status Code: %d; Error Code: %s)", f.Message, f.Status, f.Code)
}

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
