package storetest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// txn is one transaction as its caller saw it. began and ended are readings of
// one counter, so that ended < began of another means it came before.
type txn struct {
	id           int
	began, ended int64
	reads        map[string][]int // the list found under a key
	appended     []string         // keys to whose list id was added
}

// testSerialisability runs random transactions over few keys and looks for a
// cycle in what they saw.
func testSerialisability(t *testing.T, s store.Store) {
	const workers, each = 8, 80
	var clock atomic.Int64
	var mu sync.Mutex
	var history []*txn
	together(t, workers, func(w int) error {
		rng := rand.New(rand.NewPCG(uint64(w), 3))
		for i := range each {
			x := &txn{id: 1 + w*each + i}
			plan := rng.Uint64()
			x.began = clock.Add(1)
			var err error
			if plan%4 == 0 {
				err = s.View(t.Context(), func(r store.Reader) error { return x.run(r, nil, plan) })
			} else {
				err = s.Update(t.Context(), func(tx store.Tx) error { return x.run(tx, tx, plan) })
			}
			x.ended = clock.Add(1)
			if err != nil {
				return err
			}
			mu.Lock()
			history = append(history, x)
			mu.Unlock()
		}
		return nil
	})
	final := &txn{id: 1 << 20, began: clock.Add(1)}
	if err := s.View(t.Context(), func(r store.Reader) error { return final.walk(r) }); err != nil {
		t.Fatal(err)
	}
	final.ended = clock.Add(1)
	if err := explain(append(history, final)); err != nil {
		t.Error(err)
	}
}

const historyKeys = 6

func historyKey(i int) string { return fmt.Sprintf("list/%d", i) }

// run does what the plan says: reads of keys or of a range, then appends. It
// starts anew if it is called again.
func (x *txn) run(r store.Reader, tx store.Tx, plan uint64) error {
	x.reads, x.appended = map[string][]int{}, nil
	rng := rand.New(rand.NewPCG(plan, 5))
	for range 1 + rng.IntN(3) {
		if rng.IntN(3) == 0 {
			if err := x.walk(r); err != nil {
				return err
			}
			continue
		}
		k := historyKey(rng.IntN(historyKeys))
		v, err := r.Get([]byte(k))
		if err != nil && err != store.ErrNotFound {
			return err
		}
		x.reads[k] = decodeList(v)
	}
	if tx == nil {
		return nil
	}
	for range 1 + rng.IntN(2) {
		k := historyKey(rng.IntN(historyKeys))
		if slices.Contains(x.appended, k) {
			continue
		}
		v, err := tx.Get([]byte(k))
		if err != nil && err != store.ErrNotFound {
			return err
		}
		x.reads[k] = decodeList(v)
		x.appended = append(x.appended, k)
		if err := tx.Set([]byte(k), binary.BigEndian.AppendUint32(slices.Clone(v), uint32(x.id))); err != nil {
			return err
		}
	}
	return nil
}

// walk reads all lists; those that are not there are read as empty.
func (x *txn) walk(r store.Reader) error {
	if x.reads == nil {
		x.reads = map[string][]int{}
	}
	for i := range historyKeys {
		x.reads[historyKey(i)] = nil
	}
	for p, err := range r.Scan(store.Prefix([]byte("list/"))) {
		if err != nil {
			return err
		}
		x.reads[string(p.Key)] = decodeList(p.Value)
	}
	return nil
}

func decodeList(b []byte) []int {
	var ids []int
	for ; len(b) >= 4; b = b[4:] {
		ids = append(ids, int(binary.BigEndian.Uint32(b)))
	}
	return ids
}

// explain returns an error unless some serial order, true to real time, gives
// every transaction what it saw. The last of history has read everything.
func explain(history []*txn) error {
	byID := map[int]*txn{}
	for _, x := range history {
		byID[x.id] = x
	}
	order := history[len(history)-1].reads // per key, all appends in order
	after := map[int][]int{}               // edges: id -> those that must come later
	edge := func(a, b int) {
		if a != b {
			after[a] = append(after[a], b)
		}
	}
	for _, x := range history {
		for k, saw := range x.reads {
			if len(saw) > len(order[k]) || !slices.Equal(saw, order[k][:len(saw)]) {
				return fmt.Errorf("transaction %d read %v of %s, which became %v", x.id, saw, k, order[k])
			}
			if n := len(saw); n > 0 {
				edge(saw[n-1], x.id) // it read what that one wrote
			}
			if n := len(saw); n < len(order[k]) {
				edge(x.id, order[k][n]) // that one overwrote what it read
			}
		}
		for _, k := range x.appended {
			if !slices.Contains(order[k], x.id) {
				return fmt.Errorf("the append of transaction %d to %s is lost", x.id, k)
			}
		}
	}
	for k, ids := range order {
		for i := 1; i < len(ids); i++ {
			edge(ids[i-1], ids[i])
		}
		if len(ids) != len(slices.Compact(slices.Sorted(slices.Values(ids)))) {
			return fmt.Errorf("%s has an append twice: %v", k, ids)
		}
	}
	for _, a := range history {
		for _, b := range history {
			if a.ended < b.began {
				edge(a.id, b.id)
			}
		}
	}
	if cycle := findCycle(byID, after); cycle != nil {
		return fmt.Errorf("no serial order explains %s", describe(cycle, byID))
	}
	return nil
}

// findCycle walks the edges depth first and gives the first cycle.
func findCycle(byID map[int]*txn, after map[int][]int) []int {
	const unseen, open, done = 0, 1, 2
	state := map[int]int{}
	var path []int
	var visit func(int) []int
	visit = func(id int) []int {
		state[id] = open
		path = append(path, id)
		for _, next := range after[id] {
			switch state[next] {
			case open:
				return slices.Clone(path[slices.Index(path, next):])
			case unseen:
				if c := visit(next); c != nil {
					return c
				}
			}
		}
		state[id] = done
		path = path[:len(path)-1]
		return nil
	}
	for id := range byID {
		if state[id] == unseen {
			if c := visit(id); c != nil {
				return c
			}
		}
	}
	return nil
}

func describe(cycle []int, byID map[int]*txn) string {
	var b strings.Builder
	for _, id := range cycle {
		x := byID[id]
		fmt.Fprintf(&b, "\n  %d [%d-%d] read %v, appended to %v", id, x.began, x.ended, x.reads, x.appended)
	}
	return b.String()
}
