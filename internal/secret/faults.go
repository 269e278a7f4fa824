package secret

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The faults of Secrets Manager, by AWS's codes.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, code, format, args...)
}

// invalid is about a parameter, wrongState about what the secret is now.
func invalid(format string, args ...any) *fault.Error {
	return refuse("InvalidParameterException", format, args...)
}

func wrongState(format string, args ...any) *fault.Error {
	return refuse("InvalidRequestException", format, args...)
}

func violates(value any, member, constraint string) *fault.Error {
	return refuse("ValidationException", "1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

// unsupported refuses what AWS has and this has not.
func unsupported(parameter string) *fault.Error {
	return invalid("The parameter %s is not supported by Mayfly.", parameter)
}

var (
	errNotFound = refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	errNoValue  = refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret version.")
	errDeleted  = wrongState("You can't perform this operation on the secret because it was marked for deletion.")
	errToken    = refuse("InvalidNextTokenException", "The NextToken value is invalid.")
)

func noStage(stage string) *fault.Error {
	return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", clip(stage))
}

func noVersion(id string) *fault.Error {
	return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", clip(id))
}

func exists(name string) *fault.Error {
	return refuse("ResourceExistsException", "The operation failed because the secret %s already exists.", name)
}

func versionExists(id string) *fault.Error {
	return refuse("ResourceExistsException", "The version %s exists already with another value; a version can't be changed, only new ones be made.", id)
}

// badKey answers what went wrong with a secret's key when code was to be done;
// errors of ours stay ours.
func badKey(code string, err error) error {
	f := fault.As(err)
	if f.Status >= http.StatusInternalServerError {
		return err
	}
	return refuse(code, "Secrets Manager can't use the secret's KMS key: %s (%s)", f.Message, f.Code)
}

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
