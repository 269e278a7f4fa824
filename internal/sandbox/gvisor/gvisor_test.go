package gvisor_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/gvisor"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest"
)

// The binaries that the tests run: one that takes the driver's parts, and one
// that runs inside.
var standalone, guest string

func TestMain(m *testing.M) {
	if exe := os.Getenv(victimEnv); exe != "" {
		beVictim(exe)
	}
	os.Exit(run(m))
}

// binariesEnv says where they are, to this binary run again as somebody else.
const binariesEnv = "MAYFLY_TEST_BINARIES"

func run(m *testing.M) int {
	if dir := os.Getenv(binariesEnv); dir != "" {
		standalone, guest = filepath.Join(dir, "cmd"), filepath.Join(dir, "guest")
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "gvisor-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // for the tests run as nobody
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if standalone, err = sandboxtest.Build(dir, "cmd"); err == nil {
		guest, err = sandboxtest.Build(dir, "sandboxtest/guest")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// node is a driver with all a node gives it.
type node struct {
	*gvisor.Driver
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
	n.Driver, err = gvisor.New(ctx, gvisor.Config{
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
	i := n.Info()
	if i.Name != "gvisor" || len(i.Weaker) > 0 {
		t.Errorf("%+v", i)
	}
	sandboxtest.Run(t, sandboxtest.Config{
		Driver: n, Guest: guest, Gateway: n.network.Gateway().String(), Allow: n.network.AllowPort,
	})
}
