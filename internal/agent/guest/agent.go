package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// Address is where the APIs are served in a sandbox.
const Address = "127.0.0.1:9001"

// watchEvery is how long a call may run before someone listens to the worker
// besides (see Agent.turn).
const watchEvery = 50 * time.Millisecond

// Config is what an Agent needs.
type Config struct {
	// Control is the socket to the worker. Its end ends the agent. The agent
	// hangs it up, and leaves it open.
	Control *Socket
	// Listener is where the APIs are served. The agent closes it.
	Listener *Listener
	// Start starts the runtime and the extensions.
	Start func(Command) (Process, error)
	// Output is what the runtime and the extensions write their logs to.
	// Telemetry is handed to a framed runtime as its descriptor 4; may be nil.
	Output, Telemetry *os.File
}

// Agent serves one sandbox, from Hello to Shutdown.
type Agent struct {
	cfg     Config
	control *control
	events  *events
	conns   *connections
	quit    chan struct{} // closed by end
	wake    chan struct{} // tells Run to read the control socket
	watch   chan struct{} // tells watchman of a call
	tasks   sync.WaitGroup

	mu       sync.Mutex
	progress *sync.Cond // on mu; a call was delivered, or its answer sent, or all is over
	init     frame.InitBody
	begun    time.Time // of the init
	ready    bool      // Ready was sent
	dead     *failure  // no call can be served any more
	runtime  runtime
	exts     []*extension
	pipes    []*logPipe // the children's logs, where they pass through here
	call     *call
	next     *call // came before the runtime asked for it
	owed     bool  // an Idle
	reading  bool  // someone reads the control socket
	calls    int64 // handed to the runtime
	watched  bool  // by watchman
	bye      *frame.ShutdownBody
	err      error
	ended    bool
}

// New makes an agent.
func New(cfg Config) *Agent {
	a := &Agent{
		cfg:     cfg,
		control: newControl(cfg.Control),
		quit:    make(chan struct{}),
		wake:    make(chan struct{}, 1),
		watch:   make(chan struct{}, 1),
	}
	a.progress = sync.NewCond(&a.mu)
	a.conns = newConnections()
	a.events = newEvents(&a.tasks)
	return a
}

// Run says Hello and serves until the worker says Shutdown or hangs up; then it
// ends what it started and returns. Anything else that ends it is an error.
func (a *Agent) Run() error {
	a.tasks.Go(a.accept)
	a.tasks.Go(a.watchman)
	err := a.control.sendJSON(frame.Hello, "", frame.HelloBody{Runtime: "provided", Version: "1"})
	if err != nil {
		a.end(nil, err)
	}
	a.listen()
	a.mu.Lock()
	bye, err := a.bye, a.err
	a.mu.Unlock()
	if bye != nil {
		a.shutdown(*bye)
	}
	a.close()
	return err
}

// listen reads the control socket whenever the runtime's connection doesn't.
func (a *Agent) listen() {
	for {
		a.turn()
		select {
		case <-a.quit:
			return
		case <-a.wake:
		}
	}
}

// turn reads frames and acts on them until a call was handed to the runtime, or
// the agent has ended. At most one goroutine is in it:
//
//   - Run's, until it has handed over the first call, and again when a call
//     takes longer than watchEvery, or when the runtime has ended;
//   - else the one that serves the runtime's "next", so that a call goes from
//     the control socket to the runtime's connection in one goroutine;
//   - nobody, while a short call runs: the worker has nothing to say then.
func (a *Agent) turn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reading {
		return
	}
	for n := a.calls; !a.ended && n == a.calls; {
		a.reading = true
		a.mu.Unlock()
		k, body, err := a.control.read()
		a.mu.Lock()
		a.reading = false
		if errors.Is(err, io.EOF) {
			a.endLocked(nil, nil)
		} else if err != nil {
			a.endLocked(nil, fmt.Errorf("read control socket: %w", err))
		} else if err = a.act(k, body); err != nil {
			a.endLocked(nil, err)
		}
	}
}

// act does what a frame says. It is called with the lock held.
func (a *Agent) act(k frame.Kind, body []byte) error {
	switch {
	case k == frame.Init && a.begun.IsZero():
		defer a.control.recycle(body)
		if err := json.Unmarshal(body, &a.init); err != nil {
			return fmt.Errorf("decode Init: %w", err)
		}
		return a.start()
	case k == frame.Invoke && !a.begun.IsZero():
		return a.invoke(body)
	case k == frame.Shutdown:
		defer a.control.recycle(body)
		var bye frame.ShutdownBody
		if err := json.Unmarshal(body, &bye); err != nil {
			return fmt.Errorf("decode Shutdown: %w", err)
		}
		a.endLocked(&bye, nil)
		return nil
	}
	return fmt.Errorf("%q frame out of order", byte(k))
}

// handed counts a call that was given to the runtime, and has it watched.
func (a *Agent) handed() {
	a.calls++
	if !a.watched {
		a.watched = true
		signal(a.watch)
	}
}

// watchman has Run listen to the worker while a call takes long. One watch
// serves many short calls, so that they pay for no timer of their own; it is a
// plain sleep, since a timer would start the poller.
func (a *Agent) watchman() {
	for {
		select {
		case <-a.watch:
		case <-a.quit:
			return
		}
		for seen := int64(-1); ; {
			pause := syscall.NsecToTimespec(int64(watchEvery))
			_ = syscall.Nanosleep(&pause, nil) // a signal makes it short
			a.mu.Lock()
			if seen == a.calls || a.ended {
				a.watched = false
				a.poke()
				a.mu.Unlock()
				break
			}
			seen = a.calls
			a.mu.Unlock()
		}
	}
}

// poke has Run look whether it must read.
func (a *Agent) poke() { signal(a.wake) }

// end has Run return, after a shutdown if bye isn't nil. The first end counts.
func (a *Agent) end(bye *frame.ShutdownBody, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endLocked(bye, err)
}

func (a *Agent) endLocked(bye *frame.ShutdownBody, err error) {
	if a.ended {
		return
	}
	a.ended, a.bye, a.err = true, bye, err
	a.progress.Broadcast()
	close(a.quit)
}

// close ends everything and waits for it.
func (a *Agent) close() {
	_ = a.cfg.Listener.Close() // nothing more is accepted either way
	a.mu.Lock()
	ps := a.processes()
	a.mu.Unlock()
	for _, p := range ps {
		p.kill()
	}
	for _, p := range a.pipes {
		p.end()
	}
	a.cfg.Control.HangUp() // whoever still reads it is let go
	a.conns.close()
	a.events.close()
	a.tasks.Wait()
}
