package storetest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// testScanBatches walks more than anyone would fetch at once, with large values
// among small ones, over a transaction's own writes too.
func testScanBatches(t *testing.T, s store.Store) {
	const n = 4500
	model := map[string]string{}
	size := func(i int) int {
		if i%900 == 7 {
			return 1 << 20
		}
		return i % 50
	}
	for from := 0; from < n; from += 900 {
		update(t, s, func(tx store.Tx) error {
			for i := from; i < from+900; i++ {
				k, v := fmt.Sprintf("k%05d", i), strings.Repeat(string(rune('a'+i%26)), size(i))
				model[k] = v
				if err := set(tx, k, v); err != nil {
					return err
				}
			}
			return nil
		})
	}
	check := func(r store.Reader, model map[string]string) {
		for _, g := range []store.Range{{}, {Reverse: true}, {Limit: 700}, {Limit: 4200, Reverse: true},
			{Start: []byte("k00007"), End: []byte("k04407"), Limit: 4300}, {End: []byte("k03000"), Reverse: true}} {
			got, err := collect(r.Scan(g))
			if err != nil {
				t.Errorf("scan %q..%q: %v", g.Start, g.End, err)
			}
			if want := expect(model, g); !slices.Equal(want, got) {
				t.Errorf("scan %q..%q reverse=%v limit=%d gave %d pairs of %d, or others", g.Start, g.End, g.Reverse, g.Limit, len(got), len(want))
			}
		}
	}
	if err := s.View(t.Context(), func(r store.Reader) error { check(r, model); return nil }); err != nil {
		t.Error(err)
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		own := maps.Clone(model)
		for i := 0; i < n; i += 3 {
			k := fmt.Sprintf("k%05d", i)
			delete(own, k)
			if err := tx.Delete([]byte(k)); err != nil {
				return err
			}
			own[k+"+"] = strconv.Itoa(i)
			if err := set(tx, k+"+", strconv.Itoa(i)); err != nil {
				return err
			}
		}
		check(tx, own)
		return errUndo
	})
	if err != errUndo {
		t.Error(err)
	}
}

// testReadInScan reads, walks and writes inside a walk.
func testReadInScan(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		for i := range 50 {
			if err := set(tx, fmt.Sprintf("a%02d", i), fmt.Sprintf("b%02d", i)); err != nil {
				return err
			}
			if err := set(tx, fmt.Sprintf("b%02d", i), "x"); err != nil {
				return err
			}
		}
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		n := 0
		for p, err := range tx.Scan(store.Prefix([]byte("a"))) {
			if err != nil {
				return err
			}
			other := bytes.Clone(p.Value)
			if got := read(tx, string(other)); got != "x" {
				return fmt.Errorf("%s = %s", other, got)
			}
			inner, err := collect(tx.Scan(store.Prefix(other)))
			if err != nil || len(inner) != 1 {
				return fmt.Errorf("walk of %s gave %v, %v", other, inner, err)
			}
			if err := tx.Delete(other); err != nil {
				return err
			}
			n++
		}
		if n != 50 {
			return fmt.Errorf("walked over %d of 50", n)
		}
		return nil
	})
	if left := all(t, s); len(left) != 50 {
		t.Errorf("%d pairs are left, want 50", len(left))
	}
}

// testLongKeys compares keys up to the limit, which nothing can compress and which
// share their beginnings, with a map.
func testLongKeys(t *testing.T, s store.Store) {
	rng := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, store.MaxKey)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	lengths := []int{0, 1, 500, 1000, 2000, 2559, 2560, 2561, 2562, 2600, 2688, 2700, 3000, 4000, store.MaxKey - 1}
	key := func() string {
		k := slices.Clone(noise[:lengths[rng.IntN(len(lengths))]])
		return string(append(k, byte(rng.IntN(3))*127))
	}
	model := map[string]string{}
	for round := range 60 {
		next := maps.Clone(model)
		err := s.Update(t.Context(), func(tx store.Tx) error {
			next = maps.Clone(model)
			for step := range 6 {
				if err := mutate(rng, tx, next, key, fmt.Sprintf("%d.%d", round, step)); err != nil {
					return err
				}
				if k := key(); round%2 == 0 && read(tx, k) != valueOf(next, k) {
					return fmt.Errorf("key of %d bytes = %s, want %s", len(k), read(tx, k), valueOf(next, k))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		model = next
		g := store.Range{Start: []byte(key()), Reverse: round%2 == 0}
		if round%3 == 0 {
			g.End = []byte(key())
		}
		err = s.View(t.Context(), func(r store.Reader) error {
			got, err := collect(r.Scan(g))
			if !slices.Equal(expect(model, g), got) {
				t.Errorf("round %d: keys from %d to %d bytes: %d pairs, want %d, or others", round, len(g.Start), len(g.End), len(got), len(expect(model, g)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// testBlind: transactions that read nothing are whole, and in an order that each of
// them agrees with, however they are put together.
func testBlind(t *testing.T, s store.Store) {
	const workers, each = 16, 50
	keys := []string{"a", "b", "c"}
	together(t, workers, func(w int) error {
		for i := range each {
			mine := fmt.Sprintf("%d.%d", w, i)
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				if i%7 == 0 {
					if err := tx.DeleteRange([]byte("a"), []byte("d")); err != nil {
						return err
					}
				}
				for _, k := range keys {
					if err := set(tx, k, mine); err != nil {
						return err
					}
				}
				return set(tx, "done/"+mine, "x")
			}); err != nil {
				return err
			}
			if i%10 > 0 {
				continue
			}
			if err := s.View(t.Context(), func(r store.Reader) error {
				if read(r, "done/"+mine) != "x" {
					return fmt.Errorf("what was acknowledged is not there")
				}
				first := read(r, "a")
				if read(r, "b") != first || read(r, "c") != first {
					return fmt.Errorf("half of a transaction: a=%s b=%s c=%s", first, read(r, "b"), read(r, "c"))
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	var done []string
	if err := s.View(t.Context(), func(r store.Reader) (err error) {
		done, err = collect(r.Scan(store.Prefix([]byte("done/"))))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(workers*each, len(done)); diff != "" {
		t.Errorf("acknowledged transactions (-want +got):\n%s", diff)
	}
}
