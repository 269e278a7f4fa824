package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// Statuses of an outcome, as in platform.report.
const (
	statusSuccess = "success"
	statusError   = "error"
	statusTimeout = "timeout"
	statusFailure = "failure"
)

// exitWait is how long after the end of a control socket the program may take
// to end itself, so that its exit can be named.
const exitWait = 2 * time.Second

// failure is how an init or a call went wrong. Its payload is what the function
// itself reported; else it is made of kind and text, in Lambda's words.
type failure struct {
	status, kind string
	text         string
	payload      []byte
}

func (f *failure) Error() string { return f.kind + ": " + f.text }

// answer is what the caller of request id gets.
func (f *failure) answer(id string, timeout time.Duration) []byte {
	if f.payload != nil { // a failed init did not know its call yet
		return bytes.ReplaceAll(f.payload, []byte(frame.NilID), []byte(id))
	}
	text := "Error: " + f.text
	switch {
	case f.status == statusTimeout:
		text = "Error: " + timedOut(timeout)
	case f.kind == tooLarge:
		text = ""
	}
	message := f.text
	if text != "" {
		message = "RequestId: " + id + " " + text
	}
	b, err := json.Marshal(frame.ErrorBody{Message: message, Type: f.kind})
	if err != nil {
		return []byte("{}") // strings always have an encoding
	}
	return b
}

// line is what the log of request id says about it; "" when the function's own
// log says it already.
func (f *failure) line(id string, at time.Time, timeout time.Duration) string {
	switch {
	case f.payload != nil:
		return ""
	case f.status == statusTimeout:
		return at.UTC().Format(LogTime) + " " + id + " " + timedOut(timeout)
	}
	return "RequestId: " + id + " Error: " + f.text + "\n" + f.kind
}

func timedOut(timeout time.Duration) string {
	return fmt.Sprintf("Task timed out after %.2f seconds", timeout.Seconds())
}

const tooLarge = "Function.ResponseSizeTooLarge"

func errTooLarge() *failure {
	return &failure{status: statusError, kind: tooLarge,
		text: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)}
}

// errProtocol is for a program that does not keep to the protocol.
func errProtocol(what string) *failure {
	return &failure{status: statusFailure, kind: "Runtime.InvalidResponse", text: "The runtime " + what}
}

// thrown is an error that the function reported itself. What is no JSON is
// wrapped, so that a caller always gets an object.
func thrown(body []byte, status string) *failure {
	var e frame.ErrorBody
	if err := json.Unmarshal(body, &e); err != nil {
		e = frame.ErrorBody{Message: string(body[:min(len(body), 4<<10)]), Type: "Runtime.Unknown"}
		if body, err = json.Marshal(e); err != nil {
			body = []byte("{}")
		}
	}
	return &failure{status: status, kind: e.Type, text: e.Message, payload: body}
}

// ended names the end of the program behind a failed read or write.
func (e *Environment) ended(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		e.kill()
		return f
	}
	if errors.Is(err, frame.ErrTooLarge) {
		e.kill()
		return errProtocol("sent a frame over the limit")
	}
	t := time.NewTimer(exitWait)
	defer t.Stop()
	select {
	case <-e.m.sb.Done():
	case <-t.C:
		e.kill()
		return &failure{status: statusFailure, kind: "Runtime.ExitError", text: "Runtime closed its connection and went on"}
	}
	exit := e.m.sb.Exit()
	f = &failure{status: statusFailure, kind: "Runtime.ExitError"}
	switch {
	case exit.OutOfMemory:
		f.kind, f.text = "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"
	case exit.Signal != 0:
		f.text = "Runtime exited with error: signal: " + syscall.Signal(exit.Signal).String()
	case exit.Code != 0:
		f.text = fmt.Sprintf("Runtime exited with error: exit status %d", exit.Code)
	default:
		f.text = "Runtime exited without providing a reason"
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		f.text += " in the middle of an answer"
	}
	return f
}
