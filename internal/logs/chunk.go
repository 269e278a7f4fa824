package logs

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	// chunkSpan bounds the time between a chunk's first and last event, in ms, so
	// that merging chunks needs to look no further than that.
	chunkSpan = 1000
	// chunkBytes is when a chunk is full; a single event may be larger.
	chunkBytes = 256 << 10
	// overhead is what AWS adds to an event's message when it counts bytes.
	overhead = 26
)

// Event is one entry of a log stream.
type Event struct {
	Time    time.Time // to the millisecond
	Message string
}

// chunk is some events of one stream, in the order of time.
type chunk struct {
	Stream   string
	Ingested int64 // ms since 1970
	Times    []int64
	Messages []string
}

// position is an event's place in the order of all events of a group: by time,
// then in the order they were stored. A chunk's is that of its first event.
type position struct {
	time int64
	seq  uint64
	n    int // within the chunk
}

func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(p.time, o.time), cmp.Compare(p.seq, o.seq), cmp.Compare(p.n, o.n))
}

// String prints a position as 56 digits, which is what AWS's event ids have. n is
// printed one larger, as a token may stand before a chunk's first event.
func (p position) String() string { return fmt.Sprintf("%020d%020d%016d", p.time, p.seq, p.n+1) }

func parsePosition(s string) (p position, err error) {
	if len(s) != 56 {
		return p, errToken
	}
	t, err1 := strconv.ParseInt(s[:20], 10, 64)
	seq, err2 := strconv.ParseUint(s[20:40], 10, 64)
	n, err3 := strconv.ParseInt(s[40:], 10, 32)
	if errors.Join(err1, err2, err3) != nil {
		return p, errToken
	}
	return position{t, seq, int(n) - 1}, nil
}

// write stores events, which are in the order of time, in a stream that is there.
func (s *Service) write(tx store.Tx, group string, st *Stream, events []Event) error {
	now := s.now()
	var bytes int64
	for len(events) > 0 {
		n := fit(events)
		c := chunk{Stream: st.Name, Ingested: now, Times: make([]int64, n), Messages: make([]string, n)}
		var held int64
		for i, e := range events[:n] {
			c.Times[i], c.Messages[i] = e.Time.UnixMilli(), e.Message
			held += int64(len(e.Message)) + overhead
		}
		at := position{time: c.Times[0], seq: s.next()}
		if err := errors.Join(save(tx, chunkKey(group, at), &c), save(tx, indexKey(group, st.Name, at), size{held})); err != nil {
			return err
		}
		if first := c.Times[0]; st.First == 0 || first < st.First {
			st.First = first
		}
		st.Last = max(st.Last, c.Times[n-1])
		bytes, events = bytes+held, events[n:]
	}
	st.LastIngestion = now
	return errors.Join(grow(tx, group, bytes), save(tx, streamKey(group, st.Name), st))
}

// fit says how many events go into the next chunk: at least one.
func fit(events []Event) int {
	end := events[0].Time.UnixMilli() + chunkSpan
	bytes := 0
	for i, e := range events {
		if bytes += len(e.Message) + overhead; i > 0 && (bytes > chunkBytes || e.Time.UnixMilli() >= end) {
			return i
		}
	}
	return len(events)
}

// index walks the chunks of one stream, and their sizes, as rng says; without
// bounds it is all of them.
func index(r store.Reader, group, stream string, rng store.Range) iter.Seq2[indexed, error] {
	if rng.Start == nil {
		all := store.Prefix(below("index", group, stream))
		rng.Start, rng.End = all.Start, all.End
	}
	return func(yield func(indexed, error) bool) {
		for p, err := range r.Scan(rng) {
			var x indexed
			var held size
			if err == nil {
				x.at, err = keyPosition(p.Key)
			}
			if err == nil {
				err = record.Unmarshal(p.Value, &held)
			}
			x.bytes = held.Bytes
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// indexed is an entry of a stream's index.
type indexed struct {
	at    position
	bytes int64
}

// keyPosition reads the TIME and SEQ at the end of a key.
func keyPosition(key []byte) (position, error) {
	parts, err := store.Split(key)
	if err != nil {
		return position{}, err
	}
	t, ok1 := parts[len(parts)-2].(uint64)
	seq, ok2 := parts[len(parts)-1].(uint64)
	if !ok1 || !ok2 {
		return position{}, fmt.Errorf("key %q has no position", key)
	}
	return position{time: int64(t), seq: seq}, nil
}
