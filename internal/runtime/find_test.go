package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/runtime"
)

// program writes an executable shell script.
func program(t *testing.T, path, script string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, dir string, path ...string) *runtime.Set {
	t.Helper()
	s, err := runtime.Find(t.Context(), runtime.Config{Dir: dir, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fakeNode is a Node.js that counts how often it is asked.
func fakeNode(t *testing.T, bin, version string) (path, asked string) {
	path, asked = filepath.Join(bin, "node"), filepath.Join(bin, "asked")
	program(t, path, fmt.Sprintf("echo x >> %s\necho v%s\necho %s\n", asked, version, path))
	return path, asked
}

func TestFindRemembers(t *testing.T) {
	dir, bin := t.TempDir(), filepath.Join(t.TempDir(), "bin")
	path, asked := fakeNode(t, bin, "24.1.0")
	for range 2 {
		r, err := find(t, dir, bin).Lookup("nodejs24.x")
		if err != nil {
			t.Fatal(err)
		}
		if r.Path != path || r.Version != "24.1.0" {
			t.Errorf("found %s %s, want %s 24.1.0", r.Path, r.Version, path)
		}
	}
	if b, _ := os.ReadFile(asked); string(b) != "x\n" {
		t.Errorf("asked %q, want once", b)
	}
	fakeNode(t, bin, "22.11.22") // another program at the same path
	s := find(t, dir, bin)
	if _, err := s.Lookup("nodejs22.x"); err != nil {
		t.Error(err)
	}
	var missing *runtime.MissingError
	if _, err := s.Lookup("nodejs24.x"); !errors.As(err, &missing) {
		t.Errorf("the old program is still found: %v", err)
	}
}

func TestFindSurvives(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	program(t, filepath.Join(bin, "node"), "exit 1")
	program(t, filepath.Join(bin, "node22"), "echo nonsense")
	if err := os.WriteFile(filepath.Join(dir, "found.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := find(t, dir, bin).Lookup("provided.al2023"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	program(t, filepath.Join(bin, "node"), "exec sleep 60")
	if _, err := runtime.Find(ctx, runtime.Config{Dir: dir, Path: []string{bin}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a program that hangs: %v", err)
	}
}

func TestLookup(t *testing.T) {
	s := find(t, t.TempDir())
	var unknown *runtime.UnknownError
	if _, err := s.Lookup("nodejs21.x"); !errors.As(err, &unknown) {
		t.Fatalf("error is %v, want UnknownError", err)
	}
	if d := cmp.Diff(runtime.Names(), unknown.Valid); d != "" {
		t.Error(d)
	}
	var missing *runtime.MissingError
	if _, err := s.Lookup("python3.14"); !errors.As(err, &missing) {
		t.Fatalf("error is %v, want MissingError", err)
	}
	want := "runtime python3.14 is not on this machine; to add it: mayfly runtime add python3.14, or apt-get install python3.14"
	if got := missing.Error(); got != want {
		t.Errorf("error is %q, want %q", got, want)
	}
}

func TestBoot(t *testing.T) {
	dir, bin := t.TempDir(), filepath.Join(t.TempDir(), "bin")
	fakeNode(t, bin, "24.1.0")
	s := find(t, dir, bin)
	t.Run("a language of the path", func(t *testing.T) {
		r, err := s.Lookup("nodejs24.x")
		if err != nil {
			t.Fatal(err)
		}
		b := r.Boot(128)
		if d := cmp.Diff([]string{"/var/lang/bin/node", "--max-old-space-size=10240", "/var/runtime/bootstrap.js"}, b.Args); d != "" {
			t.Error(d)
		}
		if got := b.Mounts[1]; got.Host != filepath.Dir(bin) || got.Inside != "/var/lang" {
			t.Errorf("mounts are %+v", b.Mounts)
		}
		if b.PoolKey != r.Boot(1024).PoolKey || b.Agent || b.Dir != "/" {
			t.Errorf("boot is %+v", b)
		}
		if !slices.Contains(b.Env, "_LAMBDA_TELEMETRY_LOG_FD=4") || !slices.Contains(b.Env, "TZ=:UTC") {
			t.Errorf("environment is %q", b.Env)
		}
	})
	t.Run("an SDK that comes later", func(t *testing.T) {
		boot := func(s *runtime.Set) runtime.Boot {
			r, err := s.Lookup("nodejs24.x")
			if err != nil {
				t.Fatal(err)
			}
			return r.Boot(128)
		}
		before := boot(s)
		if err := os.MkdirAll(filepath.Join(dir, "sdk", "nodejs", "node_modules", "@aws-sdk"), 0o755); err != nil {
			t.Fatal(err)
		}
		after := boot(find(t, dir, bin))
		if len(after.Mounts) == len(before.Mounts) || after.PoolKey == before.PoolKey {
			t.Errorf("a sandbox without the SDK stands in for one that has it: %q", after.PoolKey)
		}
	})
	t.Run("a language of the system", func(t *testing.T) {
		r, err := s.Lookup("python3.11")
		if err != nil {
			t.Fatal(err)
		}
		if b := r.Boot(128); len(b.Mounts) != 1 || b.Args[0] != r.Path {
			t.Errorf("boot is %+v", b)
		}
	})
	t.Run("provided", func(t *testing.T) {
		r, err := s.Lookup("provided.al2023")
		if err != nil {
			t.Fatal(err)
		}
		if b := r.Boot(128); !b.Agent || b.Args != nil || r.Command(128)[0] != "/var/task/bootstrap" || r.Managed() {
			t.Errorf("boot is %+v", b)
		}
	})
	t.Run("a heap bounded at the start", func(t *testing.T) {
		r := lookup(t, java)
		if r.Boot(512).PoolKey == r.Boot(1024).PoolKey {
			t.Error("one pool for two sizes")
		}
		for memory, want := range map[int]string{128: "-Xmx80m", 512: "-Xmx439m", 2048: "-Xmx1756m"} {
			if args := r.Command(memory); args[1] != want {
				t.Errorf("%d MiB boots with %s, want %s", memory, args[1], want)
			}
		}
	})
}

func TestNeedsStart(t *testing.T) {
	cases := []struct {
		runtime string
		env     map[string]string
		want    bool
	}{
		{"nodejs20.x", map[string]string{"A": "b"}, false},
		{"nodejs20.x", map[string]string{"NODE_OPTIONS": "--require /opt/x.js"}, true},
		{"nodejs20.x", map[string]string{"NODE_OPTIONS": " --enable-source-maps"}, false},
		{"nodejs20.x", map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}, true},
		{"python3.11", map[string]string{"NODE_OPTIONS": "-r x"}, false},
		{"python3.11", map[string]string{"PYTHONHASHSEED": "0"}, true},
		{"java17", map[string]string{"JAVA_TOOL_OPTIONS": "-Xss1m"}, true},
		{"provided.al2023", map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}, false},
	}
	for _, tc := range cases {
		if got := lookup(t, tc.runtime).NeedsStart(tc.env); got != tc.want {
			t.Errorf("%s with %v: %v, want %v", tc.runtime, tc.env, got, tc.want)
		}
	}
}

func TestEnv(t *testing.T) {
	env := lookup(t, "nodejs20.x").Env()
	want := map[string]string{
		"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x", "LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"TZ": ":UTC", "LANG": "en_US.UTF-8", "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"NODE_PATH":       "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task",
	}
	if d := cmp.Diff(want, env); d != "" {
		t.Error(d)
	}
	if _, ok := lookup(t, "provided.al2023").Env()["AWS_EXECUTION_ENV"]; ok {
		t.Error("provided has an AWS_EXECUTION_ENV")
	}
}

// TestAdd fetches with tools that only look like npm, apt-get and dpkg.
func TestAdd(t *testing.T) {
	tools := t.TempDir()
	t.Setenv("PATH", tools+":/usr/bin:/bin")
	program(t, filepath.Join(tools, "npm"), `case "$*" in *--ignore-scripts*) ;; *) exit 3;; esac
for last; do :; done
case "$last" in
node-linux-*) d=$3/node_modules/${last%@*}/bin; v=${last#*@}; mkdir -p $d; printf '#!/bin/sh\necho v%s.0.0; echo $0\n' $v > $d/node; chmod 755 $d/node;;
@aws-sdk/*) mkdir -p $3/node_modules/@aws-sdk;;
esac`)
	program(t, filepath.Join(tools, "apt-cache"), `case "$2" in *3.14*) echo "  Candidate: (none)";; *) echo "  Candidate: 1";; esac`)
	program(t, filepath.Join(tools, "apt-get"), `echo "no network" >&2; exit 100`)
	dir := t.TempDir()
	s := find(t, dir)
	var said []string
	progress := func(line string) { said = append(said, line) }

	if err := s.Add(t.Context(), "nodejs24.x", progress); err != nil {
		t.Fatal(err)
	}
	r, err := s.Lookup("nodejs24.x")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "added", "nodejs24.x", "bin", "node"); r.Path != want || r.Boot(128).Args[0] != "/var/lang/bin/node" {
		t.Errorf("found at %s, boots %q, want %s", r.Path, r.Boot(128).Args, want)
	}
	inside := map[string]bool{}
	for _, m := range r.Boot(128).Mounts {
		inside[m.Inside] = true
	}
	if !inside["/node_modules"] || !inside["/var/runtime/node_modules"] {
		t.Errorf("mounts are %v", inside)
	}
	if len(said) != 2 {
		t.Errorf("said %q", said)
	}
	said = nil
	if err := s.Add(t.Context(), "nodejs24.x", progress); err != nil || len(said) != 1 {
		t.Errorf("again: %v, said %q", err, said)
	}

	for name, want := range map[string]string{
		"python3.14": "add python3.14: python3.14: this machine's Debian release does not have it",
		"python3.13": "add python3.13: apt-get download: exit status 100: no network",
		"ruby3.4":    `unknown runtime "ruby3.4"`,
	} {
		if err := s.Add(t.Context(), name, progress); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("add %s: %v, want %s", name, err, want)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*", ".*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// BenchmarkFind is a second start: everything is known already.
func BenchmarkFind(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		if _, err := runtime.Find(b.Context(), runtime.Config{Dir: dir}); err != nil {
			b.Fatal(err)
		}
	}
}
