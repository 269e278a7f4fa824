package runtime_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// answerTimeout bounds every wait for a frame.
const answerTimeout = 10 * time.Second

const testID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

// child is a bootstrap running as an ordinary process.
type child struct {
	t    testing.TB
	cmd  *exec.Cmd
	conn net.Conn
	in   *bufio.Reader
	root string

	out  output
	mu   sync.Mutex
	logs []logLine
	done chan struct{} // closed when the log pipe has ended
}

// logLine is one telemetry frame.
type logLine struct {
	Kind uint32
	Text string
	Time time.Time
}

// output is what a child has written to its standard output and error.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// printed waits until the child has written this and nothing else.
func (c *child) printed(want string) {
	c.t.Helper()
	for deadline := time.Now().Add(answerTimeout); ; time.Sleep(time.Millisecond) {
		got := c.out.String()
		if got == want {
			return
		}
		if !strings.HasPrefix(want, got) || time.Now().After(deadline) {
			c.t.Fatalf("printed %q, want %q", got, want)
		}
	}
}

// boot starts a runtime and waits for its Hello. Nothing but the runtime is
// known yet.
func boot(t testing.TB, name string) *child {
	t.Helper()
	r := lookup(t, name)
	b := r.Boot(256)
	c := &child{t: t, root: t.TempDir(), done: make(chan struct{})}
	args := make([]string, len(b.Args))
	for i, a := range b.Args {
		for _, m := range b.Mounts {
			a = strings.ReplaceAll(a, m.Inside, m.Host)
		}
		args[i] = a
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	if c.conn, err = net.FileConn(ours); err != nil {
		t.Fatal(err)
	}
	ours.Close()
	logR, logW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd = exec.Command(args[0], args[1:]...)
	c.cmd.Env, c.cmd.Dir = b.Env, "/"
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.out
	c.cmd.ExtraFiles = []*os.File{theirs, logW}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	logW.Close()
	go c.readLogs(logR)
	c.in = bufio.NewReader(c.conn)
	t.Cleanup(func() {
		c.conn.Close()
		c.wait()
	})
	k, body := c.next()
	if k != frame.Hello {
		t.Fatalf("first frame is %q %s, want Hello", k, body)
	}
	var h frame.HelloBody
	if err := json.Unmarshal(body, &h); err != nil || h.Version == "" || h.Runtime == "" {
		t.Fatalf("Hello is %s (%v)", body, err)
	}
	return c
}

// wait lets the process end and collects all it has written.
func (c *child) wait() *os.ProcessState {
	if c.cmd.ProcessState == nil {
		timer := time.AfterFunc(answerTimeout, func() { c.cmd.Process.Kill() })
		c.cmd.Wait()
		timer.Stop()
		<-c.done
	}
	return c.cmd.ProcessState
}

func (c *child) readLogs(r *os.File) {
	defer close(c.done)
	defer r.Close()
	in := bufio.NewReader(r)
	for {
		var h [16]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return
		}
		text := make([]byte, binary.BigEndian.Uint32(h[4:]))
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		c.mu.Lock()
		c.logs = append(c.logs, logLine{
			Kind: binary.BigEndian.Uint32(h[:]),
			Text: string(text),
			Time: time.UnixMicro(int64(binary.BigEndian.Uint64(h[8:]))),
		})
		c.mu.Unlock()
	}
}

// logged waits for n log frames and returns all there are.
func (c *child) logged(n int) []logLine {
	c.t.Helper()
	for deadline := time.Now().Add(answerTimeout); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		logs := append([]logLine(nil), c.logs...)
		c.mu.Unlock()
		if len(logs) >= n {
			return logs
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d log frames, want %d: %+v; output: %s", len(logs), n, logs, c.out.String())
		}
	}
}

func (c *child) next() (frame.Kind, []byte) {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(answerTimeout))
	k, body, err := frame.Read(c.in, nil)
	if err != nil {
		c.conn.Close()
		c.wait()
		c.t.Fatalf("read frame: %v; %v; output: %s; logs: %+v", err, c.cmd.ProcessState, c.out.String(), c.logs)
	}
	return k, body
}

// ended expects the end of the conversation.
func (c *child) ended() *os.ProcessState {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(answerTimeout))
	if k, body, err := frame.Read(c.in, nil); err == nil {
		c.t.Fatalf("frame %q %s, want the end", k, body)
	}
	return c.wait()
}

func (c *child) send(k frame.Kind, parts ...[]byte) {
	c.t.Helper()
	if _, err := c.conn.Write(frame.Append(nil, k, parts...)); err != nil {
		c.t.Fatalf("write frame: %v; output: %s", err, c.out.String())
	}
}

