package guest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// built are the agent and a function on aws-lambda-go, built once.
var built = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "agent"); err != nil {
		return "", err
	}
	for name, pkg := range map[string]string{"mayfly-agent": "../cmd", "bootstrap": "./testdata/function"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w: %s", pkg, err, out)
		}
	}
	return dir, nil
})

// program is the real agent as a child.
type program struct {
	*worker
	cmd  *exec.Cmd
	dir  string // of what is built
	logs *buffer
}

// buffer is what a child has written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run starts the agent as a sandbox would: in a PID namespace, as process 1, on
// a loopback of its own.
func run(t testing.TB, init frame.InitBody) *program {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for namespaces; CI is root")
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	w, theirs := pair(t)
	p := &program{worker: w, dir: dir, logs: &buffer{}}
	tel, err := os.CreateTemp(t.TempDir(), "telemetry")
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command("/bin/sh", "-c", "ip link set lo up && exec "+filepath.Join(dir, "mayfly-agent"))
	p.cmd.ExtraFiles = []*os.File{theirs, tel}
	p.cmd.Stdout, p.cmd.Stderr = p.logs, p.logs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		tel.Close()
		if t.Failed() {
			t.Logf("it wrote:\n%s", p.logs)
		}
	})
	w.expect(frame.Hello)
	if init.Args == nil {
		init.Args = []string{filepath.Join(dir, "bootstrap")}
	}
	if init.TaskRoot == "" {
		init.TaskRoot = dir
	}
	if init.Env == nil {
		init.Env = map[string]string{}
	}
	init.Env["PATH"] = "/usr/bin:/bin"
	init.Env["GREETING"] = "hello"
	w.send(frame.Init, init)
	return p
}

func (p *program) call(do string, c frame.Call) {
	p.t.Helper()
	if c.DeadlineMs == 0 {
		c.DeadlineMs = time.Now().Add(time.Minute).UnixMilli()
	}
	p.invoke(id1, do, c)
}

