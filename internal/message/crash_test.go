package message_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

// TestCrash pulls the plug at random moments of sends, receives, deletes and moves to a
// dead-letter queue, on a file system that forgets what was not synced, and looks at
// what is left.
func TestCrash(t *testing.T) {
	defer goleak.VerifyNone(t)
	for seed := range uint64(8) {
		for _, fifo := range []bool{false, true} {
			t.Run(fmt.Sprint(seed, " fifo ", fifo), func(t *testing.T) { crash(t, rand.New(rand.NewPCG(seed, 7)), fifo) })
		}
	}
}

// ledger is what was promised.
type ledger struct {
	mu          sync.Mutex
	sent        map[message.ID]bool
	tried, gone map[message.ID]bool // deletes begun, and acknowledged
	received    map[message.ID]int  // receive counts, as far as they were seen
}

func (l *ledger) note(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

func crash(t *testing.T, rng *rand.Rand, fifo bool) {
	fs := vfs.NewCrashableMem()
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: fs, Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, s, clock.System)
	dlq := queue(t, e, message.Settings{FIFO: fifo})
	q := queue(t, e, message.Settings{FIFO: fifo, DeadLetter: dlq, After: 3})
	l := &ledger{sent: map[message.ID]bool{}, tried: map[message.ID]bool{}, gone: map[message.ID]bool{}, received: map[message.ID]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() { sender(ctx, e, q, l, w) })
		wg.Go(func() { receiver(ctx, e, q, l, uint64(w)) })
	}
	time.Sleep(time.Duration(20+rng.IntN(60)) * time.Millisecond) // when does not matter
	l.mu.Lock()
	before := &ledger{sent: clone(l.sent), tried: clone(l.tried), gone: clone(l.gone), received: clone(l.received)}
	l.mu.Unlock()
	after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	cancel()
	wg.Wait() // what was deleted between the two moments is in tried by now
	s.Close()
	before.tried = l.tried
	if s, err = pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: after, Reserve: 64 << 10}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e = open(t, s, clock.NewManual(time.Now().Add(time.Hour)))
	before.check(t, drain(t, e, q), drain(t, e, dlq))
}

func clone[V any](m map[message.ID]V) map[message.ID]V {
	c := map[message.ID]V{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func sender(ctx context.Context, e *message.Engine, q message.QueueID, l *ledger, w int) {
	for n := 0; ctx.Err() == nil; n++ {
		sent, err := e.Send(ctx, q, message.Draft{Group: fmt.Sprint(w % 3), Body: fmt.Append(nil, n)})
		if err == nil {
			l.note(func() { l.sent[sent[0].ID] = true })
		}
	}
}

func receiver(ctx context.Context, e *message.Engine, q message.QueueID, l *ledger, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for ctx.Err() == nil {
		list, err := e.Receive(ctx, q, message.Ask{Max: 3, Hide: time.Duration(rng.IntN(20)) * time.Millisecond, Wait: 10 * time.Millisecond})
		if err != nil {
			continue
		}
		for _, m := range list {
			l.note(func() { l.received[m.ID] = max(l.received[m.ID], m.Receives) })
			if rng.IntN(3) == 0 {
				continue
			}
			l.note(func() { l.tried[m.ID] = true })
			if errs, err := e.Delete(ctx, m.Receipt); err == nil && errs[0] == nil {
				l.note(func() { l.gone[m.ID] = true })
			}
		}
	}
}

// drain receives and deletes everything there is.
func drain(t *testing.T, e *message.Engine, q message.QueueID) (all []*message.Message) {
	t.Helper()
	for {
		list, err := e.Receive(t.Context(), q, message.Ask{Max: 10, Hide: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			c, err := e.Count(t.Context(), q)
			if err != nil || c != (message.Counts{}) {
				t.Errorf("after all was received: %+v, %v", c, err)
			}
			return all
		}
		for _, m := range list {
			if errs, err := e.Delete(t.Context(), m.Receipt); err != nil || errs[0] != nil {
				t.Fatal(errs, err)
			}
		}
		all = append(all, list...)
	}
}

// check compares what was promised with what is found in the queue and in its dead
// letters.
func (l *ledger) check(t *testing.T, queue, dead []*message.Message) {
	t.Helper()
	found, last := map[message.ID]bool{}, map[string]uint64{}
	for i, m := range append(queue, dead...) {
		if found[m.ID] {
			t.Errorf("%s is there twice", m.ID)
		}
		found[m.ID] = true
		if l.gone[m.ID] {
			t.Errorf("%s was deleted and is back", m.ID)
		}
		if i >= len(queue) {
			continue
		}
		if m.Receives <= l.received[m.ID] && !l.tried[m.ID] {
			t.Errorf("%s was received %d times, and is for the %d. time", m.ID, l.received[m.ID], m.Receives)
		}
		if m.Group != "" && m.Number <= last[m.Group] {
			t.Errorf("number %d after %d in group %s", m.Number, last[m.Group], m.Group)
		}
		last[m.Group] = m.Number
	}
	for id := range l.sent {
		if !found[id] && !l.tried[id] {
			t.Errorf("%s was sent and is lost", id)
		}
	}
}
