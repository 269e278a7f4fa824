package pebble

import (
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// watchers finds who watches a changed key by looking up each of its beginnings
// that has a watched length: thousands of watchers cost what a handful of
// lengths cost. The zero value is ready.
type watchers struct {
	mu       sync.RWMutex
	byPrefix map[string]map[chan struct{}]struct{}
	lengths  map[int]int // watched prefixes of each length
}

// add starts a watch.
func (w *watchers) add(prefix []byte) (<-chan struct{}, func()) {
	p, changed := string(prefix), make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byPrefix == nil {
		w.byPrefix, w.lengths = map[string]map[chan struct{}]struct{}{}, map[int]int{}
	}
	if w.byPrefix[p] == nil {
		w.byPrefix[p] = map[chan struct{}]struct{}{}
		w.lengths[len(p)]++
	}
	w.byPrefix[p][changed] = struct{}{}
	return changed, func() { w.remove(p, changed) }
}

func (w *watchers) remove(p string, changed chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.byPrefix[p][changed]; !ok {
		return // stopped before
	}
	if delete(w.byPrefix[p], changed); len(w.byPrefix[p]) > 0 {
		return
	}
	delete(w.byPrefix, p)
	if w.lengths[len(p)]--; w.lengths[len(p)] == 0 {
		delete(w.lengths, len(p))
	}
}

// notify signals everyone whose prefix c has changed something under.
func (w *watchers) notify(c *commit) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if len(w.byPrefix) == 0 {
		return
	}
	for _, k := range c.keys {
		for n := range w.lengths {
			if n <= len(k) {
				signal(w.byPrefix[k[:n]])
			}
		}
	}
	for _, s := range c.spans {
		for p, all := range w.byPrefix {
			if s.overlaps(prefixSpan(p)) {
				signal(all)
			}
		}
	}
}

func signal(all map[chan struct{}]struct{}) {
	for c := range all {
		select {
		case c <- struct{}{}:
		default: // a signal is waiting already
		}
	}
}

func prefixSpan(p string) span {
	if end := store.PrefixEnd([]byte(p)); end != nil {
		return span{p, string(end)}
	}
	return span{p, beyond}
}
