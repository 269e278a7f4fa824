package pebble

import (
	"container/list"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// Bounds of what is remembered for running transactions. One that outlives this
// many commits has to run again.
const (
	maxCommits = 1 << 14
	maxKeys    = 1 << 17
)

// commit is what one transaction changed. It is immutable once added.
type commit struct {
	keys   []string
	spans  []driver.Span
	synced chan struct{} // closed when durable, or failed
	err    error         // why it failed; read after synced
}

func (c *commit) fail(err error) {
	c.err = err
	close(c.synced)
}

// footprint is what one transaction read.
type footprint struct {
	keys   map[string]struct{}
	spans  []driver.Span
	sorted bool // spans are sorted and disjoint
}

func (f *footprint) addKey(key string) {
	if f.keys == nil {
		f.keys = make(map[string]struct{})
	}
	f.keys[key] = struct{}{}
}

func (f *footprint) addSpan(s driver.Span) {
	if s.Start < s.End {
		f.spans, f.sorted = append(f.spans, s), false
	}
}

// touchedBy says whether c changed anything that was read, and the key or the
// start of the range that did.
func (f *footprint) touchedBy(c *commit) (string, bool) {
	f.sort()
	for _, k := range c.keys {
		if _, ok := f.keys[k]; ok || f.scanned(k) {
			return k, true
		}
	}
	for _, s := range c.spans {
		for k := range f.keys {
			if s.Has(k) {
				return s.Start, true
			}
		}
		if slices.ContainsFunc(f.spans, s.Overlaps) {
			return s.Start, true
		}
	}
	return "", false
}

func (f *footprint) scanned(key string) bool {
	i := sort.Search(len(f.spans), func(i int) bool { return f.spans[i].End > key })
	return i < len(f.spans) && f.spans[i].Has(key)
}

// sort orders the spans and joins those that overlap.
func (f *footprint) sort() {
	if f.sorted || len(f.spans) == 0 {
		return
	}
	slices.SortFunc(f.spans, func(a, b driver.Span) int { return strings.Compare(a.Start, b.Start) })
	joined := f.spans[:1]
	for _, s := range f.spans[1:] {
		if last := &joined[len(joined)-1]; s.Start <= last.End {
			last.End = max(last.End, s.End)
		} else {
			joined = append(joined, s)
		}
	}
	f.spans, f.sorted = joined, true
}

// history remembers the commits that running transactions have to be checked
// against, and those that are not durable yet. The zero value is ready.
type history struct {
	mu       sync.Mutex
	last     uint64    // number of the newest commit, counted from 1
	commits  []*commit // the newest ones, contiguous, up to last
	keys     int       // in commits
	running  list.List // of uint64: last, at the begin of each transaction
	unsynced []*commit // in order, from the first that is not durable

	inFlight atomic.Int64 // len(unsynced), readable without mu
}

// begin notes the start of a transaction. It must come before its snapshot is
// taken: a commit in between is then seen as a conflict, never missed.
func (h *history) begin() *list.Element {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running.PushBack(h.last)
}

// end forgets a transaction, and the commits that only it needed.
func (h *history) end(mark *list.Element) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running.Remove(mark)
	oldest := h.last
	if first := h.running.Front(); first != nil {
		oldest = first.Value.(uint64)
	}
	if keep := h.last - oldest; keep < uint64(len(h.commits)) {
		h.drop(len(h.commits) - int(keep))
	}
}

// changed looks for a commit after since that touched what was seen. It is
// called under the store's order lock, as add is.
func (h *history) changed(since uint64, seen *footprint) (string, bool) {
	h.mu.Lock()
	n := h.last - since
	if n > uint64(len(h.commits)) {
		h.mu.Unlock()
		return "", true // it began before what is remembered
	}
	newer := h.commits[len(h.commits)-int(n):] // kept until the caller's end
	h.mu.Unlock()
	for _, c := range newer {
		if key, hit := seen.touchedBy(c); hit {
			return key, true
		}
	}
	return "", false
}

// announce notes a commit that is about to become visible, so that no reader
// can see it and not find it among the unsynced. add follows, or c.fail.
func (h *history) announce(c *commit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unsynced = append(h.unsynced, c)
	h.inFlight.Add(1)
}

// add appends a commit that is now visible to what is checked.
func (h *history) add(c *commit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.commits = append(h.commits, c)
	h.keys += len(c.keys)
	for len(h.commits) > maxCommits || h.keys > maxKeys && len(h.commits) > 1 {
		h.drop(1)
	}
}

func (h *history) drop(n int) {
	for _, c := range h.commits[:n] {
		h.keys -= len(c.keys)
	}
	clear(h.commits[:n])
	if h.commits = h.commits[n:]; len(h.commits) == 0 {
		h.commits = nil
	}
}

// settled drops the commits that have become durable.
func (h *history) settled() {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for ; n < len(h.unsynced); n++ {
		select {
		case <-h.unsynced[n].synced:
			if h.unsynced[n].err == nil {
				continue
			}
		default:
		}
		break
	}
	clear(h.unsynced[:n])
	if h.unsynced = h.unsynced[n:]; len(h.unsynced) == 0 {
		h.unsynced = nil
	}
	h.inFlight.Add(-int64(n))
}

// unsyncedNow gives the commits that are visible, or about to be, and not known
// to be durable.
func (h *history) unsyncedNow() []*commit {
	if h.inFlight.Load() == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.unsynced)
}
