package runtime_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/runtime"
)

// What is tested: CI's machine has the defaults, and TestEveryRuntime tries
// whatever else is found.
var (
	node   string
	python string
	java   string
	setDir string
)

func TestMain(m *testing.M) {
	flag.StringVar(&node, "node", "nodejs20.x", "Node.js runtime to test")
	flag.StringVar(&python, "python", "python3.11", "Python runtime to test")
	flag.StringVar(&java, "java", "java17", "Java runtime to test")
	flag.StringVar(&setDir, "dir", "", "runtime folder, with what was added; empty for a new one")
	flag.Parse()
	made := setDir == ""
	if made {
		dir, err := os.MkdirTemp("", "mayfly-runtime-*")
		if err != nil {
			panic(err)
		}
		setDir = dir
		if err := os.Chmod(dir, 0o755); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if made {
		os.RemoveAll(setDir)
	}
	os.Exit(code)
}

// set is the runtimes of this machine, found once: compiling Java takes seconds.
var set = sync.OnceValues(func() (*runtime.Set, error) {
	return runtime.Find(context.Background(), runtime.Config{Dir: setDir, Path: filepath.SplitList(os.Getenv("PATH"))})
})

// lookup returns a runtime that this machine must have.
func lookup(t testing.TB, name string) runtime.Runtime {
	t.Helper()
	s, err := set()
	if err != nil {
		t.Fatalf("find runtimes: %v", err)
	}
	r, err := s.Lookup(name)
	if err != nil {
		t.Fatalf("look up %s: %v", name, err)
	}
	return r
}

// TestEveryRuntime answers one call in each runtime of the machine.
func TestEveryRuntime(t *testing.T) {
	s, err := set()
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range s.List() {
		r, err := s.Lookup(st.Name)
		if err != nil || !r.Managed() {
			continue
		}
		t.Run(st.Name, func(t *testing.T) {
			c := boot(t, st.Name)
			handler, want := "app.handler", `"hi"`
			if st.SDKName == "" {
				c.root, handler, want = javaClasses(t), "app.App::none", `"none"`
			}
			c.files(map[string]string{
				"app.js": `exports.handler = async () => process.env.GREETING`,
				"app.py": "import os\ndef handler(event, context): return os.environ['GREETING']",
			})
			c.ready(handler)
			if _, got := c.invoke(`{}`); got != want {
				t.Errorf("answered %s, want %s", got, want)
			}
		})
	}
}
