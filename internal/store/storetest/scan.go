package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

func testScan(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		for _, k := range []string{"a", "b1", "b2", "b3", "c", "\xff", "\xff\xff"} {
			if err := set(tx, k, ""); err != nil {
				return err
			}
		}
		return nil
	})
	b := store.Prefix([]byte("b"))
	tests := map[string]struct {
		r    store.Range
		want []string
	}{
		"everything":     {store.Range{}, []string{"a=", "b1=", "b2=", "b3=", "c=", "\xff=", "\xff\xff="}},
		"prefix":         {b, []string{"b1=", "b2=", "b3="}},
		"last prefix":    {store.Prefix([]byte{0xff}), []string{"\xff=", "\xff\xff="}},
		"backwards":      {store.Range{Start: b.Start, End: b.End, Reverse: true}, []string{"b3=", "b2=", "b1="}},
		"limit":          {store.Range{Start: b.Start, End: b.End, Limit: 2}, []string{"b1=", "b2="}},
		"last":           {store.Range{Start: b.Start, End: b.End, Reverse: true, Limit: 1}, []string{"b3="}},
		"end excluded":   {store.Range{Start: []byte("b1"), End: []byte("b3")}, []string{"b1=", "b2="}},
		"no end":         {store.Range{Start: []byte("c")}, []string{"c=", "\xff=", "\xff\xff="}},
		"empty":          {store.Range{Start: []byte("d"), End: []byte("e")}, nil},
		"nothing at all": {store.Range{Start: []byte("b"), End: []byte("b")}, nil},
		"turned around":  {store.Range{Start: []byte("c"), End: []byte("a")}, nil},
	}
	for name, test := range tests {
		check := func(r store.Reader) error {
			got, err := collect(r.Scan(test.r))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			return err
		}
		if err := s.View(t.Context(), check); err != nil {
			t.Error(err)
		}
		update(t, s, func(tx store.Tx) error { return check(tx) })
	}
}

// testScanModel compares transactions of random writes and walks with a map.
func testScanModel(t *testing.T, s store.Store) {
	rng := rand.New(rand.NewPCG(1, 2))
	key := func() string { return fmt.Sprintf("%02d", rng.IntN(40)) }
	model := map[string]string{}
	for round := range 200 {
		next := maps.Clone(model)
		undo := rng.IntN(5) == 0
		err := s.Update(t.Context(), func(tx store.Tx) error {
			next = maps.Clone(model)
			for step := range 30 {
				if err := mutate(rng, tx, next, key, fmt.Sprintf("%d.%d", round, step)); err != nil {
					return err
				}
				r := store.Range{Start: []byte(key()), Reverse: rng.IntN(2) == 0, Limit: rng.IntN(6)}
				if rng.IntN(4) > 0 {
					r.End = []byte(key())
				}
				got, err := collect(tx.Scan(r))
				if diff := cmp.Diff(expect(next, r), got); diff != "" {
					return fmt.Errorf("scan %q..%q reverse=%v limit=%d (-want +got):\n%s", r.Start, r.End, r.Reverse, r.Limit, diff)
				}
				if k := key(); err == nil && read(tx, k) != valueOf(next, k) {
					return fmt.Errorf("get %s = %s, want %s", k, read(tx, k), valueOf(next, k))
				}
			}
			if undo {
				return errUndo
			}
			return nil
		})
		switch {
		case err == nil:
			model = next
		case err != errUndo:
			t.Fatalf("round %d: %v", round, err)
		}
		if diff := cmp.Diff(expect(model, store.Range{}), all(t, s)); diff != "" {
			t.Fatalf("round %d, after commit (-want +got):\n%s", round, diff)
		}
	}
}

var errUndo = fmt.Errorf("undo")

func mutate(rng *rand.Rand, tx store.Tx, model map[string]string, key func() string, value string) error {
	switch k := key(); rng.IntN(8) {
	case 0:
		end := key()
		maps.DeleteFunc(model, func(m, _ string) bool { return m >= k && m < end })
		return tx.DeleteRange([]byte(k), []byte(end))
	case 1, 2:
		delete(model, k)
		return tx.Delete([]byte(k))
	default:
		model[k] = value
		return set(tx, k, value)
	}
}

func valueOf(model map[string]string, k string) string {
	if v, ok := model[k]; ok {
		return v
	}
	return missing
}

func expect(model map[string]string, r store.Range) []string {
	var want []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if k >= string(r.Start) && (r.End == nil || k < string(r.End)) {
			want = append(want, k+"="+model[k])
		}
	}
	if r.Reverse {
		slices.Reverse(want)
	}
	if r.Limit > 0 && len(want) > r.Limit {
		want = want[:r.Limit]
	}
	return want
}

// testSnapshot: a reader sees one state, whatever is committed meanwhile.
func testSnapshot(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error { return set(tx, "a", "old") })
	err := s.View(t.Context(), func(r store.Reader) error {
		before := read(r, "a")
		update(t, s, func(tx store.Tx) error { return set(tx, "a", "new") })
		update(t, s, func(tx store.Tx) error { return set(tx, "b", "new") })
		if after := read(r, "a"); before != "old" || after != "old" || read(r, "b") != missing {
			t.Errorf("a: %s, then %s; b: %s", before, after, read(r, "b"))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got := get(t, s, "a"); got != "new" {
		t.Errorf("a = %s after the view", got)
	}
}
