package audit

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	// DefaultMaxEvents is how many entries of each kind are kept: at most some
	// 200 MB of each.
	DefaultMaxEvents = 100_000
	// DefaultMaxAge is how long entries are kept, as CloudTrail's event history is.
	DefaultMaxAge = 90 * 24 * time.Hour
)

// Config is what a Trail is built from. Store, Account and Region must be set.
type Config struct {
	Store store.Store
	// Account and Region are those of what is on record.
	Account, Region string
	// MaxEvents is how many entries of each kind are kept; default DefaultMaxEvents.
	MaxEvents int
	// MaxAge is how long entries are kept; default DefaultMaxAge.
	MaxAge time.Duration
	Clock  clock.Clock  // default clock.System
	Log    *slog.Logger // default slog.Default()
}

// Trail is the account's audit trail. Its methods are safe for concurrent use.
type Trail struct {
	cfg   Config
	queue queue
	seq   atomic.Uint64 // number of the newest entry
	over  chan struct{} // holds a signal when a kind has too many entries
}

// New makes a Trail. What is recorded is stored while Run runs.
func New(cfg Config) *Trail {
	if cfg.MaxEvents <= 0 {
		cfg.MaxEvents = DefaultMaxEvents
	}
	if cfg.MaxAge <= 0 {
		cfg.MaxAge = DefaultMaxAge
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Trail{cfg: cfg, queue: newQueue(), over: make(chan struct{}, 1)}
}

// Run stores what is recorded and removes what is kept no longer, until ctx ends.
// Then it stores what still waits, taking at most drainTime, and returns nil.
func (t *Trail) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return t.drain(running) })
	g.Go(func() error { return t.sweepRegularly(running) })
	return g.Wait()
}

// Record takes an event, if it is one for the trail. A change, a refusal or a read that
// hands out a secret is durable when it returns, unless that takes longer than a
// second; of another read it returns at once. It is called by many at once, on the goroutines of their requests.
func (t *Trail) Record(e Event) {
	k, ok := e.kind()
	if !ok {
		return
	}
	if !e.waits(k) {
		t.queue.add(waiting{event: e, kind: k})
		return
	}
	stored := make(chan struct{})
	if !t.queue.add(waiting{e, k, stored}) {
		return
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-stored:
	case <-timer.C:
	}
}

// Flush stores everything that was recorded before it was called.
func (t *Trail) Flush(ctx context.Context) error {
	t.queue.storing.Lock()
	defer t.queue.storing.Unlock()
	for {
		batch, lost := t.queue.front()
		if len(batch) == 0 && lost == 0 {
			return nil
		}
		if err := t.store(ctx, batch, lost); err != nil {
			return fmt.Errorf("store audit events: %w", err)
		}
		t.queue.done(batch, lost)
	}
}

// store writes events, and a note of those lost, in one transaction.
func (t *Trail) store(ctx context.Context, batch []waiting, lost int) error {
	entries := make([]Entry, 0, len(batch)+1)
	for i := range batch {
		entries = append(entries, newEntry(&batch[i].event, batch[i].kind))
	}
	if lost > 0 {
		t.cfg.Log.Error("audit events were lost: they came faster than they could be stored", "events", lost)
		entries = append(entries, t.lossOf(lost))
	}
	places := make([]place, len(entries))
	more := map[Kind]int{}
	for i := range entries {
		places[i] = place{uint64(max(0, entries[i].Time.UnixMilli())), t.next()}
		more[entries[i].Kind]++
	}
	over := false
	err := t.cfg.Store.Update(ctx, func(tx store.Tx) error {
		for i := range entries {
			if err := put(tx, places[i], &entries[i]); err != nil {
				return err
			}
		}
		if err := count(tx, more); err != nil {
			return err
		}
		over = false
		for _, k := range kinds {
			n, err := counted(tx, k)
			if err != nil {
				return err
			}
			over = over || n > t.cfg.MaxEvents
		}
		return nil
	})
	if over && err == nil {
		select {
		case t.over <- struct{}{}:
		default:
		}
	}
	return err
}

// lossOf is the entry that says that events are missing.
func (t *Trail) lossOf(n int) Entry {
	return Entry{
		ID: id.UUID(), Time: t.cfg.Clock.Now(), Kind: Change, Service: "mayfly", Operation: "AuditEventsLost", Region: t.cfg.Region,
		Who:         newPrincipal(&auth.Principal{Kind: auth.Service, Account: t.cfg.Account, ARN: "mayfly"}),
		ErrorCode:   "AuditEventsLost",
		ErrorReason: fmt.Sprintf("%d events are missing here: they came faster than they could be stored", n),
	}
}

// next gives a number for an entry, above all before it, across restarts too as long
// as the machine's clock goes forward.
func (t *Trail) next() uint64 {
	for {
		last := t.seq.Load()
		n := max(uint64(time.Now().UnixNano()), last+1)
		if t.seq.CompareAndSwap(last, n) {
			return n
		}
	}
}
