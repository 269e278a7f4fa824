package guest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/agent/http1"
)

// Limits of the Extensions API.
const (
	maxExtensions   = 10
	maxName         = 128
	maxRegistration = 4 << 10
)

// Headers of the Extensions API.
const (
	headerExtensionName  = "Lambda-Extension-Name"
	headerExtensionID    = "Lambda-Extension-Identifier"
	headerExtensionError = "Lambda-Extension-Function-Error-Type"
	headerFeature        = "Lambda-Extension-Accept-Feature"
)

// extensionState is where an extension stands.
type extensionState int

const (
	extStarted    extensionState = iota // its process runs
	extRegistered                       // has not called next yet
	extReady                            // waits in next
	extRunning                          // has an event
	extFailed                           // has ended, or said that it failed
)

// String is AWS's name for the state.
func (s extensionState) String() string {
	return [...]string{"Started", "Registered", "Ready", "Running", "ExitError"}[s]
}

// extension is a program that registered, or one that was started to.
type extension struct {
	name, id         string
	external         bool
	invoke, shutdown bool // the events it wants
	state            extensionState
	proc             *child      // external ones
	waiting          chan []byte // its call of next
	event            []byte      // came while it was busy
}

// rests says whether the extension keeps nothing waiting: the init until it has
// first called next, a call only if it is told of calls.
func (e *extension) rests(ready bool) bool {
	return e.state == extReady || e.state == extFailed || ready && !e.invoke
}

// serveExtension answers a request of the Extensions API; path is what follows
// /2020-01-01/extension/.
func (a *Agent) serveExtension(c *conn, req *http1.Request, path string) error {
	method := string(req.Method)
	switch {
	case path == "register" && method == "POST":
		return a.serveRegister(c, req)
	case path == "event/next" && method == "GET":
		return a.serveEvent(c, req)
	case path == "init/error" && method == "POST", path == "exit/error" && method == "POST":
		return a.serveExtensionError(c, req, path == "init/error")
	case path == "register", path == "event/next", path == "init/error", path == "exit/error":
		return c.refuse(errMethod)
	}
	return c.refuse(errNotFound)
}

