package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Add fetches what is missing of a runtime, the language and the AWS SDK that
// Lambda's image has, into the node's folder: Node.js and its SDK from npm,
// Python, Java and boto3 from the machine's Debian release. Nothing of the system
// is changed and no script of a package is run. progress gets a line for each
// step. An error says what could not be had and what else would do.
func (s *Set) Add(ctx context.Context, name string, progress func(string)) error {
	e, ok := entryOf(name)
	if !ok {
		return &UnknownError{Runtime: name, Valid: Names()}
	}
	if e.family == provided {
		progress(name + " needs nothing: the function brings its own program")
		return nil
	}
	s.adding.Lock()
	defer s.adding.Unlock()
	s.mu.Lock()
	r, found := s.found[name]
	s.mu.Unlock()
	f := fetch{dir: s.dir, progress: progress}
	var err error
	if !found || e.family == java && !r.jdk {
		err = f.language(ctx, e)
	} else {
		progress(fmt.Sprintf("%s is there: %s %s", name, r.Path, r.Version))
	}
	if err == nil && e.sdkName() != "" && sdkOf(s.dir, e.family) == "" {
		err = f.sdk(ctx, e)
	}
	// What has come so far counts, also where a later step failed.
	if lerr := s.look(ctx); err == nil {
		err = lerr
	}
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	_, err = s.Lookup(name)
	return err
}

// fetch gets packages into the runtime folder.
type fetch struct {
	dir      string
	progress func(string)
}

func (f fetch) language(ctx context.Context, e entry) error {
	target := filepath.Join(f.dir, addedFolder, e.name)
	if e.family == nodejs {
		return f.npmNode(ctx, e, target)
	}
	return f.debian(ctx, target, e.packages(), fixLinks)
}

func (f fetch) sdk(ctx context.Context, e entry) error {
	if e.family == nodejs {
		return f.npmSDK(ctx, filepath.Join(f.dir, sdkFolder, "nodejs"))
	}
	return f.debianSDK(ctx, filepath.Join(f.dir, sdkFolder, "python"))
}

// place fills a new folder and puts it at target in one step: a sandbox that
// has the old one mounted keeps it.
func (f fetch) place(target string, fill func(tmp string) (string, error)) error {
	parent := filepath.Dir(target)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	tmp, err := os.MkdirTemp(parent, ".new-*")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	whole, err := fill(tmp)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return fmt.Errorf("remove what was there: %w", err)
	}
	if err := os.Rename(whole, target); err != nil {
		return fmt.Errorf("put in place: %w", err)
	}
	return nil
}

// run runs a tool; its last words are part of the error.
func (f fetch) run(ctx context.Context, dir, tool string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(tool)
	if err != nil {
		return nil, fmt.Errorf("%s is needed and not on this machine: %w", tool, err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	var out, said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("%s %s: %w: %s", tool, args[0], err, lastLines(said.String(), 3))
	}
	return out.Bytes(), nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

// errNoPackage says that the machine's release has no such package.
var errNoPackage = errors.New("this machine's Debian release does not have it")
