package sandboxtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/order"
)

// deadline bounds every wait of the suite.
const deadline = 30 * time.Second

// Module is the path the packages of Build are relative to.
const Module = "github.com/mayfly-cloud/mayfly/internal/sandbox/"

// Build builds the command at a package path relative to Module into dir,
// statically linked and without race detector, and returns the binary's path.
func Build(dir, pkg string) (string, error) {
	out := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", out, Module+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return out, nil
}

// program is the suite's program in a running sandbox.
type program struct {
	sandbox.Sandbox
	t     *testing.T
	in    *bufio.Scanner
	hello order.Answer
}

var number atomic.Int64

// start starts one; change may change the Spec before.
func (s *suite) start(t *testing.T, change ...func(*sandbox.Spec)) *program {
	t.Helper()
	p, err := s.tryStart(t, change...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *suite) spec() sandbox.Spec {
	return sandbox.Spec{
		ID:       fmt.Sprintf("test-%d", number.Add(1)),
		Args:     []string{"/var/runtime/guest"},
		Env:      []string{"COLOUR=green"},
		Dir:      "/tmp",
		Mounts:   []sandbox.Mount{{Host: s.Guest, Inside: "/var/runtime/guest"}},
		TmpBytes: 16 << 20,
	}
}

func (s *suite) tryStart(t *testing.T, change ...func(*sandbox.Spec)) (*program, error) {
	t.Helper()
	spec := s.spec()
	for _, c := range change {
		c(&spec)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	box, err := s.Driver.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	p := &program{Sandbox: box, t: t, in: bufio.NewScanner(box.Conn())}
	p.in.Buffer(nil, 16<<20)
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error("close sandbox:", err)
		}
	})
	if p.hello, err = p.receive(); err != nil {
		out, _ := p.output()
		return nil, fmt.Errorf("no hello: %w, exit %+v, output %q", err, box.Exit(), out)
	}
	return p, nil
}

func (p *program) send(o order.Order) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = p.Conn().Write(append(b, '\n'))
	return err
}

func (p *program) receive() (order.Answer, error) {
	var a order.Answer
	if err := p.Conn().SetReadDeadline(time.Now().Add(deadline)); err != nil {
		return a, err
	}
	if !p.in.Scan() {
		if p.in.Err() != nil {
			return a, p.in.Err()
		}
		return a, io.EOF
	}
	return a, json.Unmarshal(p.in.Bytes(), &a)
}

// do gives an order and returns the answer; the test ends if there is none.
func (p *program) do(o order.Order) order.Answer {
	p.t.Helper()
	if err := p.send(o); err != nil {
		p.t.Fatal("give order:", err)
	}
	a, err := p.receive()
	if err != nil {
		p.t.Fatalf("no answer to %+v: %v, exit %+v", o, err, p.Exit())
	}
	return a
}

// fails gives an order that the sandbox must refuse, with one of the errors.
func (p *program) fails(o order.Order, want ...syscall.Errno) {
	p.t.Helper()
	a := p.do(o)
	for _, w := range want {
		if a.Errno == int(w) {
			return
		}
	}
	p.t.Errorf("%s %s: %q, want one of %v", o.Op, o.Path, a.Err, want)
}

// ended waits until the sandbox has ended.
func (p *program) ended() sandbox.Exit {
	p.t.Helper()
	select {
	case <-p.Done():
	case <-time.After(deadline):
		p.t.Fatal("sandbox doesn't end")
	}
	return p.Exit()
}

// output reads what was printed so far, and a bit on.
func (p *program) output() (string, error) {
	if err := p.Output().SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		return "", err
	}
	b, err := io.ReadAll(p.Output())
	return strings.TrimSpace(string(b)), err
}
