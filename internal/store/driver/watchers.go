package driver

import (
	"strings"
	"sync"
)

// Watchers finds who watches a changed key by looking up each of its beginnings
// that has a watched length: thousands of watchers cost what a handful of
// lengths cost. The zero value is ready. It is safe for concurrent use.
type Watchers struct {
	mu       sync.RWMutex
	byPrefix map[string]map[chan struct{}]struct{}
	lengths  map[int]int // watched prefixes of each length
}

// Add starts a watch, as store.Store's Watch.
func (w *Watchers) Add(prefix []byte) (<-chan struct{}, func()) {
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

func (w *Watchers) remove(p string, changed chan struct{}) {
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

// Notify signals everyone whose prefix something has changed under.
func (w *Watchers) Notify(keys []string, spans []Span) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if len(w.byPrefix) == 0 {
		return
	}
	for _, k := range keys {
		w.beginnings(k)
	}
	for _, s := range spans {
		for p, all := range w.byPrefix {
			if s.Overlaps(PrefixSpan(p)) {
				signal(all)
			}
		}
	}
}

// NotifyBelow signals everyone who may care for a change of some key that begins
// with p.
func (w *Watchers) NotifyBelow(p string) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	w.beginnings(p)
	for watched, all := range w.byPrefix {
		if strings.HasPrefix(watched, p) {
			signal(all)
		}
	}
}

// beginnings signals who watches a beginning of k. It needs w.mu.
func (w *Watchers) beginnings(k string) {
	for n := range w.lengths {
		if n <= len(k) {
			signal(w.byPrefix[k[:n]])
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
