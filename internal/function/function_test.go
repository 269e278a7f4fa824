package function_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/function"
)

func TestCreateHasDefaults(t *testing.T) {
	w := newWorld(t)
	v := w.create("hello")
	want := function.Settings{
		Runtime: "nodejs22.x", Handler: "index.handler", Role: role, Architecture: v.Settings.Architecture,
		MemoryMiB: 128, TmpMiB: 512, Timeout: 3, Tracing: "PassThrough",
		Logging: function.Logging{Format: "Text", Group: "/aws/lambda/hello"},
	}
	if diff := cmp.Diff(want, v.Settings); diff != "" {
		t.Error(diff)
	}
	if v.Number != 0 || v.Revision == "" || v.Package.Bytes == 0 || v.Package.Digest == "" {
		t.Errorf("got %+v", v)
	}
	d, err := w.Get(context.Background(), prefix+"function:hello", "$LATEST")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, d.Version); diff != "" {
		t.Error(diff)
	}
}

func TestCreateRefuses(t *testing.T) {
	w := newWorld(t)
	w.create("taken")
	long := strings.Repeat("x", 5000)
	tests := []struct {
		name   string
		change func(*function.Creation)
		code   string
		says   string
	}{
		{"a name that is taken", func(c *function.Creation) { c.Name = "taken" }, "ResourceConflictException", "Function already exist: taken"},
		{"a qualified name", func(c *function.Creation) { c.Name = "x:live" }, "InvalidParameterValueException", "unqualified"},
		{"no runtime", func(c *function.Creation) { c.Change.Runtime = nil }, "InvalidParameterValueException", "mandatory"},
		{"no handler", func(c *function.Creation) { c.Change.Handler = nil }, "InvalidParameterValueException", "Runtime and Handler are mandatory"},
		{"an unknown runtime", func(c *function.Creation) { c.Change.Runtime = ptr("cobol1.x") }, "InvalidParameterValueException", "enum value set: [nodejs22.x"},
		{"a handler with a space", func(c *function.Creation) { c.Change.Handler = ptr("a b") }, "ValidationException", "'handler'"},
		{"no role", func(c *function.Creation) { c.Change.Role = nil }, "ValidationException", "'role'"},
		{"something else's ARN as role", func(c *function.Creation) { c.Change.Role = ptr("arn:aws:iam::123456789012:user/x") }, "ValidationException", "'role'"},
		{"too little memory", func(c *function.Creation) { c.Change.MemoryMiB = ptr(127) }, "ValidationException", "greater than or equal to 128"},
		{"too much memory", func(c *function.Creation) { c.Change.MemoryMiB = ptr(10241) }, "ValidationException", "less than or equal to 10240"},
		{"no time", func(c *function.Creation) { c.Change.Timeout = ptr(0) }, "ValidationException", "'timeout'"},
		{"too much time", func(c *function.Creation) { c.Change.Timeout = ptr(901) }, "ValidationException", "less than or equal to 900"},
		{"too small a disk", func(c *function.Creation) { c.Change.TmpMiB = ptr(511) }, "ValidationException", "'ephemeralStorage.size'"},
		{"an unknown processor", func(c *function.Creation) { c.Change.Architecture = ptr("vax") }, "ValidationException", "[x86_64, arm64]"},
		{"a reserved variable", func(c *function.Creation) {
			c.Change.Environment = map[string]string{"AWS_REGION": "x", "_HANDLER": "y"}
		}, "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION, _HANDLER"},
		{"a variable without a name", func(c *function.Creation) { c.Change.Environment = map[string]string{"1x": "x"} }, "ValidationException", "'environment.variables'"},
		{"too large an environment", func(c *function.Creation) { c.Change.Environment = map[string]string{"BIG": long} }, "InvalidParameterValueException", "exceeded the 4KB limit"},
		{"too long a description", func(c *function.Creation) { c.Change.Description = &long }, "ValidationException", "'description'"},
		{"levels for text", func(c *function.Creation) { c.Change.LogSystem = ptr("INFO") }, "InvalidParameterValueException", "LogFormat to JSON"},
		{"an unknown level", func(c *function.Creation) { c.Change.LogFormat, c.Change.LogSystem = ptr("JSON"), ptr("LOUD") }, "ValidationException", "systemLogLevel"},
		{"a dead letter target that is none", func(c *function.Creation) { c.Change.DeadLetter = ptr("queue") }, "ValidationException", "deadLetterConfig"},
		{"too many tags", func(c *function.Creation) {
			c.Tags = map[string]string{}
			for i := range 51 {
				c.Tags[strings.Repeat("k", i+1)] = ""
			}
		}, "InvalidParameterValueException", "tag limit"},
		{"no code", func(c *function.Creation) { c.Source = function.Source{} }, "InvalidParameterValueException", "Please provide a source"},
		{"code from two places", func(c *function.Creation) { c.Source.Bucket = "b" }, "InvalidParameterValueException", "do not provide other FunctionCode"},
		{"empty code", func(c *function.Creation) { c.Source.Zip = []byte{} }, "InvalidParameterValueException", "non-empty zip"},
		{"code that is no zip", func(c *function.Creation) { c.Source.Zip = []byte("hello") }, "InvalidParameterValueException", "Could not unzip uploaded file"},
		{"code that leads out", func(c *function.Creation) { c.Source.Zip = zipOf(t, "../../etc/cron.d/x", "") }, "InvalidParameterValueException", "Could not unzip"},
		{"an object that is not there", func(c *function.Creation) { c.Source = function.Source{Bucket: "b", Key: "k"} }, "InvalidParameterValueException", "NoSuchKey"},
		{"a layer that is not there", func(c *function.Creation) { c.Change.Layers = &[]string{prefix + "layer:none:1"} }, "InvalidParameterValueException", "Layer version " + prefix + "layer:none:1 does not exist."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := w.creation("new")
			tt.change(&c)
			_, err := w.Create(context.Background(), c)
			refused(t, err, tt.code, tt.says)
			if _, err := w.Get(context.Background(), "new", ""); !fault.Is(err, "ResourceNotFoundException") {
				t.Errorf("something was made: %v", err)
			}
		})
	}
}

