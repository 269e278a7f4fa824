package agent_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/agent"
)

func TestWriteTo(t *testing.T) {
	want, err := agent.Program()
	if errors.Is(err, agent.ErrNotBuilt) {
		// A fresh clone: the error has to say what to do.
		if !strings.Contains(err.Error(), "make build") {
			t.Errorf("the error does not help: %v", err)
		}
		if _, err := agent.WriteTo(t.TempDir()); !errors.Is(err, agent.ErrNotBuilt) {
			t.Errorf("WriteTo: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for range 2 { // the second replaces the first
		path, err := agent.WriteTo(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the program: %v", path, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o555 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	f, err := elf.NewFile(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if libs, err := f.ImportedLibraries(); err == nil && len(libs) > 0 {
		t.Errorf("the agent is not static: it needs %v", libs)
	}
}

func TestWriteToNowhere(t *testing.T) {
	if _, err := agent.WriteTo(t.TempDir() + "/missing"); err == nil {
		t.Error("no error")
	}
}
