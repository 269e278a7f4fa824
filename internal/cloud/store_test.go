package cloud

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestName: a node keeps its name, a copy of its folder has another, and two can't
// be in one folder.
func TestName(t *testing.T) {
	named := func(dir string) string {
		t.Helper()
		n := &Node{cfg: Config{Data: dir}}
		if err := n.openName(); err != nil {
			t.Fatal(err)
		}
		if err := (&Node{cfg: n.cfg}).openName(); err == nil || !strings.Contains(err.Error(), "another node is using "+dir) {
			t.Errorf("a second node in the folder: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		return n.name
	}
	one, two, copied := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "copied")
	first := named(one)
	if again := named(one); again != first {
		t.Errorf("%s after a restart, %s before", again, first)
	}
	if err := os.CopyFS(copied, os.DirFS(one)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{two, copied} {
		if other := named(dir); other == first {
			t.Errorf("%s has the name of %s: %s", dir, one, other)
		}
	}
}
