package bus

import (
	"net/http"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// The faults of EventBridge, by AWS's codes.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) *fault.Error {
	return refuse("ValidationException", format, args...)
}

func notFound(format string, args ...any) *fault.Error {
	return refuse("ResourceNotFoundException", format, args...)
}

func exists(format string, args ...any) *fault.Error {
	return refuse("ResourceAlreadyExistsException", format, args...)
}

func overLimit(format string, args ...any) *fault.Error {
	return refuse("LimitExceededException", format, args...)
}

func violates(value any, member, constraint string) *fault.Error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

// unsupported refuses what AWS has and this has not.
func unsupported(what string) *fault.Error { return invalid("%s is not supported by Mayfly.", what) }

func noBus(name string) *fault.Error { return notFound("Event bus %s does not exist.", clip(name)) }

func noRule(name, bus string) *fault.Error {
	return notFound("Rule %s does not exist on EventBus %s.", clip(name), bus)
}

func badPattern(err error) *fault.Error {
	return refuse("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
}

var (
	errToken   = invalid("NextToken is not valid for this request.")
	errManaged = refuse("ManagedRuleException", "This rule was created by an AWS service on behalf of your account. It is managed by that service. "+
		"If you see this error in response to DeleteRule or RemoveTargets, you can use the Force parameter in those calls to delete the rule or remove targets from the rule.")
)

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
