package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Bounds of what is appended and not stored yet, in bytes.
const (
	maxMessage = 256 << 10 // of one event; more is cut off, as Lambda does
	maxQueue   = 2 << 20   // of one group; more is dropped and counted
	maxQueues  = 64 << 20  // of all groups together
	share      = 512 << 10 // what one group may store at a time
)

const (
	linger    = 50 * time.Millisecond  // from the first event to its storing
	pace      = 100 * time.Millisecond // between two rounds when there is more
	drainTime = 5 * time.Second
)

// sink holds events until they are stored: a queue for each group, of which all
// get the same share of each round. Only a round removes from a queue.
type sink struct {
	mu      sync.Mutex
	queues  map[string]*queue
	bytes   int
	wake    chan struct{} // holds a signal after an append
	storing sync.Mutex    // held during a round
}

// queue is what one group has waiting.
type queue struct {
	lines   []line
	bytes   int
	dropped map[string]int // lines lost since the last note, by stream
}

type line struct {
	stream string
	event  Event
}

func (l line) size() int { return len(l.event.Message) + overhead }

func newSink() sink { return sink{queues: map[string]*queue{}, wake: make(chan struct{}, 1)} }

// Append adds events to a stream; group and stream are made if they are not there.
// It never waits. Messages over 256 KiB are cut off. What goes beyond a group's
// queue is dropped and counted in a line of its own. The events are durable some
// 100 ms later; a crash may lose that much.
func (s *Service) Append(group, stream string, events []Event) {
	if checkGroup(group) != nil || checkStream(stream) != nil || len(events) == 0 {
		return // no function's configuration has such a name
	}
	k := &s.sink
	k.mu.Lock()
	defer k.mu.Unlock()
	q := k.queues[group]
	if q == nil {
		q = &queue{dropped: map[string]int{}}
		k.queues[group] = q
	}
	for _, e := range events {
		e.Message = cut(e.Message)
		l := line{stream, e}
		if q.bytes+l.size() > maxQueue || k.bytes+l.size() > maxQueues {
			q.dropped[stream]++
			continue
		}
		q.lines = append(q.lines, l)
		q.bytes += l.size()
		k.bytes += l.size()
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// cut shortens a message to what is stored, between two characters.
func cut(m string) string {
	if len(m) <= maxMessage {
		return m
	}
	n := maxMessage
	for n > maxMessage-utf8.UTFMax && !utf8.RuneStart(m[n]) {
		n--
	}
	return m[:n]
}

// Flush stores everything that was appended before it was called.
func (s *Service) Flush(ctx context.Context) error {
	for {
		more, err := s.round(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// drain runs rounds while ctx runs, and then until nothing is left.
func (s *Service) drain(ctx context.Context) error {
	for {
		select {
		case <-s.sink.wake:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			if err := s.Flush(last); err != nil {
				s.cfg.Log.Error("the last log lines could not be stored", "err", err)
			}
			return nil
		}
		wait := linger
		for more := true; more; wait = pace {
			if !pause(ctx, wait) {
				break
			}
			var err error
			if more, err = s.round(ctx); err != nil && ctx.Err() == nil {
				s.cfg.Log.Warn("log lines could not be stored; they wait", "err", err)
				pause(ctx, time.Second)
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// round stores a share of each queue and says whether something is left.
func (s *Service) round(ctx context.Context) (more bool, err error) {
	k := &s.sink
	k.storing.Lock()
	defer k.storing.Unlock()
	k.mu.Lock()
	groups := slices.Sorted(maps.Keys(k.queues))
	k.mu.Unlock()
	var batch []taken
	bytes := 0
	flush := func() error {
		err := s.store(ctx, batch)
		if err == nil {
			for _, t := range batch {
				more = k.remove(t) || more
			}
		}
		batch, bytes = nil, 0
		return err
	}
	var errs []error
	for _, group := range groups {
		t := k.take(group, s.cfg.Clock.Now())
		batch, bytes = append(batch, t), bytes+t.bytes
		if bytes >= share {
			errs = append(errs, flush())
		}
	}
	errs = append(errs, flush())
	if err = errors.Join(errs...); err != nil {
		more = true
	}
	return more, err
}

// taken is the front of a group's queue.
type taken struct {
	group string
	lines []line
	bytes int
}

// take gives the front of a queue, and notes there what was dropped.
func (k *sink) take(group string, now time.Time) taken {
	k.mu.Lock()
	defer k.mu.Unlock()
	q := k.queues[group]
	for stream, n := range q.dropped {
		l := line{stream, Event{Time: now, Message: fmt.Sprintf("%d log lines dropped: they came faster than they can be stored", n)}}
		q.lines = append(q.lines, l)
		q.bytes += l.size()
		k.bytes += l.size()
	}
	clear(q.dropped)
	t := taken{group: group}
	for t.bytes < share && len(t.lines) < len(q.lines) {
		t.bytes += q.lines[len(t.lines)].size()
		t.lines = q.lines[:len(t.lines)+1]
	}
	return t
}

// remove takes what was stored off its queue, and says whether it has more.
func (k *sink) remove(t taken) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	q := k.queues[t.group]
	clear(q.lines[:len(t.lines)])
	q.lines = q.lines[len(t.lines):]
	q.bytes -= t.bytes
	k.bytes -= t.bytes
	if len(q.lines) == 0 && len(q.dropped) == 0 {
		delete(k.queues, t.group)
		return false
	}
	return true
}

// store writes lines of some groups in one transaction.
func (s *Service) store(ctx context.Context, batch []taken) error {
	if len(batch) == 0 {
		return nil
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		for _, t := range batch {
			if err := s.ensureGroup(tx, t.group); err != nil {
				return err
			}
			streams := map[string][]Event{}
			for _, l := range t.lines {
				streams[l.stream] = append(streams[l.stream], l.event)
			}
			for _, name := range slices.Sorted(maps.Keys(streams)) {
				st, err := load[Stream](tx, streamKey(t.group, name), nil)
				if errors.Is(err, store.ErrNotFound) {
					st, err = &Stream{Name: name, Created: s.now()}, nil
				}
				if err != nil {
					return err
				}
				events := streams[name]
				// Clocks of different fineness wrote them: within a millisecond, which
				// is all that is stored, they stay as they came.
				slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.Time.UnixMilli(), b.Time.UnixMilli()) })
				if err := s.write(tx, t.group, st, events); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Service) ensureGroup(tx store.Tx, name string) error {
	_, err := tx.Get(groupKey(name))
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return save(tx, groupKey(name), &Group{Name: name, Created: s.now(), Class: "STANDARD"})
}
