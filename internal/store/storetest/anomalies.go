package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// together runs fn in n goroutines and reports their errors.
func together(t *testing.T, n int, fn func(worker int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := fn(i); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func number(r store.Reader, key string) int {
	n, _ := strconv.Atoi(read(r, key)) // a missing one is 0
	return n
}

func setNumber(tx store.Tx, key string, n int) error { return set(tx, key, strconv.Itoa(n)) }

// testCounter: no increment of a contended counter is lost or refused.
func testCounter(t *testing.T, s store.Store) {
	const workers, each = 16, 40
	together(t, workers, func(int) error {
		for range each {
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				return setNumber(tx, "n", number(tx, "n")+1)
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if got := get(t, s, "n"); got != strconv.Itoa(workers*each) {
		t.Errorf("counted %s of %d", got, workers*each)
	}
}

// testBank: transfers keep the sum, in every snapshot and in every transaction.
func testBank(t *testing.T, s store.Store) {
	const accounts, workers, each, total = 10, 8, 60, 1000
	name := func(i int) string { return fmt.Sprintf("account/%d", i) }
	update(t, s, func(tx store.Tx) error { return setNumber(tx, name(0), total) })
	sum := func(r store.Reader) error {
		n := 0
		for p, err := range r.Scan(store.Prefix([]byte("account/"))) {
			if err != nil {
				return err
			}
			v, _ := strconv.Atoi(string(p.Value))
			n += v
		}
		if n != total {
			return fmt.Errorf("the accounts hold %d, not %d", n, total)
		}
		return nil
	}
	together(t, workers, func(w int) error {
		rng := rand.New(rand.NewPCG(uint64(w), 7))
		for i := range each {
			if i%10 == 0 {
				if err := s.View(t.Context(), sum); err != nil {
					return err
				}
			}
			from, to, n := name(rng.IntN(accounts)), name(rng.IntN(accounts)), rng.IntN(50)
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				have := number(tx, from)
				if have < n {
					return sum(tx)
				}
				if err := setNumber(tx, from, have-n); err != nil {
					return err
				}
				return setNumber(tx, to, number(tx, to)+n)
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.View(t.Context(), sum); err != nil {
		t.Error(err)
	}
}

// testWriteSkew: of two doctors on call, who each leave only if the other stays,
// one stays.
func testWriteSkew(t *testing.T, s store.Store) {
	for round := range 50 {
		update(t, s, func(tx store.Tx) error {
			return errors.Join(set(tx, "doctor/0", "on"), set(tx, "doctor/1", "on"))
		})
		together(t, 2, func(w int) error {
			return s.Update(t.Context(), func(tx store.Tx) error {
				if read(tx, fmt.Sprintf("doctor/%d", 1-w)) != "on" {
					return nil
				}
				return set(tx, fmt.Sprintf("doctor/%d", w), "off")
			})
		})
		if get(t, s, "doctor/0") == "off" && get(t, s, "doctor/1") == "off" {
			t.Fatalf("round %d: nobody is on call", round)
		}
	}
}

// testPhantom: at most three guests come in, whoever counts them. Each adds a
// key that nobody had read, so only the walked range can tell of the conflict.
func testPhantom(t *testing.T, s store.Store) {
	for round := range 20 {
		room := fmt.Sprintf("room/%d/", round)
		together(t, 8, func(w int) error {
			return s.Update(t.Context(), func(tx store.Tx) error {
				guests, err := collect(tx.Scan(store.Range{
					Start: []byte(room), End: store.PrefixEnd([]byte(room)), Reverse: w%2 == 0,
				}))
				if err != nil || len(guests) >= 3 {
					return err
				}
				return set(tx, fmt.Sprintf("%s%d", room, w), "in")
			})
		})
		var guests []string
		if err := s.View(t.Context(), func(r store.Reader) (err error) {
			guests, err = collect(r.Scan(store.Prefix([]byte(room))))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(guests) != 3 {
			t.Fatalf("round %d: guests %v, want 3", round, guests)
		}
	}
}

// testPhantomDeletes: DeleteRange conflicts with who read in the range, and with
// who found nothing there to walk.
func testPhantomDeletes(t *testing.T, s store.Store) {
	for round := range 50 {
		update(t, s, func(tx store.Tx) error {
			return errors.Join(set(tx, "left/k", "on"), set(tx, "right/k", "on"))
		})
		together(t, 2, func(w int) error {
			mine, other := "left/", "right/"
			if w == 1 {
				mine, other = other, mine
			}
			return s.Update(t.Context(), func(tx store.Tx) error {
				there, err := collect(tx.Scan(store.Prefix([]byte(other))))
				if err != nil || len(there) == 0 {
					return err
				}
				return tx.DeleteRange([]byte(mine), store.PrefixEnd([]byte(mine)))
			})
		})
		if get(t, s, "left/k") == missing && get(t, s, "right/k") == missing {
			t.Fatalf("round %d: both were deleted", round)
		}
	}
}

// testQueueTake: each message is taken once, in competition with senders.
func testQueueTake(t *testing.T, s store.Store) {
	const messages, takers = 120, 4
	var mu sync.Mutex
	taken := map[string]int{}
	together(t, takers+1, func(w int) error {
		if w == takers {
			for i := range messages {
				if err := s.Update(t.Context(), func(tx store.Tx) error {
					return set(tx, fmt.Sprintf("m/%04d", i), "x")
				}); err != nil {
					return err
				}
			}
			return nil
		}
		for range messages / takers {
			got := ""
			for got == "" {
				if err := s.Update(t.Context(), func(tx store.Tx) error {
					got = ""
					for p, err := range tx.Scan(store.Range{Start: []byte("m/"), End: []byte("m0"), Limit: 1}) {
						if err != nil {
							return err
						}
						got = string(p.Key)
						return tx.Delete(p.Key)
					}
					return nil
				}); err != nil {
					return err
				}
			}
			mu.Lock()
			taken[got]++
			mu.Unlock()
		}
		return nil
	})
	if len(taken) != messages {
		t.Errorf("%d of %d messages were taken", len(taken), messages)
	}
	for m, n := range taken {
		if n != 1 {
			t.Errorf("%s was taken %d times", m, n)
		}
	}
}
