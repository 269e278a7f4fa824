package bill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	linger    = 50 * time.Millisecond // from a record to its storing
	maxQueue  = 200_000               // records waiting for the store
	maxBatch  = 2_000                 // records in one transaction
	foldEvery = time.Second           // from a new record to its sum
	keepFor   = 7 * 24 * time.Hour    // a record, after its day
	drainTime = 5 * time.Second
)

// Config is what a Meter is built from. Store must be set.
type Config struct {
	Store store.Store
	Clock clock.Clock  // default clock.System
	Log   *slog.Logger // default slog.Default()
}

// Meter counts invocations. Its methods are safe for concurrent use.
type Meter struct {
	cfg  Config
	wake chan struct{} // holds a signal after a Record

	mu    sync.Mutex
	queue []Usage
	lost  int // records that found the queue full

	storing sync.Mutex // held while records go from the queue to the store
}

// New makes a Meter. What is recorded is stored while Run runs.
func New(cfg Config) *Meter {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Meter{cfg: cfg, wake: make(chan struct{}, 1)}
}

// Record counts a synchronous invocation. It never waits; the record is durable
// within 100 ms.
func (m *Meter) Record(u Usage) {
	m.mu.Lock()
	if len(m.queue) < maxQueue {
		m.queue = append(m.queue, u)
	} else {
		m.lost++ // the store has failed for long: the customer is not billed
	}
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// RecordTx counts an invocation in the transaction that completes it: it counts if
// and only if tx commits.
func (m *Meter) RecordTx(tx store.Tx, u Usage) error {
	c := u.call()
	if _, there, err := load[use](tx, c.useKey()); there || err != nil {
		return err
	}
	if err := save(tx, c.useKey(), u.kept()); err != nil {
		return err
	}
	return tx.Set(c.newKey(), nil)
}

// Run stores what is recorded, keeps the sums and removes old records until ctx
// ends. Then it stores what is still queued and returns nil.
func (m *Meter) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return m.drain(running) })
	g.Go(func() error { return m.foldRegularly(running) })
	return g.Wait()
}

// Flush stores everything that was recorded before it was called.
func (m *Meter) Flush(ctx context.Context) error {
	m.storing.Lock()
	defer m.storing.Unlock()
	for {
		m.mu.Lock()
		batch := m.queue[:min(maxBatch, len(m.queue))]
		lost := m.lost
		m.lost = 0
		m.mu.Unlock()
		if lost > 0 {
			m.cfg.Log.Error("invocations were not metered: the store takes no records", "invocations", lost)
		}
		if len(batch) == 0 {
			return nil
		}
		if err := m.cfg.Store.Update(ctx, func(tx store.Tx) error { return count(tx, batch) }); err != nil {
			return fmt.Errorf("store meter records: %w", err)
		}
		m.mu.Lock()
		if m.queue = m.queue[len(batch):]; len(m.queue) == 0 {
			m.queue = nil
		}
		m.mu.Unlock()
	}
}

// count writes the records that are not there yet, and adds them to their sums.
func count(tx store.Tx, batch []Usage) error {
	sums := map[cell]sum{}
	for i := range batch {
		u := &batch[i]
		c := u.call()
		_, there, err := load[use](tx, c.useKey())
		if err != nil {
			return err
		}
		if there {
			continue
		}
		kept := u.kept()
		if err := save(tx, c.useKey(), kept); err != nil {
			return err
		}
		s := sums[c.cell(&kept)]
		s.add(kept.sum())
		sums[c.cell(&kept)] = s
	}
	return addTo(tx, sums)
}

// addTo adds to sums that are kept.
func addTo(tx store.Tx, sums map[cell]sum) error {
	for c, more := range sums {
		s, _, err := load[sum](tx, c.key())
		if err != nil {
			return err
		}
		s.add(more)
		if err := save(tx, c.key(), s); err != nil {
			return err
		}
	}
	return nil
}

func (m *Meter) drain(ctx context.Context) error {
	for {
		select {
		case <-m.wake:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			if err := m.Flush(last); err != nil {
				m.cfg.Log.Error("the last meter records could not be stored", "err", err)
			}
			return nil
		}
		for wait := linger; ; wait = min(2*wait, time.Second) {
			if !pause(ctx, wait) {
				break
			}
			err := m.Flush(ctx)
			if err == nil || ctx.Err() != nil {
				break
			}
			m.cfg.Log.Warn("meter records could not be stored; they wait", "err", err)
		}
	}
}

// foldRegularly moves new records into their sums whenever there are some, and
// removes old ones once a day.
func (m *Meter) foldRegularly(ctx context.Context) error {
	changed, stop := m.cfg.Store.Watch(store.Key(room, "new"))
	defer stop()
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	swept := uint64(0)
	for {
		err := m.fold(ctx)
		if today := dayOf(m.cfg.Clock.Now()); err == nil && today != swept {
			if err = m.sweep(ctx); err == nil {
				swept = today
			}
		}
		if err != nil && ctx.Err() == nil {
			m.cfg.Log.Warn("adding up the bill failed; it will be tried again", "err", err)
		}
		select {
		case <-changed:
		case <-hourly.C:
		case <-ctx.Done():
			return nil
		}
		if !pause(ctx, foldEvery) { // more come meanwhile
			return nil
		}
	}
}

// fold moves all new records into their sums.
func (m *Meter) fold(ctx context.Context) error {
	all := store.Prefix(store.Key(room, "new"))
	all.Limit = maxBatch
	for {
		var fresh []recorded
		err := m.cfg.Store.View(ctx, func(r store.Reader) (err error) {
			fresh, err = unsummed(r, all)
			return err
		})
		if err == nil && len(fresh) > 0 {
			err = m.cfg.Store.Update(ctx, func(tx store.Tx) error { return settle(tx, fresh) })
		}
		if err != nil {
			return fmt.Errorf("add up the bill: %w", err)
		}
		if len(fresh) < maxBatch {
			return nil
		}
	}
}

// settle adds records to their sums that are still new. It reads each by itself:
// had it read their range, every event that completes would be in its way.
func settle(tx store.Tx, fresh []recorded) error {
	sums := map[cell]sum{}
	for _, n := range fresh {
		if _, err := tx.Get(n.newKey()); errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		s := sums[n.cell(&n.use)]
		s.add(n.use.sum())
		sums[n.cell(&n.use)] = s
		if err := tx.Delete(n.newKey()); err != nil {
			return err
		}
	}
	return addTo(tx, sums)
}

// sweep removes records of invocations whose day was more than keepFor ago. Sums
// stay.
func (m *Meter) sweep(ctx context.Context) error {
	old := days("use", 0, dayOf(m.cfg.Clock.Now().Add(-keepFor)))
	return m.cfg.Store.Update(ctx, func(tx store.Tx) error { return tx.DeleteRange(old.Start, old.End) })
}

// recorded is an invocation that is on record.
type recorded struct {
	call
	use
}

// unsummed reads the invocations of a range of "new" keys.
func unsummed(r store.Reader, rng store.Range) ([]recorded, error) {
	var list []recorded
	for p, err := range r.Scan(rng) {
		if err != nil {
			return nil, err
		}
		c, err := parseCall(p.Key)
		if err != nil {
			return nil, err
		}
		u, ok, err := load[use](r, c.useKey())
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, recorded{c, u})
		}
	}
	return list, nil
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
