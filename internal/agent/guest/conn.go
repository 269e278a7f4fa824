package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/agent/http1"
)

// maxConns bounds the connections that programs inside hold open.
const maxConns = 64

// errHangUp ends a connection without an answer.
var errHangUp = errors.New("connection given up")

// conn is one connection of a program inside.
type conn struct {
	http   *http1.Conn
	waiter waiter
	body   []byte // kept from one answer to the next
}

// apiError is an error of Lambda's APIs.
type apiError struct {
	status       int
	kind, detail string
}

// The errors of every API here, in AWS's words.
var (
	errRequestID = &apiError{400, "InvalidRequestID", "Invalid request ID"}
	errMode      = &apiError{400, "InvalidFunctionResponseMode", "Invalid function response mode"}
	errTruncated = &apiError{400, "TruncatedHTTPRequest", "HTTP request detected as truncated"}
	errEntity    = &apiError{413, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse)}
	errMalformed = &apiError{400, "InvalidRequestFormat", "The HTTP request could not be understood"}
	errNotFound  = &apiError{404, "NotFound", "404 page not found"}
	errMethod    = &apiError{405, "MethodNotAllowed", "405 method not allowed"}
)

// stateError is what a runtime gets for a request it can't make now.
func stateError(from, to string) *apiError {
	return &apiError{403, "InvalidStateTransition",
		"State transition from " + from + " to " + to + " failed for runtime. Error: State transition is not allowed"}
}

// accept answers that a request was taken.
func (c *conn) accept() error {
	return c.http.Reply(202, "application/json", []byte("{\"status\":\"OK\"}\n"))
}

// refuse answers with an error.
func (c *conn) refuse(e *apiError) error {
	body, _ := json.Marshal(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{e.detail, e.kind}) // strings always encode
	return c.http.Reply(e.status, "application/json", append(body, '\n'))
}

// refuseAndClose answers with an error on a connection that can't be read on.
func (c *conn) refuseAndClose(e *apiError) error {
	_ = c.refuse(e) // it closes either way
	return errHangUp
}

// keep keeps the buffer of a body for the next one, unless it is large.
func (c *conn) keep(b []byte) {
	if cap(b) <= keepBuffer {
		c.body = b[:0]
	} else {
		c.body = nil
	}
}

// accept serves the connections that programs inside make.
func (a *Agent) accept() {
	for {
		s, err := a.cfg.Listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				a.end(nil, err)
			}
			return
		}
		if !a.conns.add(s) {
			_ = s.Close() // over the limit: the program is told by the end of file
			continue
		}
		a.tasks.Go(func() {
			defer a.conns.remove(s)
			a.serve(s)
		})
	}
}

// serve answers the requests of one connection until it ends.
func (a *Agent) serve(s *Socket) {
	c := &conn{http: http1.NewConn(s), waiter: waiter{ready: make(chan struct{}, 1)}}
	for {
		req, err := c.http.Next()
		if errors.Is(err, http1.ErrMalformed) || errors.Is(err, http1.ErrTooLarge) {
			_ = c.refuseAndClose(errMalformed) // it closes either way
			return
		}
		if err != nil {
			return
		}
		last := req.Close
		if err := a.route(c, req); err != nil || last {
			return
		}
	}
}

// route finds the API that is meant.
func (a *Agent) route(c *conn, req *http1.Request) error {
	path := string(req.Path)
	if rest, ok := strings.CutPrefix(path, "/2018-06-01/runtime/"); ok {
		return a.serveRuntime(c, req, rest)
	}
	if rest, ok := strings.CutPrefix(path, "/2020-01-01/extension/"); ok {
		return a.serveExtension(c, req, rest)
	}
	switch strings.TrimSuffix(path, "/") {
	case "/2022-07-01/telemetry":
		return a.serveSubscribe(c, req, false)
	case "/2020-08-15/logs":
		return a.serveSubscribe(c, req, true)
	}
	return c.refuse(errNotFound)
}

// connections are those that are open.
type connections struct {
	closing chan struct{} // closed by close

	mu   sync.Mutex
	open map[*Socket]struct{}
}

func newConnections() *connections {
	return &connections{closing: make(chan struct{}), open: map[*Socket]struct{}{}}
}

func (cs *connections) add(s *Socket) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	select {
	case <-cs.closing:
		return false
	default:
	}
	if len(cs.open) >= maxConns {
		return false
	}
	cs.open[s] = struct{}{}
	return true
}

// adopt adds a connection of our own making to those that close hangs up.
func (cs *connections) adopt(s *Socket) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.open[s] = struct{}{}
}

func (cs *connections) remove(s *Socket) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.open, s)
	_ = s.Close() // it is over
}

// close ends every connection; whoever serves one is let go.
func (cs *connections) close() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	close(cs.closing)
	for s := range cs.open {
		s.HangUp()
	}
}
