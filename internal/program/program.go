package program

import (
	"crypto/sha256"
	"debug/elf"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Name is a program's name.
type Name string

// The programs.
const (
	Agent   Name = "mayfly-agent"
	Sandbox Name = "mayfly-sandbox"
)

// ErrNotBuilt is what a binary returns that was built without its programs.
var ErrNotBuilt = errors.New("this binary was built without a program it needs: build it with `make build`")

//go:embed bin
var bin embed.FS

// Built says whether the binary has a program; ErrNotBuilt if it has not.
func Built(name Name) error {
	_, err := open(name)
	return err
}

// contents are a program as it is embedded. Unlike a copy of it, they take no
// memory until they are read.
type contents interface {
	io.Reader
	io.ReaderAt
}

func open(name Name) (contents, error) {
	f, err := bin.Open("bin/" + string(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%s)", ErrNotBuilt, name)
	}
	if err != nil {
		return nil, err
	}
	return f.(contents), nil // there is nothing to close
}

// Install puts a program into a directory of its own kind and returns its path.
// Whatever user a sandbox runs as may execute it. One that is there already is
// left, other versions are removed; what executes them is not disturbed.
func Install(dir string, name Name) (path string, err error) {
	b, err := open(name)
	if err != nil {
		return "", err
	}
	version, err := buildID(b)
	if err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	path = filepath.Join(dir, string(name)+"-"+version)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := write(path, b); err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	return path, removeOthers(path, name)
}

// buildID names the contents of a Go program. It is read instead of them, so that
// the pages of the embedded program are not brought in at every start.
func buildID(program io.ReaderAt) (string, error) {
	f, err := elf.NewFile(program)
	if err != nil {
		return "", err
	}
	s := f.Section(".note.go.buildid")
	if s == nil {
		return "", errors.New("the program has no build id")
	}
	note, err := s.Data()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(note)
	return hex.EncodeToString(sum[:8]), nil
}

// write is there whole or not at all, after a crash too: the name comes last.
func write(path string, program io.Reader) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, program)
	err = errors.Join(err, f.Chmod(0o555), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// removeOthers removes older versions of a program, and what a crash left of one.
func removeOthers(path string, name Name) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("look for older versions of %s: %w", name, err)
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(path) || !strings.HasPrefix(e.Name(), string(name)+"-") {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil {
			return fmt.Errorf("remove an older version of %s: %w", name, err)
		}
	}
	return nil
}
