package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// testWatch: a commit under the prefix signals once; others do not.
func testWatch(t *testing.T, s store.Store) {
	changed, stop := s.Watch([]byte("q/1/"))
	everything, stopAll := s.Watch(nil)
	defer stopAll()
	steps := []struct {
		name string
		do   func(store.Tx) error
		want bool
	}{
		{"set under it", func(tx store.Tx) error { return set(tx, "q/1/a", "x") }, true},
		{"set beside it", func(tx store.Tx) error { return set(tx, "q/2/a", "x") }, false},
		{"set its beginning", func(tx store.Tx) error { return set(tx, "q/1", "x") }, false},
		{"delete under it", func(tx store.Tx) error { return tx.Delete([]byte("q/1/a")) }, true},
		{"delete a range over it", func(tx store.Tx) error { return tx.DeleteRange([]byte("q"), []byte("r")) }, true},
		{"delete a range within it", func(tx store.Tx) error { return tx.DeleteRange([]byte("q/1/x"), []byte("q/1/y")) }, true},
		{"delete a range before it", func(tx store.Tx) error { return tx.DeleteRange([]byte("a"), []byte("q/1/")) }, false},
	}
	for _, step := range steps {
		update(t, s, step.do)
		if got := signalled(changed, step.want); got != step.want {
			t.Errorf("%s: signal %v, want %v", step.name, got, step.want)
		}
		if !signalled(everything, true) {
			t.Errorf("%s: no signal for the empty prefix", step.name)
		}
	}
	for range 3 { // signals coalesce
		update(t, s, func(tx store.Tx) error { return set(tx, "q/1/b", "x") })
	}
	if !signalled(changed, true) {
		t.Error("no signal for three commits")
	}
	stop()
	stop() // again is harmless
	for signalled(changed, false) {
	}
	update(t, s, func(tx store.Tx) error { return set(tx, "q/1/c", "x") })
	if signalled(changed, false) {
		t.Error("a signal after stop")
	}
}

// testWatchMany: what a watcher reads after a signal is what was committed, and
// each of many hears only of its own.
func testWatchMany(t *testing.T, s store.Store) {
	const n = 500
	var chans [n]<-chan struct{}
	for i := range n {
		c, stop := s.Watch(fmt.Appendf(nil, "w/%03d/", i))
		defer stop()
		chans[i] = c
	}
	for i := 0; i < n; i += 50 {
		update(t, s, func(tx store.Tx) error { return set(tx, fmt.Sprintf("w/%03d/k", i), "v") })
	}
	for i := range n {
		want := i%50 == 0
		if got := signalled(chans[i], want); got != want {
			t.Errorf("watcher %d: signal %v, want %v", i, got, want)
		}
		if want && get(t, s, fmt.Sprintf("w/%03d/k", i)) != "v" {
			t.Errorf("watcher %d reads no change", i)
		}
	}
}

// signalled waits for a signal if one is wanted. A signal is sent by the time
// Update returns or soon after (a driver may hear of commits from a server).
func signalled(c <-chan struct{}, wanted bool) bool {
	wait := time.Duration(0)
	if wanted {
		wait = 10 * time.Second
	}
	select {
	case <-c:
		return true
	case <-time.After(wait):
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
}
