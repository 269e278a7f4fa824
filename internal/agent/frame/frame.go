// Package frame is the protocol between a worker and the program at the inner
// end of a sandbox's control socket (descriptor 3).
//
// A frame is an 8-byte header and a body:
//
//	byte 0      kind, an ASCII letter
//	bytes 1-3   zero
//	bytes 4-7   length of the body, little-endian
//
// One conversation, the worker's frames on the left:
//
//	                     Hello    the program is up: {"runtime":"nodejs","version":"v20.20.2"}
//	Init ──────────▶              load this handler, with this environment (an InitBody)
//	        ◀────────── Ready     or Failed with an ErrorBody: init failed.
//	                              Empty, or a ReadyBody
//	Invoke ────────▶              one call: a Call, as JSON, and the payload
//	        ◀────────── Result    the answer, or Failed with an ErrorBody
//	   or   ◀────────── Begin     a streamed answer: Begin, Chunk..., End
//	        ◀────────── Chunk
//	        ◀────────── End       empty, or an ErrorBody when it broke midway
//	        ◀────────── Idle      everything after the answer is done (only where
//	                              Ready said "idle":true: extensions are running).
//	                              The next call waits for it
//	Shutdown ──────▶              clean up and exit: {"reason":"spindown","timeoutMs":300}
//
// The frames of a call name it: Invoke, Result, Failed and Begin bodies start with
// the request id, 36 ASCII bytes, so that an answer to another call is told from
// one to this (Failed of an Init has the nil UUID). There is one call at a time.
// What follows the id in Failed is the answer as its caller gets it: an ErrorBody,
// or the JSON a runtime gave as its error, members unknown here included. The texts
// made here name the call ("RequestId: <id> Error: ..."), the nil UUID for an Init.
//
// Everything a program sends is hostile: lengths are bounded, unknown kinds and
// frames out of order end the sandbox.
package frame

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Kind tells frames apart.
type Kind byte

// The kinds, and who sends them.
const (
	Hello    Kind = 'H' // program
	Init     Kind = 'I' // worker
	Ready    Kind = 'K' // program
	Invoke   Kind = 'C' // worker
	Result   Kind = 'R' // program
	Failed   Kind = 'E' // program
	Begin    Kind = 'B' // program; after the id: {"contentType":"..."}
	Chunk    Kind = 'D' // program; raw bytes, at most MaxChunk
	End      Kind = 'Z' // program
	Idle     Kind = 'N' // program
	Shutdown Kind = 'X' // worker
)

// Sizes, in bytes.
const (
	HeaderLen = 8
	IDLen     = 36
	// MaxBody bounds a frame: a payload of 6 MiB (responses: 6 MiB + 100), or an
	// init body, with room for what surrounds it.
	MaxBody = 7 << 20
	// MaxChunk bounds one chunk of a streamed answer.
	MaxChunk = 256 << 10
)

// NilID stands for "no call" in a Failed frame that answers an Init.
const NilID = "00000000-0000-0000-0000-000000000000"

// ErrTooLarge is what Read returns for a body over the limit. The stream can't
// be read further.
var ErrTooLarge = errors.New("frame over the limit")

// InitBody is the JSON body of Init. The program sets the environment, then
// loads the handler.
type InitBody struct {
	// Handler is as configured: "index.handler", "pkg.Class::method".
	Handler string `json:"handler"`
	// TaskRoot is where the code is: /var/task.
	TaskRoot string `json:"taskRoot"`
	// Env is everything the code may see, reserved variables included.
	Env map[string]string `json:"env"`
	// MemoryMiB lets a runtime bound its own heap.
	MemoryMiB int `json:"memoryMiB"`
	// LogFormat is "Text" or "JSON"; the levels apply to JSON.
	LogFormat           string `json:"logFormat"`
	ApplicationLogLevel string `json:"applicationLogLevel,omitempty"`
	SystemLogLevel      string `json:"systemLogLevel,omitempty"`
	// Args is the command of a runtime that an agent must start: a custom
	// runtime's bootstrap, or a managed one's bootstrap under extensions. Empty
	// where the program is itself the runtime.
	Args []string `json:"args,omitempty"`
	// Framed says that what Args starts speaks frames on its own descriptor 3.
	Framed bool `json:"framed,omitempty"`
	// Extensions are the paths of external extensions to start.
	Extensions []string `json:"extensions,omitempty"`
	// Function describes it to extensions.
	FunctionName    string `json:"functionName"`
	FunctionVersion string `json:"functionVersion"`
	FunctionARN     string `json:"functionArn"`
	AccountID       string `json:"accountId"`
	// InitTimeoutMs bounds the load; the worker enforces it too.
	InitTimeoutMs int64 `json:"initTimeoutMs"`
}

