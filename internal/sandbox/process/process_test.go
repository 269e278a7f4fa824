package process_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/process"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest"
)

// The binaries that the tests run: one that takes the driver's parts, and one
// that runs inside.
var standalone, guest string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// binariesEnv says where they are, to this binary run again as somebody else.
const binariesEnv = "MAYFLY_TEST_BINARIES"

func run(m *testing.M) int {
	dir := os.Getenv(binariesEnv)
	if dir == "" {
		var err error
		if dir, err = build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
	}
	standalone, guest = filepath.Join(dir, "cmd"), filepath.Join(dir, "guest")
	if victim := os.Getenv(victimEnv); victim != "" {
		fmt.Fprintln(os.Stderr, beVictim(victim))
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func build() (string, error) {
	dir, err := os.MkdirTemp("", "process-test-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // for the tests run as nobody
		return "", err
	}
	for _, pkg := range []string{"cmd", "process/attempts", "sandboxtest/guest"} {
		if _, err := sandboxtest.Build(dir, pkg); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// node is a driver with all a node gives it.
type node struct {
	*process.Driver
	cgroups *cgroup.Root
	network *network.Network
}

func newNode(t testing.TB) *node {
	t.Helper()
	return newNodeOn(t, network.Config{})
}

// newNodeOn is newNode with a network of its own.
func newNodeOn(t testing.TB, net network.Config) *node {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n := &node{}
	var err error
	if n.cgroups, err = cgroup.Open(log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, n.cgroups.Close()) })
	net.Log = log
	if n.network, err = network.New(ctx, net); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, n.network.Close()) })
	n.Driver, err = process.New(ctx, process.Config{
		Dir: t.TempDir(), Exe: standalone, Log: log, Cgroups: n.cgroups, Network: n.network,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, n.Driver.Close()) })
	return n
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestConformance(t *testing.T) {
	n := newNode(t)
	if i := n.Info(); i.Name != "process" || !slices.Equal(i.Weaker, []string{"own kernel"}) {
		t.Errorf("%+v", i)
	}
	sandboxtest.Run(t, sandboxtest.Config{
		Driver: n, Guest: guest, Gateway: n.network.Gateway().String(), Allow: n.network.AllowPort,
	})
}

// asNobody runs a test of this binary again, as an ordinary user.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	dir := t.TempDir()
	check(t, os.Chown(dir, nobody, nobody))
	check(t, os.Chmod(filepath.Dir(dir), 0o755)) // of this test alone, too
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), binariesEnv+"="+filepath.Dir(standalone), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	t.Logf("as nobody:\n%s", out)
	check(t, err)
}

func TestConformanceRootless(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	d, err := process.New(context.Background(), process.Config{
		Dir: t.TempDir(), Exe: standalone, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, d.Close()) })
	want := []string{"own kernel", "memory limit", "CPU limit", "own network"}
	if i := d.Info(); i.Name != "process-rootless" || !slices.Equal(i.Weaker, want) {
		t.Errorf("%+v", i)
	}
	sandboxtest.Run(t, sandboxtest.Config{Driver: d, Guest: guest})
}
