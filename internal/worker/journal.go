package worker

import (
	"fmt"
	"sync"
	"time"
)

// Bounds of what one environment may log.
const (
	maxLine    = 256 << 10 // one event, as CloudWatch Logs bounds it
	maxPending = 1 << 20   // bytes waiting to be shipped
	// maxBurst bytes can be logged at once; after that burstRate bytes a second.
	maxBurst  = 16 << 20
	burstRate = 2 << 20
	maxTail   = 4 << 10 // bytes of LogType=Tail
)

// entry is a log event, or one whose text is made when it is shipped.
type entry struct {
	at   time.Time
	text string
	late func(memoryPeak int64) string
}

// journal collects one environment's log events, in order, until the shipper
// takes them. Before it has a stream (a pool member) it only collects.
type journal struct {
	ship    *shipper
	measure func() int64 // the memory's peak in bytes

	mu            sync.Mutex
	group, stream string
	pending       []entry
	bytes         int
	queued        bool
	room          *sync.Cond
	tokens        int
	refilled      time.Time
	dropped       int
	tail          []byte
	tailing       bool
	closed        bool
}

func newJournal(s *shipper, measure func() int64) *journal {
	j := &journal{ship: s, measure: measure, tokens: maxBurst, refilled: time.Now()}
	j.room = sync.NewCond(&j.mu)
	return j
}

// open gives the journal its stream; what was collected goes there, or with no group
// nowhere.
func (j *journal) open(group, stream string) {
	j.mu.Lock()
	j.group, j.stream = group, stream
	j.mark()
	j.mu.Unlock()
}

// line adds a line the code wrote. It never blocks: what is over the bounds is
// dropped and counted.
func (j *journal) line(at time.Time, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refill(at)
	if len(text) > j.tokens || j.bytes+len(text) > 2*maxPending {
		j.dropped += len(text)
		return
	}
	j.tokens -= len(text)
	j.add(entry{at: at, text: text})
}

// note adds a line of the platform's own, and late one whose text waits for a
// measure of the sandbox.
func (j *journal) note(at time.Time, text string) {
	j.mu.Lock()
	j.add(entry{at: at, text: text})
	j.mu.Unlock()
}

func (j *journal) late(at time.Time, f func(memoryPeak int64) string) {
	j.mu.Lock()
	j.add(entry{at: at, late: f})
	j.mu.Unlock()
}

// waitRoom blocks while too much is pending: the code's own writes stall then,
// and nobody else's.
func (j *journal) waitRoom() {
	j.mu.Lock()
	for j.bytes > maxPending && !j.closed {
		j.room.Wait()
	}
	j.mu.Unlock()
}

// beginTail keeps the last 4 KiB of what is added until endTail gives them.
func (j *journal) beginTail() {
	j.mu.Lock()
	j.tail, j.tailing = j.tail[:0], true
	j.mu.Unlock()
}

func (j *journal) endTail() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tailing = false
	t := j.tail
	if len(t) > maxTail {
		t = t[len(t)-maxTail:]
	}
	return append([]byte(nil), t...)
}

// close lets blocked writers go. What is pending is still shipped.
func (j *journal) close() {
	j.mu.Lock()
	j.closed = true
	j.room.Broadcast()
	j.mu.Unlock()
}

func (j *journal) add(e entry) {
	if j.dropped > 0 {
		n := j.dropped
		j.dropped = 0
		j.add(entry{at: e.at, text: fmt.Sprintf("LOGS\tdropped %d bytes: more was logged than can be kept", n)})
	}
	if j.tailing && e.late == nil {
		if len(j.tail) > 4*maxTail {
			j.tail = append(j.tail[:0], j.tail[len(j.tail)-maxTail:]...)
		}
		j.tail = append(append(j.tail, e.text...), '\n')
	}
	j.pending = append(j.pending, e)
	j.bytes += len(e.text) + 64
	j.mark()
}

func (j *journal) mark() {
	if !j.queued && j.stream != "" && len(j.pending) > 0 {
		j.queued = true
		j.ship.push(j)
	}
}

func (j *journal) refill(now time.Time) {
	if d := now.Sub(j.refilled); d > 10*time.Millisecond {
		j.tokens = min(maxBurst, j.tokens+int(d.Seconds()*burstRate))
		j.refilled = now
	}
}

// take empties the journal for the shipper.
func (j *journal) take() (group, stream string, events []LogEvent) {
	j.mu.Lock()
	entries := j.pending
	j.pending, j.bytes, j.queued = nil, 0, false
	group, stream = j.group, j.stream
	j.room.Broadcast()
	j.mu.Unlock()
	events = make([]LogEvent, len(entries))
	peak := int64(-1)
	for i, e := range entries {
		if e.late != nil {
			if peak < 0 {
				peak = j.measure()
			}
			e.text = e.late(peak)
		}
		events[i] = LogEvent{Time: e.at, Message: e.text}
	}
	return group, stream, events
}

// shipper carries journals' events to Logs from one goroutine, taking turns
// among the environments so that one that floods delays no other.
type shipper struct {
	logs Logs

	mu    sync.Mutex
	dirty []*journal
	wake  chan struct{}
	done  chan struct{}
	ended bool
}

// linger is how long the shipper lets events gather before it carries them.
const linger = 20 * time.Millisecond

func newShipper(logs Logs) *shipper {
	s := &shipper{logs: logs, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *shipper) push(j *journal) {
	s.mu.Lock()
	s.dirty = append(s.dirty, j)
	first := len(s.dirty) == 1
	s.mu.Unlock()
	if first {
		s.poke()
	}
}

func (s *shipper) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close ships what is there and ends the goroutine.
func (s *shipper) close() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.poke()
	<-s.done
}

func (s *shipper) run() {
	defer close(s.done)
	for range s.wake {
		s.mu.Lock()
		ended := s.ended
		s.mu.Unlock()
		if !ended {
			time.Sleep(linger)
		}
		s.mu.Lock()
		dirty := s.dirty
		s.dirty = nil
		ended = s.ended
		s.mu.Unlock()
		for _, j := range dirty {
			if group, stream, events := j.take(); group != "" && len(events) > 0 {
				s.logs.Append(group, stream, events)
			}
		}
		if ended {
			return
		}
	}
}
