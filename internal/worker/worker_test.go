package worker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a worker over the fake driver.
type node struct {
	*worker.Worker
	driver *workertest.Driver
	logs   *workertest.Logs
	code   *workertest.Code
}

func start(t testing.TB, d *workertest.Driver, set ...func(*worker.Config)) *node {
	t.Helper()
	n := &node{driver: d, logs: &workertest.Logs{}, code: &workertest.Code{}}
	cfg := worker.Config{
		Driver: d, Runtimes: workertest.Runtimes{}, Code: n.code, Credentials: workertest.Credentials{}, Logs: n.logs,
		Endpoint: "http://10.0.0.1:4566", Agent: "/agent", Pool: worker.PoolConfig{Max: -1},
	}
	for _, f := range set {
		f(&cfg)
	}
	w, err := worker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.Worker = w
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if left := len(d.Alive()); left != 0 {
			t.Errorf("%d sandboxes left after Close", left)
		}
		if held := n.code.Held.Load(); held != 0 {
			t.Errorf("%d code directories still held after Close", held)
		}
	})
	return n
}

func version(name string) *worker.Version {
	return &worker.Version{
		Key: name + "-1", FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:" + name, Name: name, Number: "$LATEST",
		Account: "123456789012", Region: "us-east-1", Runtime: "fake", Handler: "index.handler", Role: "arn:aws:iam::123456789012:role/r",
		Code: "c0de", Environment: map[string]string{"MINE": "1"}, MemoryMiB: 128, TmpMiB: 512, Timeout: 3 * time.Second, LogGroup: "/aws/lambda/" + name,
	}
}

// call acquires, calls and releases.
func (n *node) call(t testing.TB, v *worker.Version, payload string) (worker.Outcome, worker.StartKind) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	e, err := n.Acquire(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	return e.Call(&worker.Call{ID: id.UUID(), InvokedARN: v.FunctionARN, Payload: []byte(payload)}), e.Kind()
}

// eventually polls until ok, or fails with what.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func TestColdThenWarm(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(workertest.Echo)})
	v := version("hello")
	for i, want := range []worker.StartKind{worker.Cold, worker.Warm, worker.Warm} {
		out, kind := n.call(t, v, `{"n":1}`)
		if got := string(out.Payload); got != `{"n":1}` || out.Status != "success" || kind != want {
			t.Errorf("call %d: %s %q %s, want %s", i, out.Status, got, kind, want)
		}
	}
	if got := n.driver.Started(); got != 1 {
		t.Errorf("%d sandboxes started, want 1", got)
	}
	if got := n.driver.Alive()[0].Attached("/var/task"); got != "/code/c0de" {
		t.Errorf("attached %q at /var/task", got)
	}
}

func TestEnvironmentVariables(t *testing.T) {
	var env map[string]string
	n := start(t, &workertest.Driver{Program: workertest.ServeAfter(func(g *workertest.Guest) error {
		env = g.Init.Env
		return nil
	}, workertest.Echo)})
	v := version("hello")
	v.Environment["AWS_REGION"] = "elsewhere"
	n.call(t, v, "{}")
	stream := env["AWS_LAMBDA_LOG_STREAM_NAME"]
	if len(stream) != len("2026/11/23/[$LATEST]")+32 || !strings.Contains(stream, "/[$LATEST]") {
		t.Errorf("log stream %q", stream)
	}
	delete(env, "AWS_LAMBDA_LOG_STREAM_NAME")
	want := map[string]string{
		"AWS_ACCESS_KEY_ID": "ASIATEST", "AWS_SECRET_ACCESS_KEY": "secret of arn:aws:iam::123456789012:role/r", "AWS_SESSION_TOKEN": "token",
		"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://10.0.0.1:4566",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_NAME": "hello", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello", "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"LAMBDA_RUNTIME_DIR": "/var/runtime", "LAMBDA_TASK_ROOT": "/var/task", "LANG": "C", "MINE": "1", "_HANDLER": "index.handler",
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}
