package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Opener makes an empty place for a store and gives the function that opens it.
// Called again after Close, that function finds what was there.
type Opener func(t *testing.T) (open func() store.Store)

// Run puts a driver through the suite.
func Run(t *testing.T, opener Opener) {
	run(t, opener, map[string]func(*testing.T, store.Store){
		"Read":        testRead,
		"Undo":        testUndo,
		"Limits":      testLimits,
		"Scan":        testScan,
		"ScanModel":   testScanModel,
		"ScanBatches": testScanBatches,
		"ReadInScan":  testReadInScan,
		"LongKeys":    testLongKeys,
		"Snapshot":    testSnapshot,
		"Context":     testContext,
		"Panic":       testPanic,
		"Watch":       testWatch,
		"WatchMany":   testWatchMany,
		"PartWalk":    testPartWalk,
	})
	RunShared(t, opener)
	t.Run("Reopen", func(t *testing.T) { testReopen(t, opener(t)) })
	t.Run("Close", func(t *testing.T) { testClose(t, opener(t)) })
}

// RunShared is the part of the suite that is about transactions at the same time.
// They may come through several openings of one store, as those of several nodes
// do.
func RunShared(t *testing.T, opener Opener) {
	run(t, opener, map[string]func(*testing.T, store.Store){
		"Blind":           testBlind,
		"ReaderBetween":   testReaderBetween,
		"ReaderAcross":    testReaderAcross,
		"Counter":         testCounter,
		"Bank":            testBank,
		"WriteSkew":       testWriteSkew,
		"Phantom":         testPhantom,
		"PhantomDeletes":  testPhantomDeletes,
		"QueueTake":       testQueueTake,
		"Serialisability": testSerialisability,
	})
}

func run(t *testing.T, opener Opener, tests map[string]func(*testing.T, store.Store)) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := opener(t)()
			t.Cleanup(func() { s.Close() })
			test(t, s)
		})
	}
}

func testRead(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		return errors.Join(set(tx, "a", "1"), set(tx, "b", ""), set(tx, "c", "3"))
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(set(tx, "a", "2"), tx.Delete([]byte("c")), tx.Delete([]byte("never")))
	})
	for key, want := range map[string]string{"a": "2", "b": "", "c": missing, "never": missing} {
		if got := get(t, s, key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	update(t, s, func(tx store.Tx) error {
		if err := errors.Join(set(tx, "a", "3"), tx.Delete([]byte("b")), set(tx, "d", "4")); err != nil {
			return err
		}
		for key, want := range map[string]string{"a": "3", "b": missing, "d": "4"} {
			if got := read(tx, key); got != want {
				t.Errorf("own write %s = %q, want %q", key, got, want)
			}
		}
		if err := tx.DeleteRange([]byte("a"), []byte("c")); err != nil {
			return err
		}
		if got := read(tx, "a"); got != missing {
			t.Errorf("a = %q after DeleteRange", got)
		}
		return set(tx, "b", "again")
	})
	want := []string{"b=again", "d=4"}
	if diff := cmp.Diff(want, all(t, s)); diff != "" {
		t.Errorf("after DeleteRange (-want +got):\n%s", diff)
	}
}

func testUndo(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error { return set(tx, "k", "kept") })
	undo := errors.New("undo")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := errors.Join(set(tx, "k", "lost"), set(tx, "new", "lost")); err != nil {
			return err
		}
		return undo
	})
	if err != undo {
		t.Errorf("Update = %v, want the function's own error", err)
	}
	if diff := cmp.Diff([]string{"k=kept"}, all(t, s)); diff != "" {
		t.Error(diff)
	}
	if err := s.View(t.Context(), func(store.Reader) error { return undo }); err != undo {
		t.Errorf("View = %v, want the function's own error", err)
	}
}

