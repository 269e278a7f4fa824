package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/process"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/process/launcher"
)

// spec starts the suite's program.
func spec(id string) sandbox.Spec {
	return sandbox.Spec{
		ID: id, Args: []string{"/var/runtime/guest"}, Dir: "/", Network: true,
		Mounts: []sandbox.Mount{{Host: guest, Inside: "/var/runtime/guest"}},
	}
}

// victimEnv makes the test binary a node that gets killed; it holds the
// directory to use.
const victimEnv = "MAYFLY_TEST_VICTIM"

// beVictim runs two busy sandboxes, one of them frozen, and waits for its end.
func beVictim(dir string) error {
	ctx := context.Background()
	d, err := process.New(ctx, process.Config{Dir: dir, Exe: standalone, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	for _, id := range []string{"busy", "frozen"} {
		s, err := d.Start(ctx, spec(id))
		if err != nil {
			return err
		}
		in := bufio.NewReader(s.Conn())
		if _, err := in.ReadString('\n'); err != nil {
			return err
		}
		if _, err := s.Conn().Write([]byte(`{"Op":"spin","N":2}` + "\n")); err != nil {
			return err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return err
		}
		if id == "frozen" {
			if err := s.Freeze(); err != nil {
				return err
			}
		}
	}
	fmt.Println("ready")
	select {}
}

func TestKilledNodeTakesItsSandboxesAlong(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	dir := t.TempDir()
	cmd.Env = append(os.Environ(), victimEnv+"="+dir, binariesEnv+"="+filepath.Dir(standalone))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal("victim:", err, cmd.Wait())
	}
	pids := family(t, cmd.Process.Pid)
	if len(pids) != 4 { // itself, its launcher, and one process a sandbox
		t.Errorf("processes %v", pids)
	}
	killed := time.Now()
	check(t, cmd.Process.Kill())
	cmd.Wait()
	for _, pid := range pids[1:] {
		for !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			if time.Since(killed) > 5*time.Second {
				t.Fatalf("process %d lives %v after its node", pid, time.Since(killed))
			}
			time.Sleep(time.Millisecond)
		}
	}
	t.Logf("all %d processes gone after %v", len(pids), time.Since(killed))
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the directory: %v %v", left, err)
	}
}

// family lists a process and its descendants.
func family(t testing.TB, pid int) []int {
	t.Helper()
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i]))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lists {
			b, _ := os.ReadFile(l)
			for _, f := range strings.Fields(string(b)) {
				var n int
				if _, err := fmt.Sscan(f, &n); err != nil {
					t.Fatal(err)
				}
				pids = append(pids, n)
			}
		}
	}
	return pids
}

func TestLauncherIsReplaced(t *testing.T) {
	n := newNode(t)
	s, err := n.Start(context.Background(), spec("same"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range family(t, os.Getpid())[1:] {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.HasPrefix(string(name), launcher.Name) {
			check(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	select {
	case <-s.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("sandbox outlives its launcher")
	}
	if e := s.Exit(); e.Signal != int(syscall.SIGKILL) {
		t.Errorf("exit %+v", e)
	}
	check(t, s.Close())
	if s, err = n.Start(context.Background(), spec("same")); err != nil {
		t.Fatal("after the launcher's death:", err)
	}
	check(t, s.Close())
}

func TestGivenUpStartsLeaveNothing(t *testing.T) {
	n := newNode(t)
	before := len(family(t, os.Getpid()))
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
		s, err := n.Start(ctx, spec("brief"))
		if err == nil {
			check(t, s.Close())
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %d ms: %v", i, err)
		}
		cancel()
	}
	for end := time.Now().Add(5 * time.Second); len(family(t, os.Getpid())) > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d processes left", len(family(t, os.Getpid()))-before)
		}
	}
}

// A node's directory may lie in one that only its owner can enter, and root in
// a sandbox's namespaces is not root.
func TestWorksBelowSomebodysDirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	private := t.TempDir()
	check(t, os.Chmod(private, 0o700))
	check(t, os.Chown(private, 65534, 65534))
	d, err := process.New(context.Background(), process.Config{
		Dir: filepath.Join(private, "sandboxes"), Exe: standalone, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, d.Close())
}

func TestReasonForNotStarting(t *testing.T) {
	n := newNode(t)
	s := spec("missing")
	s.Args = []string{"/var/runtime/missing"}
	if _, err := n.Start(context.Background(), s); err == nil || !strings.Contains(err.Error(), "execute /var/runtime/missing: no such file") {
		t.Errorf("no program: %v", err)
	}
	s.Dir = "/missing"
	if _, err := n.Start(context.Background(), s); err == nil || !strings.Contains(err.Error(), "enter /missing: no such file") {
		t.Errorf("no directory: %v", err)
	}
	_, err := process.New(context.Background(), process.Config{
		Dir: t.TempDir(), Exe: "/bin/false", Log: slog.New(slog.DiscardHandler),
	})
	if !errors.Is(err, sandbox.ErrUnsupported) {
		t.Errorf("with a binary that isn't ours: %v", err)
	}
}
