package postgres

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

const me = "0123456789abcdef"

func span(start, end string) driver.Span { return driver.Span{Start: start, End: end} }

func TestMessage(t *testing.T) {
	long := strings.Repeat("k", longest)
	tests := map[string]struct {
		keys  []string
		spans []driver.Span
		want  touched
	}{
		"keys":                     {[]string{"a", "b\x00\xff"}, nil, touched{"a": false, "b\x00\xff": false}},
		"the empty key":            {[]string{""}, nil, touched{"": false}},
		"a long key":               {[]string{long + "1", long + "2"}, nil, touched{long: true}},
		"a prefix":                 {nil, []driver.Span{driver.PrefixSpan("q/1/")}, touched{"q/1/": true}},
		"between two keys":         {nil, []driver.Span{span("q/1/a", "q/1/c")}, touched{"q/1/": true}},
		"everything":               {nil, []driver.Span{span("", driver.Beyond)}, touched{"": true}},
		"from a key on":            {nil, []driver.Span{span("x", driver.Beyond)}, touched{"": true}},
		"a key and all it is to":   {[]string{"q"}, []driver.Span{driver.PrefixSpan("q")}, touched{"q": true}},
		"the last prefix there is": {nil, []driver.Span{driver.PrefixSpan("\xff")}, touched{"\xff": true}},
	}
	for name, test := range tests {
		var got touched
		got.add(test.keys, test.spans)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		sender, back, err := decode(got.encode(me))
		if err != nil || sender != me {
			t.Errorf("%s: decode: %q, %v", name, sender, err)
		}
		if diff := cmp.Diff(test.want, back); diff != "" {
			t.Errorf("%s, encoded (-want +got):\n%s", name, diff)
		}
	}
}

// TestManyKeys: however much was changed, a notification has room for it, and
// everyone who watches a part of it is found.
func TestManyKeys(t *testing.T) {
	for _, n := range []int{1, 50, 100, 1000, 5000} {
		var keys []string
		for range n {
			b := make([]byte, 120)
			rand.Read(b)
			keys = append(keys, string(b))
		}
		var all touched
		for _, k := range keys {
			all.add([]string{k}, nil)
		}
		message := all.encode(me)
		if len(message) > messageSize || len(all) > maxTouched {
			t.Errorf("%d keys: %d of them kept, a message of %d bytes", n, len(all), len(message))
		}
		_, back, err := decode(message)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if !covers(back, k) {
				t.Fatalf("%d keys: %x is not in the message", n, k)
			}
		}
	}
}

func covers(t touched, key string) bool {
	for n := range len(key) {
		if t[key[:n]] {
			return true
		}
	}
	_, whole := t[key]
	return whole
}

func FuzzDecode(f *testing.F) {
	var some touched
	some.add([]string{"a", "b"}, []driver.Span{driver.PrefixSpan("c")})
	for _, s := range []string{"", "!", some.encode(me), some.encode(me)[:30]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		sender, got, err := decode(message)
		if err != nil {
			return
		}
		again, back, err := decode(got.encode(sender))
		if len(message) <= messageSize && (err != nil || again != sender || !cmp.Equal(shortened(got), shortened(back))) {
			t.Errorf("%v became %v, %v", got, back, err)
		}
	})
}

// shortened takes what may differ out of a comparison: lengths over the limit.
func shortened(t touched) touched { return t.shorten(8) }

func TestPlace(t *testing.T) {
	cfg, err := ParseURL("postgres://someone:secret@db.example:5433/cloud")
	if err != nil {
		t.Fatal(err)
	}
	if got := Place(cfg.ConnConfig); got != "cloud at db.example:5433 as someone" {
		t.Errorf("place %q", got)
	}
	for _, bad := range []string{"postgres://someone:secret@db.example:x/cloud", "postgres://u:secret@h/db?sslmode=never", "password=secret port=x"} {
		if _, err := ParseURL(bad); err == nil || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%s: %v", strings.ReplaceAll(bad, "secret", "..."), err)
		}
	}
}

func TestLongKeyRows(t *testing.T) {
	head := strings.Repeat("h", maxRow)
	tests := map[string]struct {
		r    store.Range
		want bounds
	}{
		"short":      {store.Range{Start: []byte("a"), End: []byte("b")}, bounds{[]byte("a"), []byte("b")}},
		"no end":     {store.Range{Start: []byte("a")}, bounds{[]byte("a"), nil}},
		"long start": {store.Range{Start: []byte(head + "x")}, bounds{[]byte(head + "\x00"), nil}},
		"long end":   {store.Range{End: []byte(head + "x")}, bounds{nil, []byte(head + "\x01")}},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, rowsOf(test.r), cmp.AllowUnexported(bounds{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
