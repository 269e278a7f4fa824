package node

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is a user of the machine that owns nothing.
const nobody = 65534

// StartAsNobody is Start as an ordinary user: as nobody if this is root, who can
// be anybody. The binary is copied to where that user can read it.
func StartAsNobody(t *testing.T, flags ...string) *Node {
	t.Helper()
	if os.Getuid() != 0 {
		return Start(t, flags...)
	}
	dir := t.TempDir()
	must(t, os.Chown(dir, nobody, nobody))
	must(t, os.Chmod(filepath.Dir(dir), 0o755)) // of this test alone, too
	binary := filepath.Join(dir, "mayfly")
	must(t, copyFile(binary, Binary(t)))
	n := &Node{t: t, Data: filepath.Join(dir, "data"), Listen: freeAddress(t), flags: flags, prepare: func(cmd *exec.Cmd) {
		cmd.Path = binary
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}}
	n.begin()
	return n
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
