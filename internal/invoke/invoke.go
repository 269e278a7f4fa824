package invoke

import (
	"time"

	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// Target is what a name, ARN or qualifier stands for at the moment of a call.
type Target struct {
	// Version to run; an alias with weights has been decided.
	Version worker.Version
	// InvokedARN is the function's ARN with the qualifier the caller used.
	InvokedARN string
	// Reserved is the function's reserved concurrency; -1 for none.
	Reserved int
	// Traced says that the function's tracing is Active: where nobody has decided
	// whether a call is sampled, some are.
	Traced bool
	// Async are the settings of an asynchronous call to this qualifier.
	Async AsyncConfig
}

// AsyncConfig is Lambda's event invoke config with its defaults filled in.
type AsyncConfig struct {
	MaxAge     time.Duration // default 6 h
	MaxRetries int           // default 2
	// OnSuccess, OnFailure and DeadLetter are ARNs; empty for none.
	OnSuccess, OnFailure, DeadLetter string
}

// Request is one call of a function.
type Request struct {
	// ID is the request id the caller sees.
	ID       string
	Function string // name, partial ARN or ARN
	// Qualifier is a version or alias; empty for the one in Function or $LATEST.
	Qualifier string
	Payload   []byte
	// ClientContext and Identity are JSON texts for the handler's context.
	ClientContext, Identity string
	// TraceHeader is the X-Amzn-Trace-Id that came in, if any.
	TraceHeader string
	// Tail asks for the last 4 KiB of the log.
	Tail bool

	cut bool // the end of the context ends the call: it will run again
}

// Response is a function's answer, error answers included.
type Response struct {
	// Payload is the handler's answer or its error as JSON.
	Payload []byte
	// FunctionError is "" or "Unhandled" ("Handled" is no longer given by AWS's
	// runtimes).
	FunctionError string
	// Version that ran: "$LATEST" or a number.
	Version string
	// LogTail is the last 4 KiB of the call's log when asked for.
	LogTail []byte
	// Report has the phases and the price of the call.
	Report Report
}

// Stream receives a streamed answer. Methods are called in order, by one goroutine.
type Stream = worker.Stream

// Report is what one call took, phase by phase: the REPORT line, the answer's
// headers and the spans all come from it.
type Report struct {
	RequestID string
	// Duration of the handler; BilledDuration rounds it, and the init phase of
	// a cold start, up to a whole millisecond.
	Duration, BilledDuration time.Duration
	// Start says where the environment came from.
	Start StartKind
	// Phases of a cold start: zero when warm.
	Queue, Download, Sandbox, RuntimeInit, UserInit time.Duration
	MemoryMiB                                       int
	// MaxMemoryBytes is as last measured: measuring is kept off the call's path.
	MaxMemoryBytes int64
	// Status is "success", "error", "timeout" or "failure".
	Status    string
	ErrorType string
}

// StartKind says where an environment came from.
type StartKind = worker.StartKind

// The kinds of start.
const (
	Warm        = worker.Warm        // an idle environment of the version
	Pooled      = worker.Pooled      // a pre-booted sandbox, specialised
	Cold        = worker.Cold        // a sandbox made for this call
	Provisioned = worker.Provisioned // initialised ahead by configuration
)