// files writes the function's code.
func (c *child) files(files map[string]string) {
	c.t.Helper()
	for name, text := range files {
		path := filepath.Join(c.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

// init loads a handler with what the worker would add to the environment.
func (c *child) init(handler string, change ...func(*frame.InitBody)) (frame.Kind, []byte) {
	c.t.Helper()
	in := frame.InitBody{
		Handler: handler, TaskRoot: c.root, MemoryMiB: 256, LogFormat: "Text",
		Env: map[string]string{
			"AWS_LAMBDA_FUNCTION_NAME":        "hello",
			"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
			"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/hello",
			"AWS_LAMBDA_LOG_STREAM_NAME":      "2026/11/23/[$LATEST]0",
			"GREETING":                        "hi",
			"PATH":                            "/usr/bin:/bin",
		},
	}
	for _, f := range change {
		f(&in)
	}
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(frame.Init, body)
	return c.next()
}

// ready is init of a handler that must load.
func (c *child) ready(handler string, change ...func(*frame.InitBody)) {
	c.t.Helper()
	if k, body := c.init(handler, change...); k != frame.Ready {
		c.t.Fatalf("init answered %q %s; output: %s", k, body, c.out.String())
	}
}

func callBytes(t testing.TB, id string, call frame.Call, payload string) []byte {
	t.Helper()
	meta, err := json.Marshal(call)
	if err != nil {
		t.Fatal(err)
	}
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(meta)))
	return append(append(b, meta...), payload...)
}

func testCall() frame.Call {
	return frame.Call{
		ARN:        "arn:aws:lambda:us-east-1:123456789012:function:hello",
		DeadlineMs: time.Now().Add(time.Minute).UnixMilli(),
		TraceID:    "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
	}
}

// invoke makes a call and returns its answer without the request id.
func (c *child) invoke(payload string, change ...func(*frame.Call)) (frame.Kind, string) {
	c.t.Helper()
	call := testCall()
	for _, f := range change {
		f(&call)
	}
	c.send(frame.Invoke, callBytes(c.t, testID, call, payload))
	k, body := c.next()
	id, rest, ok := frame.CutID(body)
	if !ok || id != testID {
		c.t.Fatalf("answer %q to call %q, want %q", k, id, testID)
	}
	return k, string(rest)
}

// errorOf decodes the parts of an error body that every runtime has.
func errorOf(t testing.TB, body string) (kind, message string) {
	t.Helper()
	var e struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("error body %q: %v", body, err)
	}
	return e.ErrorType, e.ErrorMessage
}

// handlerCase is one form of handler: files, what it is called with, and what
// it must answer. An error is written "type: message", the message up to where
// the want ends.
type handlerCase struct {
	name    string
	files   map[string]string
	root    string // instead of files
	handler string
	event   string
	want    string // the answer's text
	wantErr string // or the error, of the call
	initErr string // or of the init
}

func runCases(t *testing.T, runtime string, cases []handlerCase) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := boot(t, runtime)
			c.files(tc.files)
			if tc.root != "" {
				c.root = tc.root
			}
			k, body := c.init(tc.handler)
			if tc.initErr != "" {
				if k != frame.Failed || !bytes.HasPrefix(body, []byte(frame.NilID)) {
					t.Fatalf("init answered %q %s, want Failed", k, body)
				}
				wantError(t, string(body[frame.IDLen:]), tc.initErr)
				return
			}
			if k != frame.Ready {
				t.Fatalf("init answered %q %s; output: %s", k, body, c.out.String())
			}
			event := tc.event
			if event == "" {
				event = `{"name":"Ada"}`
			}
			for range 2 { // a warm call answers as the first did
				k, got := c.invoke(event)
				if tc.wantErr != "" {
					if k != frame.Failed {
						t.Fatalf("answered %q %s, want Failed", k, got)
					}
					wantError(t, got, tc.wantErr)
					continue
				}
				if k != frame.Result || got != tc.want {
					t.Fatalf("answered %q %s, want %s; output: %s", k, got, tc.want, c.out.String())
				}
			}
		})
	}
}

func wantError(t *testing.T, body, want string) {
	t.Helper()
	kind, message := errorOf(t, body)
	if got := fmt.Sprintf("%s: %s", kind, message); !strings.HasPrefix(got, want) {
		t.Errorf("error is %q, want %q; body: %s", got, want, body)
	}
}

// garbage is what no worker sends; a bootstrap must end, not hang or answer.
func testGarbage(t *testing.T, name string) {
	cases := map[string][]byte{
		"unknown kind":        frame.Append(nil, 'q', []byte("?")),
		"call before init":    frame.Append(nil, frame.Invoke, callBytes(t, testID, testCall(), "{}")),
		"length of gigabytes": {'I', 0, 0, 0, 0xff, 0xff, 0xff, 0x7f},
		"not a frame":         []byte("GET / HTTP/1.1\r\n\r\n"),
	}
	for what, b := range cases {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := boot(t, name)
			if _, err := c.conn.Write(b); err != nil {
				t.Fatal(err)
			}
			if st := c.ended(); st.Success() {
				t.Errorf("ended with %v, want an error", st)
			}
		})
	}
	t.Run("end of file", func(t *testing.T) {
		t.Parallel()
		c := boot(t, name)
		c.conn.(*net.UnixConn).CloseWrite()
		if st := c.ended(); !st.Success() {
			t.Errorf("ended with %v, want success", st)
		}
	})
	t.Run("shutdown", func(t *testing.T) {
		t.Parallel()
		c := boot(t, name)
		c.send(frame.Shutdown, []byte(`{"reason":"spindown","timeoutMs":300}`))
		if st := c.ended(); !st.Success() {
			t.Errorf("ended with %v, want success", st)
		}
	})
}

// benchmarkEcho measures the round trip of a warm call.
func benchmarkEcho(b *testing.B, name, handler string, files map[string]string) {
	c := &child{t: b, root: b.TempDir()}
	c.files(files)
	benchmarkEchoAt(b, name, handler, c.root, `{"key1":"value1","key2":"value2","key3":"value3"}`)
}

func benchmarkEchoAt(b *testing.B, name, handler, root, event string) {
	c := boot(b, name)
	c.root = root
	c.ready(handler)
	for range 2000 {
		c.invoke(event)
	}
	req := frame.Append(nil, frame.Invoke, callBytes(b, testID, testCall(), event))
	buf := make([]byte, 64<<10)
	c.conn.SetDeadline(time.Time{})
	for b.Loop() {
		if _, err := c.conn.Write(req); err != nil {
			b.Fatal(err)
		}
		if k, body, err := frame.Read(c.in, buf); err != nil || k != frame.Result {
			b.Fatalf("frame %q %s: %v", k, body, err)
		}
	}
}
