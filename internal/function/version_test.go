package function_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/function"
)

func TestPublish(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	latest := w.create("hello")

	first, err := w.Publish(ctx, "hello", function.Publication{
		Description: ptr("the first"), CodeSha256: latest.Package.Digest.Base64(), Revision: latest.Revision,
	})
	if err != nil {
		t.Fatal(err)
	}
	if first.Number != 1 || first.Settings.Description != "the first" || first.Revision == latest.Revision {
		t.Errorf("got %+v", first)
	}
	again := w.publish("hello")
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("nothing changed, and yet: %s", diff)
	}
	second := w.changeAndPublish("hello", 9)
	if second.Number != 2 || second.Settings.Timeout != 9 {
		t.Errorf("got %+v", second)
	}
	d, err := w.Get(ctx, "hello:1", "")
	if err != nil || d.Version.Settings.Timeout != 3 {
		t.Errorf("the first version changed: %+v, %v", d, err)
	}

	_, err = w.Publish(ctx, "hello", function.Publication{CodeSha256: "bm90IHRoaXM="})
	refused(t, err, "InvalidParameterValueException", "is different from current CodeSHA256 in $LATEST")
	_, err = w.Publish(ctx, "hello", function.Publication{Revision: "other"})
	refused(t, err, "PreconditionFailedException", "RevisionId")
	_, err = w.Publish(ctx, "nobody", function.Publication{})
	refused(t, err, "ResourceNotFoundException", "Function not found")
}

func TestVersionsAreListedAndDeleted(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	w.publish("hello")
	w.changeAndPublish("hello", 4)
	if _, err := w.CreateAlias(ctx, "hello", "live", function.AliasChange{Version: ptr("2")}); err != nil {
		t.Fatal(err)
	}
	numbers := func() []uint64 {
		t.Helper()
		var got []uint64
		list, _, err := w.Versions(ctx, "hello", function.Page{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			got = append(got, v.Number)
		}
		return got
	}
	if diff := cmp.Diff([]uint64{0, 1, 2}, numbers()); diff != "" {
		t.Error(diff)
	}
	refused(t, w.Delete(ctx, "hello", "$LATEST"), "InvalidParameterValueException", "$LATEST version cannot be deleted")
	refused(t, w.Delete(ctx, "hello", "live"), "InvalidParameterValueException", "Deletion of aliases")
	refused(t, w.Delete(ctx, "hello", "2"), "ResourceConflictException", "the following aliases reference it: [live]")
	refused(t, w.Delete(ctx, "nobody", "1"), "ResourceNotFoundException", "Function not found")
	for range 2 { // the second time there is nothing, which is no error
		if err := w.Delete(ctx, "hello", "1"); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]uint64{0, 2}, numbers()); diff != "" {
		t.Error(diff)
	}
	if v := w.changeAndPublish("hello", 5); v.Number != 3 {
		t.Errorf("number %d was given", v.Number)
	}
}

func TestAliases(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	w.publish("hello")
	w.changeAndPublish("hello", 4)
	one, two := ptr("1"), ptr("2")

	a, err := w.CreateAlias(ctx, "hello", "live", function.AliasChange{Version: one, Description: ptr("for all")})
	if err != nil || a.Version != 1 || a.Description != "for all" {
		t.Fatalf("got %+v, %v", a, err)
	}
	create := func(name string, c function.AliasChange) error {
		_, err := w.CreateAlias(ctx, "hello", name, c)
		return err
	}
	refused(t, create("live", function.AliasChange{Version: one}), "ResourceConflictException", "Alias already exists: "+prefix+"function:hello:live")
	refused(t, create("7", function.AliasChange{Version: one}), "ValidationException", "'name'")
	refused(t, create("a b", function.AliasChange{Version: one}), "ValidationException", "'name'")
	refused(t, create("next", function.AliasChange{Version: ptr("9")}), "ResourceNotFoundException", "function:hello:9")
	refused(t, create("next", function.AliasChange{Version: ptr("live")}), "ValidationException", "'functionVersion'")
	refused(t, create("next", function.AliasChange{Version: one, Weights: map[string]float64{"1": .5}}), "InvalidParameterValueException", "already included in routing configuration")
	refused(t, create("next", function.AliasChange{Version: ptr("$LATEST"), Weights: map[string]float64{"1": .5}}), "InvalidParameterValueException", "$LATEST is not supported")
	refused(t, create("next", function.AliasChange{Version: one, Weights: map[string]float64{"$LATEST": .5}}), "InvalidParameterValueException", "$LATEST is not supported")
	refused(t, create("next", function.AliasChange{Version: one, Weights: map[string]float64{"2": 1.5}}), "ValidationException", "additionalVersionWeights")
	refused(t, create("next", function.AliasChange{Version: one, Weights: map[string]float64{"2": .1, "3": .1}}), "InvalidParameterValueException", "cannot be greater than 1")

	b, err := w.UpdateAlias(ctx, "hello", "live", function.AliasChange{Weights: map[string]float64{"2": .25}, Revision: a.Revision})
	if err != nil {
		t.Fatal(err)
	}
	if b.Version != 1 || b.Other != 2 || b.Weight != .25 || b.Description != "for all" || b.Revision == a.Revision {
		t.Errorf("got %+v", b)
	}
	_, err = w.UpdateAlias(ctx, "hello", "live", function.AliasChange{Version: two, Revision: a.Revision})
	refused(t, err, "PreconditionFailedException", "GetAlias")
	c, err := w.UpdateAlias(ctx, "hello", "live", function.AliasChange{Version: two, Weights: map[string]float64{}})
	if err != nil || c.Version != 2 || c.Other != 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	if err := create("beta", function.AliasChange{Version: one}); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]int{"": 2, "1": 1, "2": 1, "9": 0} {
		list, _, err := w.Aliases(ctx, "hello", version, function.Page{})
		if err != nil || len(list) != want {
			t.Errorf("of version %q: %+v, %v", version, list, err)
		}
	}
	if err := w.DeleteAlias(ctx, "hello", "live"); err != nil {
		t.Fatal(err)
	}
	_, err = w.Alias(ctx, "hello", "live")
	refused(t, err, "ResourceNotFoundException", "Cannot find alias arn: "+prefix+"function:hello:live")
	if err := w.DeleteAlias(ctx, "hello", "live"); err != nil {
		t.Error(err)
	}
}

