package runtime_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/runtime"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/gvisor"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest"
)

// open makes a folder tree that a sandbox's user can read.
func open(t *testing.T, files map[string]string) string {
	t.Helper()
	c := &child{t: t, root: t.TempDir()}
	c.files(files)
	for dir := c.root; dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return c.root
}

// sandboxed boots a runtime in a sandbox, gives it code and layers, and returns
// the answer to one call.
func sandboxed(t *testing.T, d sandbox.Driver, r runtime.Runtime, handler, code, layers string) string {
	t.Helper()
	b := r.Boot(256)
	s, err := d.Start(t.Context(), sandbox.Spec{
		ID: strings.ReplaceAll(strings.ToLower(filepath.Base(t.Name())), "_", "-"), Args: b.Args, Env: b.Env, Dir: b.Dir, Mounts: b.Mounts, TmpBytes: 64 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	var said output
	copied := make(chan struct{})
	go func() { defer close(copied); io.Copy(&said, s.Output()) }()
	defer func() {
		s.Close()
		<-copied
		if t.Failed() {
			t.Logf("output: %s", said.String())
		}
	}()
	in := bufio.NewReader(s.Conn())
	s.Conn().SetDeadline(time.Now().Add(time.Minute))
	next := func(want frame.Kind) string {
		t.Helper()
		k, body, err := frame.Read(in, nil)
		if err != nil || k != want {
			t.Fatalf("frame %q %s: %v, want %q", k, body, err, want)
		}
		return string(body)
	}
	next(frame.Hello)
	if err := s.Attach(code, sandbox.PlaceTask); err != nil {
		t.Fatal(err)
	}
	if layers != "" {
		if err := s.Attach(layers, sandbox.PlaceOpt); err != nil {
			t.Fatal(err)
		}
	}
	body, err := json.Marshal(frame.InitBody{Handler: handler, TaskRoot: "/var/task", Env: r.Env(), MemoryMiB: 256, LogFormat: "Text"})
	if err != nil {
		t.Fatal(err)
	}
	s.Conn().Write(frame.Append(nil, frame.Init, body))
	next(frame.Ready)
	s.Conn().Write(frame.Append(nil, frame.Invoke, callBytes(t, testID, testCall(), "{}")))
	return next(frame.Result)[frame.IDLen:]
}

// TestSandboxed sees what only a sandbox shows: the SDK that comes with a
// runtime, layers before it, and a Java whose configuration is not under /usr.
func TestSandboxed(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	tmp := open(t, nil)
	exe, err := sandboxtest.Build(tmp, "cmd")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d, err := gvisor.New(ctx, gvisor.Config{Dir: filepath.Join(tmp, "driver"), Exe: exe})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()

	module := func(name, value string) map[string]string {
		dir := "nodejs/node_modules/" + name + "/"
		return map[string]string{dir + "package.json": `{"main":"m.js"}`, dir + "m.js": "exports.from = '" + value + "'"}
	}
	sdk := module("@aws-sdk/client-sqs", "runtime")
	sdk["python/boto3/__init__.py"] = "from_ = 'runtime'"
	sdk["python/other/__init__.py"] = ""
	dir := open(t, nil)
	if err := os.CopyFS(filepath.Join(dir, "sdk"), os.DirFS(open(t, sdk))); err != nil {
		t.Fatal(err)
	}
	set := find(t, dir)
	run := func(name, runtime, handler, code, layers, want string) {
		t.Run(name, func(t *testing.T) {
			r, err := set.Lookup(runtime)
			if err != nil {
				t.Fatal(err)
			}
			if got := sandboxed(t, d, r, handler, code, layers); got != want {
				t.Errorf("answered %s, want %s", got, want)
			}
		})
	}
	both := open(t, map[string]string{
		"cjs.js":  `const { from } = require('@aws-sdk/client-sqs'); exports.handler = async () => [from, process.getuid()]`,
		"esm.mjs": `import { from } from '@aws-sdk/client-sqs'; export const handler = async () => from`,
		"app.py": "import boto3, importlib.util\n" +
			"def handler(e, c): return [boto3.from_, importlib.util.find_spec('other') is None]",
	})
	layer := open(t, module("@aws-sdk/client-sqs", "layer"))
	run("require", node, "cjs.handler", both, "", `["runtime",1000]`)
	run("import", node, "esm.handler", both, "", `"runtime"`)
	run("require-layer", node, "cjs.handler", both, layer, `["layer",1000]`)
	run("import-layer", node, "esm.handler", both, layer, `"layer"`)
	run("boto3", python, "app.handler", both, "", `["runtime", true]`)
	run("java", java, "app.App::none", javaClasses(t), "", `"none"`)
}