// Call is the JSON part of an Invoke frame, which is laid out as
//
//	36 bytes request id | 4 bytes length of the JSON, little-endian | JSON | payload
type Call struct {
	ARN        string `json:"arn"` // invoked function ARN, with its qualifier if one was given
	DeadlineMs int64  `json:"deadlineMs"`
	TraceID    string `json:"traceId,omitempty"`       // the X-Amzn-Trace-Id header
	Client     string `json:"clientContext,omitempty"` // JSON text
	Identity   string `json:"identity,omitempty"`      // JSON text (Cognito)
	// Stream says that the caller takes a streamed answer.
	Stream bool `json:"stream,omitempty"`
}

// ErrorBody is what a function's error looks like to its caller.
type ErrorBody struct {
	Message string   `json:"errorMessage"`
	Type    string   `json:"errorType"`
	Trace   []string `json:"trace,omitempty"`
}

// HelloBody is the JSON body of Hello.
type HelloBody struct {
	Runtime string `json:"runtime"`
	Version string `json:"version"`
	// Idle is for a program that knows of extensions before its Init; the others
	// say it with Ready.
	Idle bool `json:"idle,omitempty"`
}

// ReadyBody is the JSON body of Ready; an empty one means the zero value.
type ReadyBody struct {
	// Idle says that extensions are running: each call ends with an Idle.
	Idle bool `json:"idle,omitempty"`
}

// BeginBody is the JSON part of Begin.
type BeginBody struct {
	ContentType string `json:"contentType"`
}

// ShutdownBody is the JSON body of Shutdown.
type ShutdownBody struct {
	Reason    string `json:"reason"` // "spindown", "timeout" or "failure"
	TimeoutMs int64  `json:"timeoutMs"`
}

// Append appends a frame of the parts to b.
func Append(b []byte, k Kind, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b = append(b, byte(k), 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// Read reads one frame. buf is used for the body when it is large enough, so
// the body is valid until the next Read with the same buf. It returns io.EOF
// only between frames.
func Read(r io.Reader, buf []byte) (Kind, []byte, error) {
	var h [HeaderLen]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(h[4:])
	if n > MaxBody {
		return 0, nil, fmt.Errorf("read %q frame of %d bytes: %w", h[0], n, ErrTooLarge)
	}
	if int(n) > cap(buf) {
		buf = make([]byte, n)
	}
	body := buf[:n]
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, fmt.Errorf("read body of %q frame: %w", h[0], noEOF(err))
	}
	return Kind(h[0]), body, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// CutID splits the request id off a body that starts with one.
func CutID(body []byte) (id string, rest []byte, ok bool) {
	if len(body) < IDLen {
		return "", nil, false
	}
	return string(body[:IDLen]), body[IDLen:], true
}

// ErrBadInvoke is what CutInvoke returns for a body that isn't laid out as one.
var ErrBadInvoke = errors.New("malformed Invoke frame")

// AppendInvoke appends an Invoke frame to b.
func AppendInvoke(b []byte, id string, c Call, payload []byte) ([]byte, error) {
	if len(id) != IDLen {
		return b, fmt.Errorf("request id %q: %w", id, ErrBadInvoke)
	}
	meta, err := json.Marshal(c)
	if err != nil {
		return b, fmt.Errorf("encode call: %w", err)
	}
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(meta)))
	return Append(b, Invoke, []byte(id), n[:], meta, payload), nil
}

// CutInvoke splits the body of an Invoke frame. The payload is part of body.
func CutInvoke(body []byte) (id string, c Call, payload []byte, err error) {
	id, rest, ok := CutID(body)
	if !ok || len(rest) < 4 {
		return "", Call{}, nil, ErrBadInvoke
	}
	n := binary.LittleEndian.Uint32(rest)
	rest = rest[4:]
	if uint64(n) > uint64(len(rest)) {
		return "", Call{}, nil, ErrBadInvoke
	}
	if err := json.Unmarshal(rest[:n], &c); err != nil {
		return "", Call{}, nil, fmt.Errorf("decode call: %w", err)
	}
	return id, c, rest[n:], nil
}
