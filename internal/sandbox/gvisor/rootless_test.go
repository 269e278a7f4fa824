package gvisor_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/gvisor"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest"
)

// TestConformanceRootless runs the suite as an ordinary user: this binary again,
// as nobody.
func TestConformanceRootless(t *testing.T) {
	if os.Getuid() == 0 {
		const nobody = 65534
		dir := t.TempDir()
		check(t, os.Chown(dir, nobody, nobody))
		check(t, os.Chmod(filepath.Dir(dir), 0o755)) // of this test alone, too
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestConformanceRootless$", "-test.v")
		cmd.Env = append(os.Environ(), binariesEnv+"="+filepath.Dir(standalone), "TMPDIR="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		t.Logf("as nobody:\n%s", out)
		check(t, err)
		return
	}
	d, err := gvisor.New(context.Background(), gvisor.Config{
		Dir: t.TempDir(), Exe: standalone, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, d.Close()) })
	if i := d.Info(); i.Name != "gvisor-rootless" || len(i.Weaker) == 0 {
		t.Errorf("%+v", i)
	}
	sandboxtest.Run(t, sandboxtest.Config{Driver: d, Guest: guest})
}
