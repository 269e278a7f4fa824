package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// command is one line typed at a shell.
type command struct {
	args  []string
	env   []string
	stdin string
}

// result is what came of it.
type result struct {
	stdout, stderr string
	status         int
}

func (c command) run(t *testing.T) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node.Binary(t), c.args...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("mayfly %s: %v", strings.Join(c.args, " "), err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// at types a command with the environment that names a node.
func at(t *testing.T, n *node.Node, args ...string) result {
	t.Helper()
	return command{args: args, env: []string{"MAYFLY_DATA=" + n.Data, "MAYFLY_LISTEN=" + n.Listen}}.run(t)
}

// check compares a result with its status and with texts that must be in its
// standard output and error; a text "" asks for none.
func (r result) check(t *testing.T, status int, stdout, stderr string) {
	t.Helper()
	if r.status != status || !has(r.stdout, stdout) || !has(r.stderr, stderr) {
		t.Errorf("status %d, printed\n%s\nand said\n%s\nwant status %d, %q and %q", r.status, r.stdout, r.stderr, status, stdout, stderr)
	}
}

func has(text, part string) bool {
	if part == "" {
		return text == ""
	}
	return strings.Contains(text, part)
}

func (r result) decode(t *testing.T, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), out); err != nil {
		t.Fatalf("decode: %v\n%s%s", err, r.stdout, r.stderr)
	}
}

// folder makes a folder with one file.
func folder(t *testing.T, name, file, content string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, file, content)
	return dir
}

func write(t *testing.T, dir, file, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
