package agent

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotBuilt is what a mayfly binary returns that was built without the agent.
var ErrNotBuilt = errors.New("this binary was built without the agent: build it with `make build`")

//go:embed bin
var bin embed.FS

// name is the program's file name.
const name = "mayfly-agent"

// Program returns the agent, a static executable for the machine that mayfly
// was built for.
func Program() ([]byte, error) {
	b, err := bin.ReadFile("bin/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	return b, err
}

// WriteTo puts the agent into a directory, for sandboxes to mount, and returns
// its path. Whatever user a sandbox runs as may run it. One that is there
// already is replaced whole, so that sandboxes which run it are not disturbed.
func WriteTo(dir string) (path string, err error) {
	b, err := Program()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, name+"-*")
	if err != nil {
		return "", fmt.Errorf("write agent: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o555), f.Close())
	path = filepath.Join(dir, name)
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("write agent: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return path, nil
}
