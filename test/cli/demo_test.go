package cli_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestDemo(t *testing.T) {
	runDemo(t, nil)
}

// nobody is Debian's user without rights.
const nobody = 65534

func TestDemoNeedsNoRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: TestDemo has run it as an ordinary user already")
	}
	runDemo(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
}

func runDemo(t *testing.T, who *syscall.SysProcAttr) {
	home, binary := quarters(t)
	cmd := exec.CommandContext(t.Context(), binary, "demo")
	cmd.Dir, cmd.SysProcAttr = home, who
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=/usr/local/bin:/usr/bin:/bin"}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{
		`(?m)^Mayfly \S+ is ready at http://127\.0\.0\.1:\d+ `,
		`(?m)^  isolation  \S+: `,
		`(?m)^{"message":\s?"Hello, Ada!".*"calls":\s?1}\n.* in all; start (cold|pooled), .*sandbox .* ms, .*user-init .* ms, execution .* ms$`,
		`(?m)^{"message":\s?"Hello, Ada!".*"calls":\s?2}\n.* in all; start warm, .*execution .* ms$`,
		`(?m)^ +total +2 +1 +0 +\d+ ms +[0-9.]+ +\$0\.\d+$`,
		`(?m)^Next\n  bin/mayfly up `,
	} {
		if !regexp.MustCompile(want).Match(out.Bytes()) {
			t.Errorf("the demo printed nothing like /%s/:\n%s", want, &out)
		}
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("the demo left behind %v, %v", left, err)
	}
}

// quarters are a home for a user without rights, and a binary that they may run.
func quarters(t *testing.T) (home, binary string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mayfly-demo-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	home, binary = filepath.Join(dir, "home"), filepath.Join(dir, "mayfly")
	if err := copyProgram(binary, node.Binary(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return home, binary
}

func copyProgram(dst, src string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
