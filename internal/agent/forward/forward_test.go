package forward_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/forward"
)

// This binary is the agent and the runtime, too.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	var err error
	switch os.Args[1] {
	case forward.Ports:
		err = forward.Become(os.Args[2:])
	case forward.Served:
		err = forward.Serve(os.Args[2:])
	case "runtime":
		err = beRuntime(os.Args[2:])
	default:
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// beRuntime fetches from each port, hangs its control socket up, waits for its
// other descriptor's end, and exits with a status of its own.
func beRuntime(ports []string) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("the runtime is process %d", os.Getpid())
	}
	for _, p := range ports {
		res, err := http.Get("http://127.0.0.1:" + p + "/who")
		if err != nil {
			fmt.Println(p, "failed")
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		res.Body.Close()
		fmt.Printf("%s\n", body)
	}
	os.NewFile(3, "control").Close()
	if _, err := io.ReadAll(os.NewFile(4, "telemetry")); err != nil {
		return err
	}
	os.Exit(7)
	return nil
}

// serve answers at a socket with its name and the Host that was asked for.
func serve(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, filepath.Base(path), " asked as ", r.Host)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func socketPair(t *testing.T) (ours net.Conn, theirs *os.File) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "socket")
	defer f.Close()
	if ours, err = net.FileConn(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return ours, os.NewFile(uintptr(fds[1]), "socket")
}

// A runtime reaches the node's sockets at its own loopback, and is otherwise
// started as if nothing stood between: process 1, its descriptors its own, its
// exit the program's.
func TestRuntimeReachesTheNodesPorts(t *testing.T) {
	dir, ports := t.TempDir(), []uint16{freePort(t), freePort(t), freePort(t)}
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = strconv.Itoa(int(p))
	}
	serve(t, filepath.Join(dir, names[0]))
	serve(t, filepath.Join(dir, names[1])) // nobody serves the third

	control, theirs := socketPair(t)
	telemetry, theirTelemetry := socketPair(t)
	args := forward.Args("/proc/self/exe", dir, ports, append([]string{"/proc/self/exe", "runtime"}, names...))
	cmd := exec.Command(args[0], args[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.ExtraFiles = []*os.File{theirs, theirTelemetry}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	theirTelemetry.Close()
	control.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := control.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the control socket of a runtime that closed it: %v, want its end", err)
	}
	telemetry.Close()
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("it ended with %v, want the runtime's own status 7", err)
	}
	want := fmt.Sprintf("%s asked as 127.0.0.1:%s\n%s asked as 127.0.0.1:%s\n%s failed\n", names[0], names[0], names[1], names[1], names[2])
	if out.String() != want {
		t.Errorf("it printed %q, want %q", out.String(), want)
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	args := forward.Args("/proc/self/exe", t.TempDir(), []uint16{freePort(t)}, []string{"/nonexistent"})
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "execute /nonexistent: no such file or directory") {
		t.Errorf("%v: %s", err, out)
	}
}
