package queue

import (
	"errors"
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/message"
)

// The faults of SQS, by the names of their shapes; the wire gives those that speak
// awsQuery, or did, the older codes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) *fault.Error {
	return refuse("InvalidParameterValue", format, args...)
}

func invalidValue(value any, parameter, reason string) *fault.Error {
	return invalid("Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func missing(parameter string) *fault.Error {
	return refuse("MissingParameter", "The request must contain the parameter %s.", parameter)
}

func badAttribute(name, reason string) *fault.Error {
	if reason == "" {
		return refuse("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
	}
	return refuse("InvalidAttributeValue", "Invalid value for the parameter %s. Reason: %s", name, reason)
}

func unknownAttribute(name string) *fault.Error {
	return refuse("InvalidAttributeName", "Unknown Attribute %s.", clip(name))
}

var (
	errNotFound   = refuse("QueueDoesNotExist", "The specified queue does not exist.")
	errInFlight   = refuse("OverLimit", "The maximum number of in flight messages is reached.")
	errNoTask     = refuse("ResourceNotFoundException", "Task does not exist.")
	errNoSource   = refuse("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	errNotDead    = invalid("Source queue must be configured as a Dead Letter Queue.")
	errTaskRuns   = refuse("UnsupportedOperation", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	errNotType    = "The request include parameter that is not valid for this queue type"
	errNotFlying  = refuse("MessageNotInflight", "The message referred to is not in flight.")
	errNextToken  = invalid("Invalid or expired next token.")
	errNoMaximum  = invalid("A NextToken was given, but MaxResults was not.")
	errNoDedup    = invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	errPurgedTime = "Only one PurgeQueue operation on %s is allowed every 60 seconds."
)

// ofEngine turns an answer of the message engine into a fault.
func ofEngine(err error) error {
	switch {
	case errors.Is(err, message.ErrNoQueue):
		return errNotFound
	case errors.Is(err, message.ErrInFlight):
		return errInFlight
	}
	return err
}

// clip keeps a stranger's text in a message short.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
