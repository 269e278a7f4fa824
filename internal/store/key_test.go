package store_test

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// TestKeyOrder: keys sort as their tuples do.
func TestKeyOrder(t *testing.T) {
	tuples := [][]any{ // in order
		{},
		{""},
		{"", ""},
		{"\x00"},
		{"\x00\x00"},
		{"\x00\xff"},
		{"\x01"},
		{"a"},
		{"a", ""},
		{"a", "b"},
		{"a", uint64(0)},
		{"a", 1},
		{"a", 255},
		{"a", 256},
		{"a", uint64(math.MaxUint64)},
		{"a\x00"},
		{"a\x00b"},
		{"ab"},
		{"b"},
		{"\xff"},
		{"\xff\xff"},
		{uint64(0)},
		{1, "x"},
	}
	for i := 1; i < len(tuples); i++ {
		a, b := store.Key(tuples[i-1]...), store.Key(tuples[i]...)
		if bytes.Compare(a, b) >= 0 {
			t.Errorf("%q (%x) does not come before %q (%x)", tuples[i-1], a, tuples[i], b)
		}
	}
}

// TestKeyPrefix: a tuple's key begins those of the tuples that begin with it, and
// no others.
func TestKeyPrefix(t *testing.T) {
	p := store.Prefix(store.Key("room", "a"))
	has := func(k []byte) bool {
		return bytes.Compare(k, p.Start) >= 0 && bytes.Compare(k, p.End) < 0
	}
	for _, in := range [][]any{{"room", "a"}, {"room", "a", ""}, {"room", "a", "z"}, {"room", "a", uint64(math.MaxUint64)}} {
		if !has(store.Key(in...)) {
			t.Errorf("%q is not under the prefix", in)
		}
	}
	for _, out := range [][]any{{"room"}, {"room", ""}, {"room", "ab"}, {"room", "a\x00"}, {"room", "b"}, {"room", 1}, {"rooms", "a"}} {
		if has(store.Key(out...)) {
			t.Errorf("%q is under the prefix", out)
		}
	}
}

func TestKeyRefuses(t *testing.T) {
	for _, part := range []any{-1, int64(1), 1.5, nil, true, []string{"a"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%T %v made a key", part, part)
				}
			}()
			store.Key(part)
		}()
	}
}

func TestPrefixEnd(t *testing.T) {
	for in, want := range map[string]string{"a": "b", "a\xff": "b", "a\xff\xff": "b", "\x00": "\x01", "a\xfe\xff": "a\xff"} {
		if got := store.PrefixEnd([]byte(in)); string(got) != want {
			t.Errorf("PrefixEnd(%q) = %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"", "\xff", "\xff\xff"} {
		if got := store.PrefixEnd([]byte(in)); got != nil {
			t.Errorf("PrefixEnd(%q) = %q, want none", in, got)
		}
	}
	in := []byte("a\xff")
	store.PrefixEnd(in)
	if string(in) != "a\xff" {
		t.Error("PrefixEnd changed its argument")
	}
}

// FuzzKey: what is split is what was put together, and pairs keep their order.
func FuzzKey(f *testing.F) {
	f.Add("a", "b\x00", uint64(7), "a", "b", uint64(8))
	f.Add("\x00\xff", "", uint64(0), "\x00", "\xff", uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, a1, a2 string, a3 uint64, b1, b2 string, b3 uint64) {
		ka, kb := store.Key(a1, a2, a3), store.Key(b1, []byte(b2), b3)
		want := cmp.Or(cmp.Compare(a1, b1), cmp.Compare(a2, b2), cmp.Compare(a3, b3))
		if got := bytes.Compare(ka, kb); got != want {
			t.Errorf("%q %q %d against %q %q %d: %d, want %d", a1, a2, a3, b1, b2, b3, got, want)
		}
		parts, err := store.Split(ka)
		if diff := gocmp.Diff([]any{a1, a2, a3}, parts); err != nil || diff != "" {
			t.Errorf("split: %v\n%s", err, diff)
		}
	})
}

// FuzzSplit: any bytes are split or refused, and what is split is canonical.
func FuzzSplit(f *testing.F) {
	f.Add(store.Key("a", 7))
	f.Add([]byte{0x02, 'a'})
	f.Add([]byte{0x15, 1})
	f.Add([]byte{0x99})
	f.Fuzz(func(t *testing.T, key []byte) {
		if parts, err := store.Split(key); err == nil && !bytes.Equal(store.Key(parts...), key) {
			t.Errorf("%x splits into %q, which is %x", key, parts, store.Key(parts...))
		}
	})
}

func BenchmarkKey(b *testing.B) {
	for b.Loop() {
		store.Key("bill", "use", 20577, "arn:aws:lambda:us-east-1:123456789012:function:hello", "0f8fad5b-d9cb-469f-a165-70867728950e", 0)
	}
}

func TestKeyRandomOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var tuples [][2]string
	word := func() string {
		b := make([]byte, rng.IntN(4))
		for i := range b {
			b[i] = []byte{0, 1, 'a', 0xfe, 0xff}[rng.IntN(5)]
		}
		return string(b)
	}
	for range 2000 {
		tuples = append(tuples, [2]string{word(), word()})
	}
	byTuple := slices.Clone(tuples)
	slices.SortFunc(byTuple, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	slices.SortFunc(tuples, func(a, b [2]string) int { return bytes.Compare(store.Key(a[0], a[1]), store.Key(b[0], b[1])) })
	if diff := gocmp.Diff(byTuple, tuples); diff != "" {
		t.Error(diff)
	}
}
