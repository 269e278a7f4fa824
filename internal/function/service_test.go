package function_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/blob/file"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/function"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
	role    = "arn:aws:iam::123456789012:role/basic"
	prefix  = "arn:aws:lambda:" + region + ":" + account + ":"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// world is a service with everything around it.
type world struct {
	*function.Service
	t       testing.TB
	config  function.Config
	store   *pebble.Store
	blobs   *file.Store
	clock   *clock.Manual
	invoker *invoker
	warm    *provisioner
	objects objects
}

func newWorld(t testing.TB) *world {
	t.Helper()
	st, err := pebble.Open(context.Background(), pebble.Config{
		Dir: "store", FS: vfs.NewMem(), Reserve: 1, Fatal: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	blobs, err := file.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, store: st, blobs: blobs, invoker: &invoker{}, warm: &provisioner{}, objects: objects{},
		clock: clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)),
	}
	w.config = function.Config{
		Store: st, Blobs: blobs, Runtimes: runtimes{}, Provisioner: w.warm, Objects: w.objects,
		Account: account, Region: region, Endpoint: "http://localhost:4566", Clock: w.clock,
		Log: slog.New(slog.DiscardHandler),
	}
	w.Service = function.New(w.config)
	return w
}

// zipOf makes a package of names and contents.
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ptr[T any](v T) *T { return &v }

// creation is a request for an ordinary function.
func (w *world) creation(name string) function.Creation {
	return function.Creation{
		Name:   name,
		Source: function.Source{Zip: zipOf(w.t, "index.js", "exports.handler = async () => '"+name+"'")},
		Change: function.Change{Runtime: ptr("nodejs22.x"), Handler: ptr("index.handler"), Role: ptr(role)},
	}
}

func (w *world) create(name string) *function.Version {
	w.t.Helper()
	v, err := w.Create(context.Background(), w.creation(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) publish(name string) *function.Version {
	w.t.Helper()
	v, err := w.Publish(context.Background(), name, function.Publication{})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// changeAndPublish publishes a version that differs from the last.
func (w *world) changeAndPublish(name string, timeout int) *function.Version {
	w.t.Helper()
	if _, err := w.UpdateSettings(context.Background(), name, function.Change{Timeout: &timeout}, ""); err != nil {
		w.t.Fatal(err)
	}
	return w.publish(name)
}

// keys counts what the store holds.
func (w *world) keys() map[string]int {
	w.t.Helper()
	n := map[string]int{}
	err := w.store.View(context.Background(), func(r store.Reader) error {
		for p, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			parts, err := store.Split(p.Key)
			if err != nil {
				return err
			}
			n[fmt.Sprint(parts[1])]++
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// refused checks that an error is a fault of this code and says this.
func refused(t *testing.T, err error, code, says string) {
	t.Helper()
	if !fault.Is(err, code) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %s: ...%s...", err, code, says)
	}
}

// runtimes knows two.
type runtimes struct{}

func (runtimes) Check(name string) error {
	switch name {
	case "nodejs22.x", "provided.al2023":
		return nil
	}
	return fault.New(400, "InvalidParameterValueException", "Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs22.x, provided.al2023] or be a valid ARN", name)
}

// invoker answers with what it is told, and remembers what it was asked.
type invoker struct {
	mu     sync.Mutex
	asked  []invoke.Request
	answer func(invoke.Request) (*invoke.Response, error)
	stream func(invoke.Request, invoke.Stream) (*invoke.Response, error)
}

func (i *invoker) remember(r invoke.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, r)
}

func (i *invoker) last() invoke.Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[len(i.asked)-1]
}

func (i *invoker) Invoke(_ context.Context, r invoke.Request) (*invoke.Response, error) {
	i.remember(r)
	if i.answer == nil {
		return &invoke.Response{Payload: r.Payload, Version: "$LATEST"}, nil
	}
	return i.answer(r)
}

func (i *invoker) InvokeStream(_ context.Context, r invoke.Request, s invoke.Stream) (*invoke.Response, error) {
	i.remember(r)
	return i.stream(r, s)
}

func (i *invoker) InvokeAsync(_ context.Context, r invoke.Request) error {
	i.remember(r)
	return nil
}

// provisioner remembers what is wanted and has half of it.
type provisioner struct {
	mu      sync.Mutex
	wanted  map[string]int
	have    int
	broken  bool
	primed  []string // names
	retired []string // ARNs
}

func (p *provisioner) Prime(v *worker.Version) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.primed = append(p.primed, v.Name)
	return nil
}

func (p *provisioner) Retire(functionARN string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = append(p.retired, functionARN)
}

func (p *provisioner) Provision(v *worker.Version, n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted == nil {
		p.wanted = map[string]int{}
	}
	p.wanted[v.Number] = n
	return nil
}

func (p *provisioner) Provisioned(string) worker.ProvisionStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return worker.ProvisionStatus{Allocated: p.have, Available: p.have, Failing: p.broken}
}

// objects is a bucket store in memory.
type objects map[string][]byte

func (o objects) Open(_ context.Context, bucket, key, _ string) (io.ReadCloser, error) {
	b, ok := o[bucket+"/"+key]
	if !ok {
		return nil, fault.New(400, "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey.")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}
