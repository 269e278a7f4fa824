package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// A reader has its place in the serial order too. Two Updates overlap: the first
// reads what the second then changes, so it comes first, if it is not run again. A
// reader that sees the second's change and not the first's fits nowhere between
// them. ("A read-only transaction anomaly under snapshot isolation", Fekete, O'Neil
// and O'Neil, 2004.)

// overlap begins an Update that reads x and y and goes on to set x only after
// proceed is called; second has set y meanwhile. finish gives the y that it read
// when it committed.
func overlap(t *testing.T, s store.Store) (proceed func(), finish func() string) {
	t.Helper()
	update(t, s, func(tx store.Tx) error { return errors.Join(set(tx, "x", "0"), set(tx, "y", "0")) })
	ready, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	begun := sync.OnceFunc(func() { close(ready) })
	var saw string
	go func() {
		done <- s.Update(t.Context(), func(tx store.Tx) error {
			saw = read(tx, "y")
			_ = read(tx, "x")
			begun()
			<-goOn
			return set(tx, "x", "1")
		})
	}()
	<-ready
	update(t, s, func(tx store.Tx) error {
		_ = read(tx, "y")
		return set(tx, "y", "1")
	})
	return sync.OnceFunc(func() { close(goOn) }), func() string {
		if err := <-done; err != nil {
			t.Errorf("the first Update: %v", err)
		}
		return saw
	}
}

func misfit(t *testing.T, saw, x, y string) {
	t.Helper()
	if saw == "0" && x == "0" && y == "1" {
		t.Error("a reader saw the second Update without the first")
	}
}

// testReaderBetween: the reader comes and goes while the first Update waits.
func testReaderBetween(t *testing.T, s store.Store) {
	proceed, finish := overlap(t, s)
	var x, y string
	err := s.View(t.Context(), func(r store.Reader) error {
		x, y = read(r, "x"), read(r, "y")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	proceed()
	misfit(t, finish(), x, y)
}

// testReaderAcross: the first Update commits between two reads of the reader.
func testReaderAcross(t *testing.T, s store.Store) {
	proceed, finish := overlap(t, s)
	var saw, x, y string
	err := s.View(t.Context(), func(r store.Reader) error {
		y = read(r, "y")
		proceed()
		saw = finish()
		x = read(r, "x")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	misfit(t, saw, x, y)
}
