package function_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/function"
)

func TestReserve(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("one")
	w.create("two")
	refused(t, w.Reserve(ctx, "one", ptr(901)), "InvalidParameterValueException", "below its minimum value of [100]")
	refused(t, w.Reserve(ctx, "one", ptr(-1)), "ValidationException", "'reservedConcurrentExecutions'")
	refused(t, w.Reserve(ctx, "nobody", ptr(1)), "ResourceNotFoundException", "Function not found")
	refused(t, w.Reserve(ctx, "one:live", ptr(1)), "InvalidParameterValueException", "unqualified")
	for _, n := range []int{900, 500, 0} { // its own reservation doesn't count against it
		if err := w.Reserve(ctx, "one", &n); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Reserve(ctx, "one", ptr(800)); err != nil {
		t.Fatal(err)
	}
	refused(t, w.Reserve(ctx, "two", ptr(101)), "InvalidParameterValueException", "UnreservedConcurrentExecution")
	if a, _ := w.Account(ctx); a.Unreserved != 200 || w.ReservedTotal(account) != 800 {
		t.Errorf("got %+v, %d", a, w.ReservedTotal(account))
	}
	if err := w.Reserve(ctx, "one", nil); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Reserved(ctx, "one"); err != nil || n != nil {
		t.Errorf("got %v, %v", n, err)
	}
}

func TestProvisioned(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	w.publish("hello")
	w.changeAndPublish("hello", 4)
	if _, err := w.CreateAlias(ctx, "hello", "live", function.AliasChange{Version: ptr("1")}); err != nil {
		t.Fatal(err)
	}
	put := func(qualifier string, n int) error {
		_, err := w.SetProvisioned(ctx, "hello", qualifier, n)
		return err
	}
	refused(t, put("$LATEST", 1), "InvalidParameterValueException", "unpublished function versions")
	refused(t, put("1", 0), "ValidationException", "'provisionedConcurrentExecutions'")
	refused(t, put("none", 1), "ResourceNotFoundException", "Cannot find alias")
	refused(t, put("9", 1), "ResourceNotFoundException", "Function not found")
	_, err := w.GetProvisioned(ctx, "hello", "1")
	refused(t, err, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found")
	if err := w.Reserve(ctx, "hello", ptr(5)); err != nil {
		t.Fatal(err)
	}
	refused(t, put("live", 6), "InvalidParameterValueException", "should not be greater than the reservedConcurrentExecution")

	if err := put("live", 4); err != nil {
		t.Fatal(err)
	}
	refused(t, put("1", 1), "ResourceConflictException", "already Provisioned version")
	refused(t, put("2", 2), "InvalidParameterValueException", "should not be greater")
	refused(t, w.Reserve(ctx, "hello", ptr(3)), "InvalidParameterValueException", "total provisioned concurrency 4")
	if diff := cmp.Diff(map[string]int{"1": 4}, w.warm.wanted); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		have           int
		broken         bool
		status, reason string
	}{{1, false, "IN_PROGRESS", ""}, {1, true, "FAILED", "FUNCTION_ERROR"}, {4, false, "READY", ""}} {
		w.warm.have, w.warm.broken = tt.have, tt.broken
		p, err := w.GetProvisioned(ctx, "hello", "live")
		if err != nil || p.Status != tt.status || p.Reason != tt.reason || p.Allocated != tt.have || p.Requested != 4 {
			t.Errorf("got %+v, %v; want %s", p, err, tt.status)
		}
	}

	// The alias moves on, and its environments with it.
	if _, err := w.UpdateAlias(ctx, "hello", "live", function.AliasChange{Version: ptr("2")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"1": 0, "2": 4}, w.warm.wanted); diff != "" {
		t.Error(diff)
	}
	if list, _, err := w.ListProvisioned(ctx, "hello", function.Page{}); err != nil || len(list) != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := w.DeleteProvisioned(ctx, "hello", "live"); err != nil || w.warm.wanted["2"] != 0 {
		t.Errorf("got %v, %v", w.warm.wanted, err)
	}
}

// A node that starts provisions what is set, and sees what others change.
func TestRunProvisionsWhatIsSet(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(context.Background())
	w.create("hello")
	w.publish("hello")
	if _, err := w.SetProvisioned(ctx, "hello", "1", 3); err != nil {
		t.Fatal(err)
	}
	fresh := &provisioner{}
	config := w.config
	config.Provisioner = fresh
	other := function.New(config)
	done := make(chan error)
	go func() { done <- other.Run(ctx) }()
	eventually(t, "provisioned", func() bool {
		fresh.mu.Lock()
		defer fresh.mu.Unlock()
		return fresh.wanted["1"] == 3
	})
	if _, err := other.Resolve(ctx, "hello", ""); err != nil { // now it is remembered there
		t.Fatal(err)
	}
	v, err := w.UpdateSettings(ctx, "hello", function.Change{Timeout: ptr(77)}, "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "resolved to the new version", func() bool {
		got, err := other.Resolve(ctx, "hello", "")
		return err == nil && strings.HasSuffix(got.Version.Key, v.Revision)
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAsyncSettings(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	queue := ptr("arn:aws:sqs:eu-central-1:123456789012:q")
	put := func(c function.AsyncChange, merge bool) (*function.AsyncSettings, error) {
		return w.SetAsync(ctx, "hello", "", c, merge)
	}
	for _, tt := range []struct {
		change     function.AsyncChange
		code, says string
	}{
		{function.AsyncChange{}, "InvalidParameterValueException", "at least one"},
		{function.AsyncChange{MaxAge: ptr(59)}, "ValidationException", "greater than or equal to 60"},
		{function.AsyncChange{MaxAge: ptr(21601)}, "ValidationException", "21600"},
		{function.AsyncChange{MaxRetries: ptr(3)}, "ValidationException", "less than or equal to 2"},
		{function.AsyncChange{OnFailure: ptr("queue")}, "ValidationException", "onFailure"},
	} {
		_, err := put(tt.change, false)
		refused(t, err, tt.code, tt.says)
	}
	_, err := put(function.AsyncChange{MaxRetries: ptr(1)}, true)
	refused(t, err, "ResourceNotFoundException", "The function "+prefix+"function:hello:$LATEST doesn't have an EventInvokeConfig")
	if _, err := put(function.AsyncChange{MaxRetries: ptr(1), OnSuccess: queue}, false); err != nil {
		t.Fatal(err)
	}
	merged, err := put(function.AsyncChange{MaxAge: ptr(100)}, true)
	if err != nil || *merged.MaxRetries != 1 || *merged.MaxAge != 100 || merged.OnSuccess != *queue {
		t.Errorf("got %+v, %v", merged, err)
	}
	replaced, err := put(function.AsyncChange{MaxAge: ptr(200)}, false)
	if err != nil || replaced.MaxRetries != nil || replaced.OnSuccess != "" {
		t.Errorf("got %+v, %v", replaced, err)
	}
	if list, _, err := w.ListAsync(ctx, "hello", function.Page{}); err != nil || len(list) != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := w.DeleteAsync(ctx, "hello", ""); err != nil {
		t.Error(err)
	}
	refused(t, w.DeleteAsync(ctx, "hello", ""), "ResourceNotFoundException", "EventInvokeConfig")
}

func TestPermissions(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	good := function.Permission{Sid: "a", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com"}
	add := func(change func(*function.Permission)) error {
		p := good
		change(&p)
		_, err := w.AddPermission(ctx, "hello", "", p)
		return err
	}
	refused(t, add(func(p *function.Permission) { p.Sid = "a b" }), "ValidationException", "'statementId'")
	refused(t, add(func(p *function.Permission) { p.Action = "s3:GetObject" }), "ValidationException", "'action'")
	refused(t, add(func(p *function.Permission) { p.Principal = "somebody" }), "InvalidParameterValueException", "principal was invalid")
	refused(t, add(func(p *function.Permission) { p.Principal = "arn:aws:iam::210987654321:policy/p" }), "InvalidParameterValueException", "would not be valid")
	refused(t, add(func(p *function.Permission) { p.URLAuthType = "NONE" }), "InvalidParameterValueException", "only supported for lambda:InvokeFunctionUrl")
	_, err := w.AddPermission(ctx, "hello", "$LATEST", good)
	refused(t, err, "InvalidParameterValueException", "do not support adding policies for $LATEST")
	_, err = w.Policy(ctx, "hello", "")
	refused(t, err, "ResourceNotFoundException", "does not exist")
	refused(t, w.RemovePermission(ctx, "hello", "", "a", ""), "ResourceNotFoundException", "No policy is associated")

	if err := add(func(*function.Permission) {}); err != nil {
		t.Fatal(err)
	}
	refused(t, add(func(*function.Permission) {}), "ResourceConflictException", "The statement id (a) provided already exists")
	refused(t, add(func(p *function.Permission) { p.Sid, p.Revision = "b", "stale" }), "PreconditionFailedException", "GetPolicy")
	first, err := w.Policy(ctx, "hello", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := add(func(p *function.Permission) { p.Sid, p.Revision, p.Principal = "b", first.Revision, "210987654321" }); err != nil {
		t.Fatal(err)
	}
	second, _ := w.Policy(ctx, "hello", "")
	doc, err := second.Document()
	if err != nil || !strings.Contains(doc, `"Principal":{"AWS":"arn:aws:iam::210987654321:root"}`) || second.Revision == first.Revision {
		t.Errorf("got %s, %v", doc, err)
	}
	for i := 0; err == nil; i++ {
		err = add(func(p *function.Permission) {
			p.Sid, p.SourceARN = strings.Repeat("x", i+1), "arn:aws:s3:::"+strings.Repeat("b", 900)
		})
		if i > 100 {
			t.Fatal("the policy grows without end")
		}
	}
	refused(t, err, "PolicyLengthExceededException", "bigger than the limit (20480)")
	refused(t, w.RemovePermission(ctx, "hello", "", "none", ""), "ResourceNotFoundException", "Statement none is not found")
	if err := w.RemovePermission(ctx, "hello", "", "a", ""); err != nil {
		t.Error(err)
	}
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	arn := prefix + "function:hello"
	if err := w.Tag(ctx, arn, map[string]string{"a": "1", "b": "2"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Tag(ctx, arn, map[string]string{"b": "3"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Untag(ctx, arn, []string{"a", "none"}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Tags(ctx, arn)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"b": "3"}, got); diff != "" {
		t.Error(diff)
	}
	refused(t, w.Tag(ctx, arn, map[string]string{"aws:x": ""}), "InvalidParameterValueException", "reserved for system use")
	refused(t, w.Tag(ctx, arn+":live", nil), "InvalidParameterValueException", "aliases and versions are not supported")
	refused(t, w.Tag(ctx, prefix+"function:nobody", nil), "ResourceNotFoundException", "Function not found")
}

func TestLayers(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	publish := func(name, content string, runtimes ...string) *function.LayerVersion {
		t.Helper()
		v, err := w.PublishLayer(ctx, function.LayerCreation{Name: name, Runtimes: runtimes, Source: function.Source{Zip: zipOf(t, "x", content)}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	publish("b", "1", "nodejs22.x")
	publish("a", "1", "nodejs22.x")
	publish("a", "2", "python3.13")
	newest := func(f function.LayerFilter, max int) (got []string) {
		t.Helper()
		marker := ""
		for {
			list, next, err := w.Layers(ctx, f, function.Page{Marker: marker, Max: max})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				got = append(got, v.Layer+string(rune('0'+v.Number)))
			}
			if marker = next; next == "" {
				return got
			}
		}
	}
	for _, max := range []int{1, 10} {
		if diff := cmp.Diff([]string{"a2", "b1"}, newest(function.LayerFilter{}, max)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{"a1", "b1"}, newest(function.LayerFilter{Runtime: "nodejs22.x"}, 10)); diff != "" {
		t.Error(diff)
	}
	first, next, err := w.LayerVersions(ctx, "a", function.LayerFilter{}, function.Page{Max: 1})
	if err != nil || len(first) != 1 || first[0].Number != 2 {
		t.Fatalf("got %+v, %v", first, err)
	}
	second, _, err := w.LayerVersions(ctx, "a", function.LayerFilter{}, function.Page{Max: 1, Marker: next})
	if err != nil || len(second) != 1 || second[0].Number != 1 {
		t.Errorf("got %+v, %v", second, err)
	}

	with := func(arns ...string) error {
		c := w.creation("hello")
		c.Change.Layers = &arns
		_, err := w.Create(ctx, c)
		return err
	}
	a1, a2, b1 := prefix+"layer:a:1", prefix+"layer:a:2", prefix+"layer:b:1"
	refused(t, with(a1, a2), "InvalidParameterValueException", "Two different versions of the same layer")
	refused(t, with(a1, b1, a1, b1, a1, b1), "InvalidParameterValueException", "more than 5 layers")
	refused(t, with("a:1"), "ValidationException", "'arn'")
	refused(t, with(prefix+"layer:a:9"), "InvalidParameterValueException", "does not exist")
	if err := with(a2, b1); err != nil {
		t.Fatal(err)
	}
	got, err := w.Resolve(ctx, "hello", "")
	if err != nil || len(got.Version.Layers) != 2 || got.Version.Layers[0] != first[0].Package.Digest {
		t.Errorf("got %+v, %v", got.Version.Layers, err)
	}

	// A function keeps the layer it has when the layer's version is deleted.
	if err := w.DeleteLayerVersion(ctx, "a", 2); err != nil {
		t.Fatal(err)
	}
	_, err = w.LayerVersion(ctx, "a", 2)
	refused(t, err, "ResourceNotFoundException", "does not exist")
	w.clock.Advance(2 * time.Hour)
	if err := w.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.blobs.Open(ctx, first[0].Package.Digest); err != nil {
		t.Errorf("its package is gone: %v", err)
	}
	if v := publish("a", "3"); v.Number != 3 {
		t.Errorf("number %d was given again", v.Number)
	}
	_, err = w.PublishLayer(ctx, function.LayerCreation{Name: "a/b", Source: function.Source{Zip: zipOf(t, "x", "y")}})
	refused(t, err, "ValidationException", "'layerName'")
}

func TestLayerPermissions(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if _, err := w.PublishLayer(ctx, function.LayerCreation{Name: "a", Source: function.Source{Zip: zipOf(t, "x", "y")}}); err != nil {
		t.Fatal(err)
	}
	p := function.Permission{Sid: "all", Action: "lambda:GetLayerVersion", Principal: "*"}
	st, revision, err := w.AddLayerPermission(ctx, "a", 1, p)
	if err != nil || st.Resource != prefix+"layer:a:1" || revision == "" {
		t.Fatalf("got %+v, %s, %v", st, revision, err)
	}
	refused(t, w.RemoveLayerPermission(ctx, "a", 1, "all", "stale"), "PreconditionFailedException", "RevisionId")
	if err := w.RemoveLayerPermission(ctx, "a", 1, "all", revision); err != nil {
		t.Error(err)
	}
	_, err = w.LayerPolicy(ctx, "a", 1)
	refused(t, err, "ResourceNotFoundException", "does not exist")
	p.Action = "lambda:InvokeFunction"
	_, _, err = w.AddLayerPermission(ctx, "a", 1, p)
	refused(t, err, "ValidationException", "'action'")
}

func TestLink(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	c := w.creation("hello")
	v, err := w.Create(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	link, err := w.Link(ctx, v.Package.Digest)
	if err != nil {
		t.Fatal(err)
	}
	get := func(s *function.Service, url string) *http.Response {
		rec := httptest.NewRecorder()
		s.Download().ServeHTTP(rec, httptest.NewRequest("GET", url, nil))
		return rec.Result()
	}
	resp := get(w.Service, link)
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || !bytes.Equal(body, c.Source.Zip) {
		t.Errorf("got %d, %d bytes", resp.StatusCode, len(body))
	}
	if resp := get(function.New(w.config), link); resp.StatusCode != 200 {
		t.Errorf("after a restart: %d", resp.StatusCode)
	}
	other := w.create("other")
	for name, url := range map[string]string{
		"another package":  strings.Replace(link, string(v.Package.Digest), string(other.Package.Digest), 1),
		"a longer life":    strings.Replace(link, "expires=1", "expires=2", 1),
		"another token":    link + "0",
		"no token":         strings.Split(link, "?")[0],
		"no package":       "http://x/_mayfly/code/../../etc/passwd?expires=1&token=x",
		"not even a query": "http://x/_mayfly/code/",
	} {
		if resp := get(w.Service, url); resp.StatusCode != 403 && resp.StatusCode != 404 {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	w.clock.Advance(11 * time.Minute)
	if resp := get(w.Service, link); resp.StatusCode != 403 {
		t.Errorf("after ten minutes: %d", resp.StatusCode)
	}
}
