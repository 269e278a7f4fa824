package guest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/agent/guest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if dir, err := built(); err == nil {
			os.RemoveAll(dir)
		}
		os.Exit(code)
	}))
}

const (
	id1 = "11111111-1111-4111-8111-111111111111"
	id2 = "22222222-2222-4222-8222-222222222222"
)

// worker is the outer end of an agent's control socket.
type worker struct {
	t    testing.TB
	conn net.Conn
}

// pair makes the control socket: the worker's end, and the agent's.
func pair(t testing.TB) (*worker, *os.File) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours := os.NewFile(uintptr(fds[0]), "worker")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &worker{t, conn}, os.NewFile(uintptr(fds[1]), "agent")
}

// expect reads the next frame, which must be of the kind.
func (w *worker) expect(k frame.Kind) string {
	w.t.Helper()
	if err := w.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	got, body, err := frame.Read(w.conn, nil)
	if err != nil {
		w.t.Fatalf("waiting for %q: %v", k, err)
	}
	if got != k {
		w.t.Fatalf("got a %q frame, want %q: %s", got, k, body)
	}
	return string(body)
}

// silent checks that the agent says nothing for a moment.
func (w *worker) silent() {
	w.t.Helper()
	if err := w.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		w.t.Fatal(err)
	}
	if k, body, err := frame.Read(w.conn, nil); err == nil {
		w.t.Fatalf("got a %q frame: %s", k, body)
	}
}

func (w *worker) send(k frame.Kind, v any) {
	w.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(frame.Append(nil, k, body))
}

func (w *worker) write(b []byte) {
	w.t.Helper()
	if _, err := w.conn.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

func (w *worker) invoke(id, payload string, c frame.Call) {
	w.t.Helper()
	b, err := frame.AppendInvoke(nil, id, c, []byte(payload))
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(b)
}

// failed reads a Failed frame.
func (w *worker) failed(id string) frame.ErrorBody {
	w.t.Helper()
	got, rest, _ := strings.Cut(w.expect(frame.Failed), "{")
	if got != id {
		w.t.Fatalf("Failed of %q, want %q", got, id)
	}
	var e frame.ErrorBody
	if err := json.Unmarshal([]byte("{"+rest), &e); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// world is an agent in this process, whose children are the test.
type world struct {
	*worker
	base   string
	client *http.Client
	procs  chan *proc
	output *os.File
	ended  chan error
	logs   *os.File
}

// proc is a process that the agent believes to have started.
type proc struct {
	cmd     guest.Command
	out     *os.File
	signals chan syscall.Signal
	exit    chan guest.Exit
	once    sync.Once
}

func (p *proc) Wait() guest.Exit { return <-p.exit }

func (p *proc) Signal(s syscall.Signal) {
	select {
	case p.signals <- s:
	default:
	}
	if s == syscall.SIGKILL {
		p.end(guest.Exit{Signal: s})
	}
}

func (p *proc) end(x guest.Exit) {
	p.once.Do(func() {
		p.out.Close()
		p.exit <- x
	})
}

// begin starts an agent and sends it an Init; Hello has come.
func begin(t *testing.T, init frame.InitBody) *world {
	t.Helper()
	w := &world{procs: make(chan *proc, 20), ended: make(chan error, 1)}
	var theirs *os.File
	w.worker, theirs = pair(t)
	l, err := guest.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.base = "http://" + l.Addr()
	if w.logs, w.output, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	control := guest.NewSocket(theirs)
	a := guest.New(guest.Config{Control: control, Listener: l, Start: w.start, Output: w.output})
	go func() {
		err := a.Run()
		_ = control.Close() // as the end of the program would
		w.ended <- err
	}()
	transport := &http.Transport{}
	w.client = &http.Client{Transport: transport, Timeout: 20 * time.Second}
	t.Cleanup(func() {
		w.conn.Close()
		select {
		case <-w.ended:
		case <-time.After(20 * time.Second):
			t.Error("the agent does not end")
		}
		transport.CloseIdleConnections()
		w.output.Close()
		w.logs.Close()
	})
	w.expect(frame.Hello)
	if init.Args == nil {
		init.Args = []string{"/var/task/bootstrap"}
	}
	w.send(frame.Init, init)
	return w
}

func (w *world) start(cmd guest.Command) (guest.Process, error) {
	out, err := syscall.Dup(int(cmd.Files[1].Fd()))
	if err != nil {
		return nil, err
	}
	p := &proc{cmd: cmd, out: os.NewFile(uintptr(out), "out"), signals: make(chan syscall.Signal, 8), exit: make(chan guest.Exit, 1)}
	w.procs <- p
	return p, nil
}

// started waits for the next process.
func (w *world) started() *proc {
	w.t.Helper()
	select {
	case p := <-w.procs:
		return p
	case <-time.After(20 * time.Second):
		w.t.Fatal("nothing was started")
		return nil
	}
}

// reply is an answer of the APIs.
type reply struct {
	status int
	header http.Header
	body   string
}

// do makes a request; headers are given as "Name: value".
func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	r, err := w.try(method, path, body, headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) try(method, path, body string, headers ...string) (reply, error) {
	req, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Set(k, v)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(bytes.TrimSpace(b))}, err
}

// later makes a request that will wait.
func (w *world) later(method, path, body string, headers ...string) <-chan reply {
	c := make(chan reply, 1)
	go func() {
		r, _ := w.try(method, path, body, headers...) // status 0 says that it failed
		c <- r
	}()
	return c
}

func (w *world) get(c <-chan reply) reply {
	w.t.Helper()
	select {
	case r := <-c:
		return r
	case <-time.After(20 * time.Second):
		w.t.Fatal("no answer")
		return reply{}
	}
}

// until waits for the runtime's state, by its name in the refusal of a request
// that it may make in none of them.
func (w *world) until(state string) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		r := w.do("POST", "/2018-06-01/runtime/init/error", "")
		if strings.Contains(r.body, "from "+state+" to") {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("the runtime is not %s: %s", state, r.body)
		}
	}
}

// end says Shutdown and waits for the agent to end.
func (w *world) end() {
	w.t.Helper()
	w.send(frame.Shutdown, frame.ShutdownBody{Reason: "spindown", TimeoutMs: 2000})
	select {
	case err := <-w.ended:
		w.ended <- err
		if err != nil {
			w.t.Errorf("the agent ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		w.t.Fatal("the agent does not end")
	}
}