func TestCreateFromObject(t *testing.T) {
	w := newWorld(t)
	w.objects["code/hello.zip"] = zipOf(t, "index.js", "x")
	c := w.creation("hello")
	c.Source = function.Source{Bucket: "code", Key: "hello.zip"}
	v, err := w.Create(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.blobs.Open(context.Background(), v.Package.Digest); err != nil {
		t.Error(err)
	}
}

func TestGetOfNothing(t *testing.T) {
	w := newWorld(t)
	w.create("hello")
	ctx := context.Background()
	_, err := w.Get(ctx, "nobody", "")
	refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:nobody")
	_, err = w.Get(ctx, "hello", "7")
	refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:hello:7")
	_, err = w.Get(ctx, "hello", "live")
	refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:hello:live")
}

func TestUpdateCode(t *testing.T) {
	w := newWorld(t)
	before := w.create("hello")
	w.clock.Advance(time.Minute)
	ctx := context.Background()
	other := function.CodeUpdate{Source: function.Source{Zip: zipOf(t, "index.js", "other")}}

	dry := other
	dry.DryRun = true
	after, err := w.UpdateCode(ctx, "hello", dry)
	if err != nil || after.Package == before.Package {
		t.Fatalf("dry run: %+v, %v", after, err)
	}
	if d, _ := w.Get(ctx, "hello", ""); d.Version.Revision != before.Revision {
		t.Error("a dry run changed the function")
	}

	stale := other
	stale.Revision = "00000000-0000-0000-0000-000000000000"
	_, err = w.UpdateCode(ctx, "hello", stale)
	refused(t, err, "PreconditionFailedException", "does not match the latest RevisionId")

	right := other
	right.Revision, right.Publish = before.Revision, true
	after, err = w.UpdateCode(ctx, "hello", right)
	if err != nil {
		t.Fatal(err)
	}
	if after.Number != 1 || after.Package == before.Package || !after.Modified.After(before.Modified) {
		t.Errorf("got %+v", after)
	}
	_, err = w.UpdateCode(ctx, "nobody", other)
	refused(t, err, "ResourceNotFoundException", "Function not found")
}

func TestUpdateSettingsKeepsTheRest(t *testing.T) {
	w := newWorld(t)
	before := w.create("hello")
	ctx := context.Background()
	after, err := w.UpdateSettings(ctx, "hello", function.Change{
		MemoryMiB: ptr(1024), Environment: map[string]string{"STAGE": "prod"}, LogFormat: ptr("JSON"), Tracing: ptr("Active"),
		DeadLetter: ptr("arn:aws:sqs:eu-central-1:123456789012:dead"),
	}, before.Revision)
	if err != nil {
		t.Fatal(err)
	}
	want := before.Settings
	want.MemoryMiB, want.Tracing, want.Environment = 1024, "Active", map[string]string{"STAGE": "prod"}
	want.DeadLetter = "arn:aws:sqs:eu-central-1:123456789012:dead"
	want.Logging.Format, want.Logging.Application, want.Logging.System = "JSON", "INFO", "INFO"
	if diff := cmp.Diff(want, after.Settings); diff != "" {
		t.Error(diff)
	}
	if after.Revision == before.Revision || after.Package != before.Package {
		t.Errorf("got %+v", after)
	}
	_, err = w.UpdateSettings(ctx, "hello", function.Change{MemoryMiB: ptr(256)}, before.Revision)
	refused(t, err, "PreconditionFailedException", "GetFunction")

	back, err := w.UpdateSettings(ctx, "hello", function.Change{
		LogFormat: ptr("Text"), Environment: map[string]string{}, DeadLetter: ptr(""),
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	want.Logging, want.Environment, want.DeadLetter = before.Settings.Logging, nil, ""
	if len(back.Settings.Environment) == 0 {
		back.Settings.Environment = nil
	}
	if diff := cmp.Diff(want, back.Settings); diff != "" {
		t.Error(diff)
	}
}

func TestDeleteLeavesNothing(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	layer, err := w.PublishLayer(ctx, function.LayerCreation{Name: "tools", Source: function.Source{Zip: zipOf(t, "bin/x", "y")}})
	must(err)
	c := w.creation("hello")
	c.Publish, c.Change.Layers = true, &[]string{prefix + "layer:tools:1"}
	_, err = w.Create(ctx, c)
	must(err)
	_, err = w.CreateAlias(ctx, "hello", "live", function.AliasChange{Version: ptr("1")})
	must(err)
	_, err = w.CreateURL(ctx, "hello", "live", function.URLChange{Auth: ptr("NONE")})
	must(err)
	_, err = w.AddPermission(ctx, "hello", "", function.Permission{Sid: "a", Action: "lambda:InvokeFunction", Principal: "*"})
	must(err)
	_, err = w.SetAsync(ctx, "hello", "", function.AsyncChange{MaxRetries: ptr(0)}, false)
	must(err)
	_, err = w.SetProvisioned(ctx, "hello", "live", 2)
	must(err)

	must(w.Delete(ctx, "hello", ""))
	must(w.DeleteLayerVersion(ctx, "tools", 1))
	want := map[string]int{"layer": 1, "unused": 2} // the layer's numbers go on
	if diff := cmp.Diff(want, w.keys()); diff != "" {
		t.Error(diff)
	}
	if w.warm.wanted["1"] != 0 {
		t.Error("environments are still provisioned")
	}
	if diff := cmp.Diff([]string{prefix + "function:hello"}, w.warm.retired); diff != "" {
		t.Error("retired: ", diff)
	}
	if diff := cmp.Diff([]string{"hello"}, w.warm.primed); diff != "" {
		t.Error("primed: ", diff)
	}
	refused(t, w.Delete(ctx, "hello", ""), "ResourceNotFoundException", "Function not found")

	must(w.Sweep(ctx)) // too early: a call may still run
	if _, err := w.blobs.Open(ctx, layer.Package.Digest); err != nil {
		t.Errorf("swept at once: %v", err)
	}
	w.clock.Advance(2 * time.Hour)
	must(w.Sweep(ctx))
	if _, err := w.blobs.Open(ctx, layer.Package.Digest); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("never swept: %v", err)
	}
	if diff := cmp.Diff(map[string]int{"layer": 1}, w.keys()); diff != "" {
		t.Error(diff)
	}
}

func TestPackageIsKeptWhileUsed(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	one, two := w.creation("one"), w.creation("two")
	two.Source = one.Source
	first, err := w.Create(ctx, one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Create(ctx, two); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(ctx, "one", ""); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Hour)
	if err := w.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.blobs.Open(ctx, first.Package.Digest); err != nil {
		t.Errorf("swept while the other function used it: %v", err)
	}
}

// Creations, deletions and sweeps of one package at the same time must never
// leave a function without its code.
func TestSweepAgainstUploads(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	zip := zipOf(t, "index.js", "shared")
	due := make(chan struct{}, 1)
	var sweeps, uploads sync.WaitGroup
	sweeps.Go(func() {
		for range due {
			w.clock.Advance(2 * time.Hour)
			if err := w.Sweep(ctx); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for _, name := range []string{"a", "b", "c"} {
		uploads.Go(func() {
			for range 15 {
				c := w.creation(name)
				c.Source.Zip = zip
				select {
				case due <- struct{}{}:
				default:
				}
				v, err := w.Create(ctx, c)
				for fault.Is(err, "ServiceException") {
					v, err = w.Create(ctx, c)
				}
				if err != nil {
					t.Error(err)
					return
				}
				f, err := w.blobs.Open(ctx, v.Package.Digest)
				if err != nil {
					t.Errorf("a function without code: %v", err)
					return
				}
				f.Close()
				if err := w.Delete(ctx, name, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	uploads.Wait()
	close(due)
	sweeps.Wait()
}

func TestListPages(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for _, name := range []string{"b", "a", "c"} {
		w.create(name)
	}
	w.publish("b")
	names := func(everyVersion bool, max int) []string {
		t.Helper()
		var got []string
		marker := ""
		for {
			list, next, err := w.List(ctx, everyVersion, function.Page{Marker: marker, Max: max})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				name := v.Function
				if v.Number > 0 {
					name += ":1"
				}
				got = append(got, name)
			}
			if marker = next; next == "" {
				return got
			}
		}
	}
	for _, max := range []int{0, 1, 2, 3} {
		if diff := cmp.Diff([]string{"a", "b", "c"}, names(false, max)); diff != "" {
			t.Errorf("%d a page: %s", max, diff)
		}
		if diff := cmp.Diff([]string{"a", "b", "b:1", "c"}, names(true, max)); diff != "" {
			t.Errorf("%d a page: %s", max, diff)
		}
	}
	_, marker, _ := w.List(ctx, false, function.Page{Max: 1})
	_, _, err := w.List(ctx, true, function.Page{Marker: marker})
	refused(t, err, "InvalidParameterValueException", "pagination token")
}

func TestCodeStorageIsCounted(t *testing.T) {
	w := newWorld(t)
	v := w.create("hello")
	w.publish("hello")
	a, err := w.Account(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := function.Account{
		Usage:       function.Usage{Functions: 1, CodeBytes: 2 * v.Package.Bytes},
		Concurrency: 1000, Unreserved: 1000,
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
}