// wrote waits until the children have written all of the texts.
func (p *program) wrote(texts ...string) {
	p.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for _, text := range texts {
		for !strings.Contains(p.logs.String(), text) {
			if time.Now().After(deadline) {
				p.t.Fatalf("nobody wrote %q", text)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// exits says Shutdown and waits for the program to exit.
func (p *program) exits() {
	p.t.Helper()
	p.send(frame.Shutdown, frame.ShutdownBody{Reason: "spindown", TimeoutMs: 2000})
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("it ended with %v", err)
	}
}

func TestUnmodifiedFunction(t *testing.T) {
	p := run(t, frame.InitBody{})
	p.expect(frame.Ready)
	p.call(`{"do":"echo","text":"hi"}`, frame.Call{
		ARN: "arn:aws:lambda:us-east-1:123456789012:function:f:live", TraceID: "Root=1-2;Sampled=1",
		Client: `{"custom":{"k":"v"}}`, Identity: `{"cognitoIdentityId":"who"}`,
	})
	var got map[string]any
	if err := json.Unmarshal([]byte(p.expect(frame.Result)[frame.IDLen:]), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"text": "hi", "id": id1, "arn": "arn:aws:lambda:us-east-1:123456789012:function:f:live", "client": map[string]any{"k": "v"},
		"identity": "who", "left": true, "trace": "Root=1-2;Sampled=1", "dir": p.dir, "env": "hello",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p.call(`{"do":"log","text":"a line"}`, frame.Call{})
	p.expect(frame.Result)
	p.wrote("a line\n")
	p.call(`{"do":"fail","text":"oops"}`, frame.Call{})
	if e := p.failed(id1); e.Message != "oops" || e.Type != "errorString" {
		t.Errorf("got %+v", e)
	}
	for _, size := range []int{1, 100_000, 6<<20 + 98} {
		p.call(fmt.Sprintf(`{"do":"size","size":%d}`, size), frame.Call{})
		if n := len(p.expect(frame.Result)); n != size+2+frame.IDLen {
			t.Errorf("an answer of %d bytes has %d", size, n-2-frame.IDLen)
		}
	}
	p.call(`{"do":"echo","text":"`+strings.Repeat("x", 6<<20-100)+`"}`, frame.Call{})
	p.expect(frame.Result)
	p.exits()
}

func TestUnmodifiedFunctionTooLarge(t *testing.T) {
	p := run(t, frame.InitBody{})
	p.expect(frame.Ready)
	p.call(fmt.Sprintf(`{"do":"size","size":%d}`, 6<<20+101), frame.Call{})
	if e := p.failed(id1); e.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %+v", e)
	}
}

func TestUnmodifiedFunctionStreams(t *testing.T) {
	p := run(t, frame.InitBody{})
	p.expect(frame.Ready)
	// aws-lambda-go streams its body but names no mode, so the answer is whole,
	// and a reader that breaks makes it an error.
	p.call(`{"do":"stream","text":"abc"}`, frame.Call{Stream: true})
	if got := p.expect(frame.Result); got != id1+"abc" {
		t.Errorf("got %q", got)
	}
	p.call(`{"do":"broken","text":"abc"}`, frame.Call{})
	if e := p.failed(id1); e.Message != "broke midway" {
		t.Errorf("got %+v", e)
	}
}

func TestUnmodifiedFunctionCrashes(t *testing.T) {
	for do, want := range map[string]frame.ErrorBody{
		`{"do":"exit","size":0}`: {Type: "Runtime.ExitError", Message: "Runtime exited without providing a reason"},
		`{"do":"exit","size":5}`: {Type: "Runtime.ExitError", Message: "Runtime exited with error: exit status 5"},
		`{"do":"kill"}`:          {Type: "Runtime.ExitError", Message: "Runtime exited with error: signal: killed"},
	} {
		p := run(t, frame.InitBody{})
		p.expect(frame.Ready)
		p.call(do, frame.Call{})
		want.Message = "RequestId: " + id1 + " Error: " + want.Message
		if diff := cmp.Diff(want, p.failed(id1)); diff != "" {
			t.Errorf("%s: %s", do, diff)
		}
	}
	p := run(t, frame.InitBody{})
	p.expect(frame.Ready)
	p.call(`{"do":"panic","text":"aargh"}`, frame.Call{})
	if e := p.failed(id1); e.Message != "aargh" {
		t.Errorf("got %+v", e)
	}
}

func TestRuntimesThatDoNotStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/plain", []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/odd", []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir + "/bootstrap": "Couldn't find valid bootstrap(s): [" + dir + "/bootstrap /opt/bootstrap]",
		dir + "/other":     "Couldn't find valid bootstrap(s): [" + dir + "/other]",
		dir + "/plain":     "fork/exec " + dir + "/plain: permission denied",
		dir + "/odd":       "fork/exec " + dir + "/odd: exec format error",
		dir:                "fork/exec " + dir + ": permission denied",
	} {
		p := run(t, frame.InitBody{Args: []string{path}, TaskRoot: dir})
		if e := p.failed(frame.NilID); e.Type != "Runtime.InvalidEntrypoint" || !strings.HasSuffix(e.Message, "Error: "+want) {
			t.Errorf("%s: %+v, want %s", path, e, want)
		}
	}
	p := run(t, frame.InitBody{Env: map[string]string{"FAIL_INIT": "1"}})
	if e := p.failed(frame.NilID); e.Type != "Runtime.ExitError" || !strings.HasSuffix(e.Message, "exit status 7") {
		t.Errorf("got %+v", e)
	}
	p.wrote("can't start")
}

func TestOrphansAreCollected(t *testing.T) {
	p := run(t, frame.InitBody{})
	p.expect(frame.Ready)
	p.call(`{"do":"orphan"}`, frame.Call{})
	p.expect(frame.Result)
	deadline := time.Now().Add(10 * time.Second)
	for {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if len(strings.Fields(string(children))) == 1 {
			return // the runtime alone
		}
		if time.Now().After(deadline) {
			t.Fatalf("children are left: %s", children)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestPythonExtension(t *testing.T) {
	script, err := filepath.Abs("testdata/extension.py")
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, frame.InitBody{Extensions: []string{script}, FunctionName: "f", FunctionVersion: "1"})
	if got := p.expect(frame.Ready); got != `{"idle":true}` {
		t.Errorf("Ready says %q", got)
	}
	for range 3 {
		p.call(`{"do":"log","text":"a line"}`, frame.Call{})
		p.expect(frame.Result)
		p.expect(frame.Idle)
	}
	p.wrote("told INVOKE "+id1, "event platform.initStart", "event function a line",
		"event platform.runtimeDone", "event platform.report", "\na line\n")
	p.exits()
	p.wrote("told SHUTDOWN spindown")
}

func TestFramedRuntimeUnderAnExtension(t *testing.T) {
	script, err := filepath.Abs("testdata/extension.py")
	if err != nil {
		t.Fatal(err)
	}
	framed, err := filepath.Abs("testdata/framed.py")
	if err != nil {
		t.Fatal(err)
	}
	init := frame.InitBody{Args: []string{framed}, Framed: true, Extensions: []string{script},
		Env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/usr/bin/env"}}
	p := run(t, init)
	p.expect(frame.Ready)
	p.call(`"hi"`, frame.Call{})
	if got := p.expect(frame.Result); got != id1+`"hi"` {
		t.Errorf("got %q", got)
	}
	p.expect(frame.Idle)
	p.call(`"stream"`, frame.Call{Stream: true})
	p.expect(frame.Begin)
	p.expect(frame.Chunk)
	p.expect(frame.End)
	p.expect(frame.Idle)
	p.call(`"fail"`, frame.Call{})
	if e := p.failed(id1); e.Type != "T" {
		t.Errorf("got %+v", e)
	}
	p.expect(frame.Idle)
	p.wrote("told INVOKE "+id1, "event function log line", "event function two\nlines", "event platform.runtimeDone")
	p.call(`"exit"`, frame.Call{})
	if e := p.failed(id1); e.Type != "Runtime.ExitError" || !strings.HasSuffix(e.Message, "exit status 9") {
		t.Errorf("got %+v", e)
	}

	init.Handler, init.Env = "missing", nil
	p = run(t, init)
	if e := p.failed(frame.NilID); e.Type != "Runtime.HandlerNotFound" {
		t.Errorf("got %+v", e)
	}
}

func TestProgramEndsWithItsSocket(t *testing.T) {
	p := run(t, frame.InitBody{})
	p.expect(frame.Ready)
	p.conn.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestProgramIsSmall(t *testing.T) {
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "mayfly-agent"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 4<<20 {
		t.Errorf("the agent has %d bytes", info.Size())
	}
}