func testLimits(t *testing.T, s store.Store) {
	key, value := make([]byte, store.MaxKey), make([]byte, store.MaxValue)
	update(t, s, func(tx store.Tx) error { return tx.Set(key, value) })
	err := s.View(t.Context(), func(r store.Reader) error {
		v, err := r.Get(key)
		if len(v) != len(value) {
			t.Errorf("value came back with %d bytes of %d", len(v), len(value))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for name, write := range map[string]func(store.Tx) error{
		"key":       func(tx store.Tx) error { return tx.Set(append(key, 0), nil) },
		"value":     func(tx store.Tx) error { return tx.Set(key, append(value, 0)) },
		"delete":    func(tx store.Tx) error { return tx.Delete(append(key, 0)) },
		"unheeded":  func(tx store.Tx) error { tx.Set(key, append(value, 0)); return nil },
		"range end": func(tx store.Tx) error { return tx.DeleteRange(nil, append(key, 0)) },
	} {
		if err := s.Update(t.Context(), write); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s over the limit: %v, want ErrTooLarge", name, err)
		}
	}
}

func testReopen(t *testing.T, open func() store.Store) {
	s := open()
	update(t, s, func(tx store.Tx) error {
		for i := range 100 {
			if err := set(tx, fmt.Sprintf("k%02d", i), "v"); err != nil {
				return err
			}
		}
		return tx.DeleteRange([]byte("k10"), []byte("k99"))
	})
	want := all(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	if diff := cmp.Diff(want, all(t, s)); diff != "" || len(want) != 11 {
		t.Errorf("%d pairs; after opening again (-want +got):\n%s", len(want), diff)
	}
}

// testClose: Close waits for what runs, and what comes after is refused.
func testClose(t *testing.T, open func() store.Store) {
	s := open()
	inside, proceed, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- s.Update(context.Background(), func(tx store.Tx) error {
			close(inside)
			<-proceed
			return set(tx, "k", "v")
		})
	}()
	<-inside
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("Close returned %v while a transaction ran", err)
	default:
	}
	close(proceed)
	if err := <-done; err != nil {
		t.Errorf("the running transaction: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	never := func(store.Reader) error { t.Error("called on a closed store"); return nil }
	if err := s.View(t.Context(), never); !errors.Is(err, store.ErrClosed) {
		t.Errorf("View = %v, want ErrClosed", err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return never(tx) }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Update = %v, want ErrClosed", err)
	}
	if err := s.Close(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("second Close = %v, want ErrClosed", err)
	}
	s = open()
	defer s.Close()
	if got := get(t, s, "k"); got != "v" {
		t.Errorf("what was committed during Close: %q", got)
	}
}

func testContext(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Update(ctx, func(tx store.Tx) error { return set(tx, "k", "v") }); !errors.Is(err, context.Canceled) {
		t.Errorf("Update = %v, want Canceled", err)
	}
	if err := s.View(ctx, func(store.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("View = %v, want Canceled", err)
	}
	if got := get(t, s, "k"); got != missing {
		t.Errorf("k = %q", got)
	}
}

// testPanic: a panic passes through and leaves the store usable.
func testPanic(t *testing.T, s store.Store) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		s.Update(t.Context(), func(tx store.Tx) error { set(tx, "k", "v"); panic("fault") })
	}()
	if got := get(t, s, "k"); got != missing {
		t.Errorf("k = %q", got)
	}
}

// missing stands for a key that is not there.
const missing = "(missing)"

func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func set(tx store.Tx, key, value string) error { return tx.Set([]byte(key), []byte(value)) }

// read gives a value, missing, or the error's text.
func read(r store.Reader, key string) string {
	v, err := r.Get([]byte(key))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return missing
	case err != nil:
		return err.Error()
	}
	return string(v)
}

func get(t *testing.T, s store.Store, key string) (v string) {
	t.Helper()
	if err := s.View(t.Context(), func(r store.Reader) error { v = read(r, key); return nil }); err != nil {
		t.Fatalf("View: %v", err)
	}
	return v
}

func all(t *testing.T, s store.Store) (pairs []string) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) (err error) {
		pairs, err = collect(r.Scan(store.Range{}))
		return err
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return pairs
}

func collect(seq iter.Seq2[store.Pair, error]) (pairs []string, err error) {
	for p, err := range seq {
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, string(p.Key)+"="+string(p.Value))
	}
	return pairs, nil
}
