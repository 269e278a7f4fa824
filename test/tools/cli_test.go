package tools_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// awsCLI is Debian's; another version may come first in PATH.
const awsCLI = "/usr/bin/aws"

// cli runs the AWS command line in a folder of its own, against one node.
type cli struct {
	t    *testing.T
	node *node.Node
	dir  string
	// token is the session's, of temporary credentials.
	token string
}

func newCLI(t *testing.T) *cli {
	t.Parallel() // most of the time is Python starting
	return &cli{t: t, node: node.Start(t), dir: t.TempDir()}
}

// run gives what a command printed, errors included.
func (c *cli) run(args ...string) (string, error) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), awsCLI, append([]string{"--endpoint-url", c.node.URL(), "--output", "json"}, args...)...)
	cmd.Env, cmd.Dir = append(c.node.Env(), "AWS_MAX_ATTEMPTS=1", "AWS_SESSION_TOKEN="+c.token), c.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return out.String() + errs.String(), err
}

// must decodes the answer of a command that has to succeed; out may be nil.
func (c *cli) must(out any, args ...string) {
	c.t.Helper()
	text, err := c.run(args...)
	if err != nil {
		c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), out); err != nil {
		c.t.Fatalf("decode what aws %s printed: %v\n%s", strings.Join(args, " "), err, text)
	}
}

// write makes a file for the commands to read, and read gives one they wrote.
func (c *cli) write(name string, content []byte) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), content, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cli) read(name string) string {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}