// serveRegister registers an external extension that was started here, or an
// internal one: a part of the runtime's process.
func (a *Agent) serveRegister(c *conn, req *http1.Request) error {
	name := string(req.Get(headerExtensionName))
	account := strings.Contains(string(req.Get(headerFeature)), "accountId")
	if name == "" || len(name) > maxName {
		return c.refuse(&apiError{403, "Extension.InvalidExtensionName", "Empty extension name"})
	}
	body, err := c.http.ReadBody(nil, maxRegistration)
	if errors.Is(err, http1.ErrTooLarge) {
		return c.refuse(errEntity)
	} else if err != nil {
		return c.refuseAndClose(errTruncated)
	}
	var in struct {
		Events []string `json:"events"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return c.refuse(&apiError{403, "InvalidRequestFormat", err.Error()})
	}
	a.mu.Lock()
	e, refusal := a.register(name, in.Events)
	a.mu.Unlock()
	if refusal != nil {
		return c.refuse(refusal)
	}
	out := map[string]string{
		"functionName": a.init.FunctionName, "functionVersion": a.init.FunctionVersion, "handler": a.init.Handler,
	}
	if account {
		out["accountId"] = a.init.AccountID
	}
	answer, _ := json.Marshal(out) // strings always encode
	h := http1.AppendField(c.http.Head(200), "Content-Type", "application/json")
	return c.http.ReplyHead(http1.AppendField(h, headerExtensionID, e.id), answer)
}

// register finds or makes the extension. It is called with the lock held.
func (a *Agent) register(name string, events []string) (*extension, *apiError) {
	e := a.extension(func(e *extension) bool { return e.name == name })
	if e == nil {
		switch {
		case a.ready || a.begun.IsZero() || a.runtime.state >= atRest:
			return nil, &apiError{403, "Extension.RegistrationClosed", "Extension registration closed already"}
		case len(a.exts) >= maxExtensions:
			return nil, &apiError{403, "Extension.TooManyExtensions", fmt.Sprintf("Extension limit (%d) reached", maxExtensions)}
		}
		e = &extension{name: name}
	} else if !e.external {
		return nil, &apiError{403, "Extension.InvalidExtensionState", "Extension with this name already registered"}
	} else if e.state != extStarted {
		return nil, extensionStateError(e, "Registered")
	}
	for _, v := range events {
		switch {
		case v == "INVOKE":
			e.invoke = true
		case v == "SHUTDOWN" && e.external:
			e.shutdown = true
		default:
			return nil, &apiError{403, "Extension.InvalidEventType", v + ": ErrorInvalidEventType"}
		}
	}
	e.id, e.state = newID(), extRegistered
	if !e.external {
		a.exts = append(a.exts, e)
	}
	a.startRuntime()
	return e, nil
}

// serveEvent waits for the extension's next event.
func (a *Agent) serveEvent(c *conn, req *http1.Request) error {
	a.mu.Lock()
	e, refusal := a.identify(req)
	if refusal == nil && e.state != extRegistered && e.state != extRunning && e.state != extReady {
		refusal = extensionStateError(e, "Ready")
	}
	if refusal != nil {
		a.mu.Unlock()
		return c.refuse(refusal)
	}
	if e.waiting != nil {
		close(e.waiting) // the connection of an earlier next is given up
	}
	w := make(chan []byte, 1)
	e.waiting = w
	if e.state == extRegistered {
		a.events.extension(a, e, "Ready")
	}
	e.state = extReady
	if event := e.event; event != nil {
		e.event = nil
		e.tell(event)
	}
	a.settle()
	a.mu.Unlock()
	select {
	case event, ok := <-w:
		if !ok {
			return errHangUp
		}
		h := http1.AppendField(c.http.Head(200), "Content-Type", "application/json")
		return c.http.ReplyHead(http1.AppendField(h, "Lambda-Extension-Event-Identifier", newID()), event)
	case <-a.conns.closing:
		return errHangUp
	}
}

// tell gives the extension an event, now or when it next asks.
func (e *extension) tell(event []byte) {
	if e.waiting == nil {
		e.event = event
		return
	}
	e.waiting <- event
	e.waiting, e.state = nil, extRunning
}

// tellExtensions gives a call to the extensions that want to know of calls.
func (a *Agent) tellExtensions(c *call) {
	if len(a.exts) == 0 {
		return
	}
	type tracing struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	event, _ := json.Marshal(struct {
		Type     string  `json:"eventType"`
		Deadline int64   `json:"deadlineMs"`
		ID       string  `json:"requestId"`
		ARN      string  `json:"invokedFunctionArn"`
		Tracing  tracing `json:"tracing"`
	}{"INVOKE", c.meta.DeadlineMs, c.id, c.meta.ARN, tracing{"X-Amzn-Trace-Id", c.meta.TraceID}}) // always encodes
	for _, e := range a.exts {
		if e.invoke && e.state != extFailed {
			e.tell(event)
		}
	}
}

// serveExtensionError takes an extension's word that it failed.
func (a *Agent) serveExtensionError(c *conn, req *http1.Request, init bool) error {
	kind := string(req.Get(headerExtensionError))
	a.mu.Lock()
	e, refusal := a.identify(req)
	a.mu.Unlock()
	if refusal != nil {
		return c.refuse(refusal)
	}
	if kind == "" {
		return c.refuse(&apiError{403, "Extension.MissingHeader", headerExtensionError + " not found"})
	}
	body, err := c.http.ReadBody(nil, maxError)
	if err != nil {
		return c.refuseAndClose(errTruncated)
	}
	var said frame.ErrorBody
	if json.Unmarshal(body, &said) != nil || said.Message == "" {
		said.Message = kind
	}
	a.mu.Lock()
	to := "ExitError"
	if init {
		to = "InitError"
	}
	if e.state == extFailed || init && e.state != extRegistered {
		refusal = extensionStateError(e, to)
		a.mu.Unlock()
		return c.refuse(refusal)
	}
	e.state = extFailed
	a.events.extension(a, e, to)
	a.fail("Extension."+to, "%s: %s", e.name, said.Message)
	a.mu.Unlock()
	return c.accept()
}

// extensionEnded takes note that an external extension's process is gone.
func (a *Agent) extensionEnded(e *extension, x Exit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	e.state = extFailed
	if x.Success() {
		a.fail("Extension.Crash", "exit code 0")
	} else {
		a.fail("Extension.Crash", "%s", x)
	}
	a.settle()
}

// identify finds the extension that makes a request.
func (a *Agent) identify(req *http1.Request) (*extension, *apiError) {
	id := string(req.Get(headerExtensionID))
	switch {
	case id == "":
		return nil, &apiError{403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"}
	case len(id) != frame.IDLen:
		return nil, &apiError{403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"}
	}
	e := a.extension(func(e *extension) bool { return e.id == id })
	if e == nil {
		return nil, &apiError{403, "Extension.UnknownExtensionIdentifier", "Unknown extension " + id}
	}
	return e, nil
}

func (a *Agent) extension(is func(*extension) bool) *extension {
	for _, e := range a.exts {
		if is(e) {
			return e
		}
	}
	return nil
}

func extensionStateError(e *extension, to string) *apiError {
	return &apiError{403, "Extension.InvalidExtensionState", fmt.Sprintf(
		"State transition from %s to %s failed for extension %s. Error: State transition is not allowed", e.state, to, e.name)}
}

// newID makes a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
