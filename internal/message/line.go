package message

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// candidate is the key in due of a message or of a group.
type candidate struct {
	at    int64
	id    ID
	group string
}

const (
	maxReady = 512 // candidates a line remembers
	glance   = 256 // those one scan looks for
	// deepPause is the least time between two scans from the front of a queue, and
	// deepShare how many times what the last one took.
	deepPause = 10 * time.Millisecond
	deepShare = 20
	// A receiver scans at least this often though there are candidates, for what was
	// received before and is due again; from the front, deepAnyway.
	scanAnyway = 50 * time.Millisecond
	deepAnyway = time.Second
	// maxSpread is how many times what it wants a receiver chooses among, when others
	// keep taking what it chose.
	maxSpread = 16
)

// line is what a node believes to be next in a queue, in no order that matters.
//
// Most scans begin at from, where the last one ended: this node's own messages are
// never due before, and what it knows to have been put back moves from back. What
// other nodes have put before, or the caller's own transactions, is found by deep
// scans from the front, which are held back when they take long: the keys of deleted
// messages lie there until the store has swept them out.
type line struct {
	e *Engine
	q QueueID

	users int // under the engine's mu

	mu       sync.Mutex
	ready    []candidate
	held     map[candidate]struct{} // those in ready, and those a receiver is trying
	from     int64
	back     int64 // the earliest that was put back while a scan ran
	more     bool  // there is more than ready can hold: only scans add to it, in order
	scanAt   time.Time
	next     int64 // when something is due next, as far as is known; 0 for never
	looking  chan struct{}
	deepAt   time.Time
	deepCost time.Duration
	owed     bool // a deep scan was held back
	spread   int

	waiting []*waiter
	scouts  bool          // one of those waiting also watches the store and the time
	sooner  chan struct{} // tells it that next is
}

// waiter is a receiver that waits.
type waiter struct{ wake chan struct{} }

func newLine(e *Engine, q QueueID) *line {
	return &line{e: e, q: q, held: map[candidate]struct{}{}, spread: 1, sooner: make(chan struct{}, 1)}
}

// stale says whether it is time to scan, whatever there is.
func (ln *line) stale() bool {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.looking == nil && time.Since(ln.scanAt) > scanAnyway
}

// take gives candidates to a receiver, which releases them.
func (ln *line) take(want int) []candidate {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	n := min(want, len(ln.ready))
	if n == 0 {
		return nil
	}
	if among := min(len(ln.ready), n*ln.spread); among > n {
		rand.Shuffle(among, func(i, j int) { ln.ready[i], ln.ready[j] = ln.ready[j], ln.ready[i] })
	}
	list := append([]candidate(nil), ln.ready[:n]...)
	if ln.ready = ln.ready[n:]; len(ln.ready) == 0 {
		ln.ready = nil
	}
	return list
}

// release ends a receiver's trying. What it did not get is found by the next scan
// again; lost are those that others had taken.
func (ln *line) release(list []candidate, again bool, lost int) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	for _, c := range list {
		delete(ln.held, c)
		if again {
			ln.putBack(c.at)
		}
	}
	switch {
	case 2*lost > len(list):
		ln.spread = min(maxSpread, 2*ln.spread)
	case lost == 0 && ln.spread > 1 && len(list) > 0:
		ln.spread--
	}
}

// hear learns what became due, or will.
func (ln *line) hear(list []change) {
	now := ln.e.time.now()
	ln.mu.Lock()
	defer ln.mu.Unlock()
	for _, ch := range list {
		switch {
		case ch.c.at <= now:
			ln.add(ch.c)
		case ln.next == 0 || ch.c.at < ln.next:
			ln.next = ch.c.at
			select {
			case ln.sooner <- struct{}{}:
			default:
			}
		}
	}
}

// add puts a candidate in line and wakes a receiver for it. It needs mu.
func (ln *line) add(c candidate) {
	if _, ok := ln.held[c]; ok {
		return
	}
	if ln.more = ln.more || len(ln.ready) >= maxReady; ln.more {
		ln.putBack(c.at)
	} else {
		ln.held[c] = struct{}{}
		ln.ready = append(ln.ready, c)
	}
	ln.poke()
}

// addFirst puts what a scan has found before what is in line already, which is later. It
// needs mu.
func (ln *line) addFirst(list []candidate) {
	fresh := make([]candidate, 0, len(list)+len(ln.ready))
	for _, c := range list {
		if _, ok := ln.held[c]; !ok {
			ln.held[c] = struct{}{}
			fresh = append(fresh, c)
			ln.poke()
		}
	}
	if len(fresh) == 0 {
		return
	}
	ln.ready = append(fresh, ln.ready...)
	for len(ln.ready) > maxReady {
		last := ln.ready[len(ln.ready)-1]
		delete(ln.held, last)
		ln.putBack(last.at)
		ln.ready, ln.more = ln.ready[:len(ln.ready)-1], true
	}
}

// putBack has the next scan find what is due from a time on. It needs mu.
func (ln *line) putBack(at int64) {
	ln.from, ln.back = min(ln.from, at), min(ln.back, at)
}

// poke wakes the receiver that has waited longest. It needs mu.
func (ln *line) poke() {
	if len(ln.waiting) == 0 {
		return
	}
	w := ln.waiting[0]
	ln.waiting = ln.waiting[1:]
	close(w.wake)
}

// search scans for candidates, unless somebody does, whose result it then waits for.
func (ln *line) search(ctx context.Context) error {
	ln.mu.Lock()
	if busy := ln.looking; busy != nil {
		ln.mu.Unlock()
		select {
		case <-busy:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	done := make(chan struct{})
	ln.looking, ln.back = done, math.MaxInt64
	from := ln.from
	ln.mu.Unlock()
	defer func() {
		ln.mu.Lock()
		ln.looking = nil
		ln.mu.Unlock()
		close(done)
	}()
	found, err := ln.scan(ctx, from)
	if err != nil || from == 0 {
		return err
	}
	if start, ok := ln.deepen(found); ok {
		_, err = ln.scan(ctx, 0)
		ln.mu.Lock()
		ln.deepCost = time.Since(start)
		ln.mu.Unlock()
	}
	return err
}

// deepen says whether a deep scan may begin, and should though something was found.
func (ln *line) deepen(found bool) (time.Time, bool) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	now := time.Now()
	since := now.Sub(ln.deepAt)
	if found && since < deepAnyway {
		return now, false
	}
	ln.owed = since < max(deepPause, deepShare*ln.deepCost)
	if ln.owed {
		return now, false
	}
	ln.deepAt = now
	return now, true
}

// scan looks for what is due, from a time on.
func (ln *line) scan(ctx context.Context, from int64) (found bool, err error) {
	now := ln.e.time.now()
	var list []candidate
	next, last, full := int64(0), from, false
	err = ln.e.store.View(ctx, func(r store.Reader) error {
		list, next = list[:0], 0
		for p, err := range r.Scan(dueFrom(ln.q, from)) {
			if err != nil {
				return err
			}
			c, err := parseDue(p.Key)
			if err != nil {
				return err
			}
			if c.at > now {
				next = c.at
				return nil
			}
			if full = len(list) == glance; full {
				return nil
			}
			last = c.at
			list = append(list, c)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look for messages: %w", err)
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	ln.scanAt = time.Now()
	switch {
	case from != 0 || ln.from == 0:
		ln.from = min(last, ln.back)
	case full:
		ln.from = min(ln.from, last)
	}
	if ln.more = full; !full {
		ln.next = next
	}
	ln.addFirst(list)
	return len(ln.ready) > 0, nil
}
