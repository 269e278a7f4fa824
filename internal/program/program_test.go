package program_test

import (
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/program"
)

func TestInstall(t *testing.T) {
	for _, name := range []program.Name{program.Agent, program.Sandbox} {
		t.Run(string(name), func(t *testing.T) {
			dir := t.TempDir()
			stale := filepath.Join(dir, string(name)+"-0123456789abcdef")
			for _, f := range []string{stale, stale + ".1.part", filepath.Join(dir, "other")} {
				if err := os.WriteFile(f, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path, err := program.Install(dir, name)
			if errors.Is(err, program.ErrNotBuilt) { // a fresh clone: the error says what to do
				if !strings.Contains(err.Error(), "make build") {
					t.Errorf("the error does not help: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o555 {
				t.Fatalf("%v, %v", info, err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
				t.Errorf("%d files are left, %v", len(left), err)
			}
			static(t, path)

			again, err := program.Install(dir, name)
			if err != nil || again != path {
				t.Fatalf("again: %s, %v", again, err)
			}
			if now, err := os.Stat(path); err != nil || !now.ModTime().Equal(info.ModTime()) {
				t.Errorf("it was written again: %v", err)
			}
		})
	}
}

// static checks that a program needs nothing of the machine.
func static(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libs, err := f.ImportedLibraries(); err == nil && len(libs) > 0 {
		t.Errorf("it needs %v", libs)
	}
}

func TestInstallNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := program.Install(file, program.Agent); err == nil {
		t.Error("no error")
	}
}
