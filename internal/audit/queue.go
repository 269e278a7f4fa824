package audit

import (
	"context"
	"sync"
	"time"
)

// Bounds of what waits for the store.
const (
	maxQueue      = 8192     // events; those nobody waits for may fill half
	maxQueueBytes = 32 << 20 // about; those nobody waits for may fill half
	maxBatch      = 256      // events in one transaction
)

const (
	linger    = 50 * time.Millisecond // from a read to its storing
	maxWait   = time.Second           // of a change or refusal for the store
	drainTime = 5 * time.Second
)

// waiting is an event on its way to the store.
type waiting struct {
	event  Event
	kind   Kind
	stored chan struct{} // closed once it is durable; nil if nobody waits
}

// queue holds events until they are stored, in the order they came.
type queue struct {
	mu    sync.Mutex
	list  []waiting
	bytes int
	lost  int // events that found it full, since the last note

	wake    chan struct{} // holds a signal after a read
	hurry   chan struct{} // holds a signal after an event that somebody waits for
	storing sync.Mutex    // held while events go from here to the store
}

func newQueue() queue {
	return queue{wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1)}
}

// add takes an event, or counts it as lost and returns false.
func (q *queue) add(w waiting) bool {
	size, share := w.event.size(), 1
	signal := q.hurry
	if w.stored == nil {
		share, signal = 2, q.wake
	}
	q.mu.Lock()
	ok := len(q.list) < maxQueue/share && q.bytes+size <= maxQueueBytes/share
	if ok {
		q.list = append(q.list, w)
		q.bytes += size
	} else {
		q.lost++
	}
	q.mu.Unlock()
	select {
	case signal <- struct{}{}:
	default:
	}
	return ok
}

// front gives the events to store next, which stay in the queue until done.
func (q *queue) front() (batch []waiting, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.list[:min(maxBatch, len(q.list))], q.lost
}

// done takes what front gave, and was stored, off the queue.
func (q *queue) done(batch []waiting, lost int) {
	for _, w := range batch {
		if w.stored != nil {
			close(w.stored)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range batch {
		q.bytes -= batch[i].event.size()
		batch[i] = waiting{} // what it points to is free
	}
	q.list, q.lost = q.list[len(batch):], q.lost-lost
	if len(q.list) == 0 {
		q.list = nil
	}
}

// drain stores what comes while ctx runs, and then what is left.
func (t *Trail) drain(ctx context.Context) error {
	q := &t.queue
	for {
		select {
		case <-q.hurry:
		case <-q.wake:
			t.linger(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			if err := t.Flush(last); err != nil {
				t.cfg.Log.Error("the last audit events could not be stored", "err", err)
			}
			return nil
		}
		for wait := linger; ; wait = min(2*wait, time.Second) {
			err := t.Flush(ctx)
			if err == nil || ctx.Err() != nil {
				break
			}
			t.cfg.Log.Warn("audit events could not be stored; they wait", "err", err)
			pause(ctx, wait)
		}
	}
}

// linger waits for more reads, or for an event that is in a hurry.
func (t *Trail) linger(ctx context.Context) {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.queue.hurry:
	case <-ctx.Done():
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
