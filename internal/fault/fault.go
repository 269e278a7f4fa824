package fault

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
)

// Error is an error with a place in an AWS protocol.
type Error struct {
	// Code is AWS's error code, "ResourceNotFoundException" for one. It is what
	// SDKs switch on, so it is never translated or abbreviated.
	Code string
	// Status is the HTTP status the code is answered with.
	Status int
	// Message is for a person: what happened, to which thing, what to do.
	Message string
	// Type is Lambda's "Type" member ("User" or "Service"); empty elsewhere.
	Type string
	// Fields are further members of the error's shape, by their wire names
	// ("Reason" of TooManyRequestsException). Nil for most.
	Fields map[string]string
	// RetryAfter, in seconds, becomes the Retry-After header when above zero.
	RetryAfter int

	cause error
}

// New makes an error of the code and status with a formatted message. A %w in
// the format keeps its operand as the cause, for errors.Is and for our log;
// the cause's text is part of the message, so it must be fit for the caller.
func New(status int, code, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Code: code, Status: status, Message: wrapped.Error(), cause: errors.Unwrap(wrapped)}
}

// Error gives code and message, as the AWS command line prints them.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap gives the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// With returns a copy with one more member of the error's shape.
func (e *Error) With(field, value string) *Error {
	c := *e
	c.Fields = make(map[string]string, len(e.Fields)+1)
	for k, v := range e.Fields {
		c.Fields[k] = v
	}
	c.Fields[field] = value
	return &c
}

// As finds the *Error in err's chain. An error without one that comes from a full
// disk says so; any other, context ends included, becomes an InternalFailure whose
// message says nothing of err. Both are codes that every AWS service may answer:
// https://docs.aws.amazon.com/transcribe/latest/APIReference/CommonErrors.html
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &Error{
			Code:   "ServiceUnavailable",
			Status: http.StatusServiceUnavailable,
			Message: "The disk of Mayfly's data folder is full, so nothing was changed. It takes new data again once there is space; " +
				"what was acknowledged before is kept, and can be read and deleted.",
			Type:  "Service",
			cause: err,
		}
	}
	return &Error{
		Code:    "InternalFailure",
		Status:  http.StatusInternalServerError,
		Message: "The request failed because of an error inside Mayfly; its log has the details under this request id.",
		Type:    "Service",
		cause:   err,
	}
}

// Is says whether err carries an *Error with this code.
func Is(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
