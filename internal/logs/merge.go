package logs

import (
	"errors"
	"iter"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// entry is an event with its place.
type entry struct {
	at       position
	stream   string
	message  string
	ingested int64
}

// window says which events are read, and in which direction.
type window struct {
	group  string
	stream string // this one only, if set
	// Events at from and later, and before to, are read, by time in ms.
	from, to int64
	// Events after the position are read, or before it when backward.
	beyond   *position
	backward bool
}

// narrow moves the bounds of time to where beyond is.
func (w *window) narrow() {
	if w.beyond == nil {
		return
	}
	if w.backward {
		w.to = min(w.to, w.beyond.time+1)
	} else {
		w.from = max(w.from, w.beyond.time)
	}
}

func (w *window) has(e *entry) bool {
	if e.at.time < w.from || e.at.time >= w.to {
		return false
	}
	if w.beyond == nil {
		return true
	}
	c := e.at.compare(*w.beyond)
	return c > 0 && !w.backward || c < 0 && w.backward
}

// entries walks the events of a window in order. Chunks may overlap in time, so
// events wait until no chunk to come can have one before them; since a chunk
// spans little time, few wait.
func entries(r store.Reader, w window) iter.Seq2[entry, error] {
	w.narrow()
	return func(yield func(entry, error) bool) {
		var waiting []entry // in order
		// release gives the events that come before all of the chunks to come.
		release := func(ready func(entry) bool) bool {
			n := 0
			for n < len(waiting) && ready(waiting[n]) {
				if !yield(waiting[n], nil) {
					return false
				}
				n++
			}
			waiting = slices.Delete(waiting, 0, n)
			return true
		}
		for c, err := range chunks(r, w) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			if !release(func(e entry) bool {
				if w.backward {
					return e.at.time >= c.at.time+chunkSpan
				}
				return e.at.time < c.at.time
			}) {
				return
			}
			waiting = w.add(waiting, c)
		}
		release(func(entry) bool { return true })
	}
}

// add puts a chunk's events that the window has among those waiting.
func (w *window) add(waiting []entry, c placed) []entry {
	for i, t := range c.Times {
		e := entry{at: position{t, c.at.seq, i}, stream: c.Stream, message: c.Messages[i], ingested: c.Ingested}
		if w.has(&e) {
			waiting = append(waiting, e)
		}
	}
	slices.SortFunc(waiting, func(a, b entry) int {
		if w.backward {
			return b.at.compare(a.at)
		}
		return a.at.compare(b.at)
	})
	return waiting
}

// placed is a chunk with its place.
type placed struct {
	chunk
	at position
}

// chunks walks the chunks that may have events of the window, in its direction.
func chunks(r store.Reader, w window) iter.Seq2[placed, error] {
	first, last := position{time: max(0, w.from-chunkSpan)}, position{time: max(0, w.to)}
	return func(yield func(placed, error) bool) {
		if w.stream == "" {
			rng := store.Range{Start: chunkKey(w.group, first), End: chunkKey(w.group, last), Reverse: w.backward}
			for p, err := range r.Scan(rng) {
				c := placed{}
				if err == nil {
					c.at, err = keyPosition(p.Key)
				}
				if err == nil {
					err = record.Unmarshal(p.Value, &c.chunk)
				}
				if !yield(c, err) || err != nil {
					return
				}
			}
			return
		}
		rng := store.Range{Start: indexKey(w.group, w.stream, first), End: indexKey(w.group, w.stream, last), Reverse: w.backward}
		for x, err := range index(r, w.group, w.stream, rng) {
			c := placed{at: x.at}
			if err == nil {
				c.chunk, err = readChunk(r, w.group, x.at)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func readChunk(r store.Reader, group string, at position) (chunk, error) {
	c, err := load[chunk](r, chunkKey(group, at), errors.New("a chunk that the index has is missing"))
	if err != nil {
		return chunk{}, err
	}
	return *c, nil
}