func TestResolve(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	w.publish("hello")
	w.changeAndPublish("hello", 4)
	if _, err := w.CreateAlias(ctx, "hello", "live", function.AliasChange{Version: ptr("1"), Weights: map[string]float64{"2": .5}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ function, qualifier, number, arn string }{
		{"hello", "", "$LATEST", "function:hello"},
		{"hello", "$LATEST", "$LATEST", "function:hello:$LATEST"},
		{prefix + "function:hello:2", "", "2", "function:hello:2"},
	} {
		got, err := w.Resolve(ctx, tt.function, tt.qualifier)
		if err != nil || got.Version.Number != tt.number || got.InvokedARN != prefix+tt.arn {
			t.Errorf("%s %s: got %+v, %v", tt.function, tt.qualifier, got, err)
		}
		if got.Reserved != -1 || got.Async.MaxRetries != 2 || got.Async.MaxAge.Hours() != 6 {
			t.Errorf("got %+v, want the defaults", got)
		}
	}
	seen := map[string]bool{}
	for range 200 { // missing one of two has a chance of 2^-200
		got, err := w.Resolve(ctx, "hello", "live")
		if err != nil || got.InvokedARN != prefix+"function:hello:live" {
			t.Fatalf("got %+v, %v", got, err)
		}
		seen[got.Version.Number] = true
	}
	if diff := cmp.Diff(map[string]bool{"1": true, "2": true}, seen); diff != "" {
		t.Error(diff)
	}
	_, err := w.Resolve(ctx, "hello", "none")
	refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:hello:none")
}

// What was acknowledged is what the next call meets.
func TestResolveSeesEveryChangeAtOnce(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("hello")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys := map[string]bool{}
	fresh := func(what string) {
		t.Helper()
		got, err := w.Resolve(ctx, "hello", "")
		must(err)
		if keys[got.Version.Key] {
			t.Errorf("%s: the same key %s", what, got.Version.Key)
		}
		keys[got.Version.Key] = true
	}
	fresh("created")
	for i := range 20 {
		_, err := w.UpdateSettings(ctx, "hello", function.Change{Timeout: ptr(10 + i)}, "")
		must(err)
		fresh("settings")
	}
	_, err := w.UpdateCode(ctx, "hello", function.CodeUpdate{Source: function.Source{Zip: zipOf(t, "a", "b")}})
	must(err)
	fresh("code")
	must(w.Reserve(ctx, "hello", ptr(7)))
	if got, _ := w.Resolve(ctx, "hello", ""); got.Reserved != 7 || w.ReservedTotal(account) != 7 {
		t.Errorf("got %d reserved of %d", got.Reserved, w.ReservedTotal(account))
	}
	_, err = w.SetAsync(ctx, "hello", "", function.AsyncChange{MaxAge: ptr(60), OnFailure: ptr("arn:aws:sqs:eu-central-1:123456789012:q")}, false)
	must(err)
	got, _ := w.Resolve(ctx, "hello", "")
	if got.Async.MaxAge.Seconds() != 60 || got.Async.MaxRetries != 2 || got.Async.OnFailure == "" {
		t.Errorf("got %+v", got.Async)
	}
	must(w.Delete(ctx, "hello", ""))
	if _, err := w.Resolve(ctx, "hello", ""); err == nil {
		t.Error("a deleted function can be called")
	}
	w.create("hello")
	fresh("created again")
}

func BenchmarkResolve(b *testing.B) {
	w := newWorld(b)
	w.create("hello")
	ctx := context.Background()
	b.Run("name", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Resolve(ctx, "hello", ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("after-a-change", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if err := w.Reserve(ctx, "hello", ptr(1)); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := w.Resolve(ctx, "hello", ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	w := newWorld(b)
	c := w.creation("x")
	for i := 0; b.Loop(); i++ {
		c.Name = "f" + string(rune('a'+i%26)) + zeros(i)
		if _, err := w.Create(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
}

func zeros(i int) string {
	var s []byte
	for ; i > 0; i /= 10 {
		s = append(s, byte('0'+i%10))
	}
	return string(s)
}
