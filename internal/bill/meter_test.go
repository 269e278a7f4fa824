package bill_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/bill"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hello = "arn:aws:lambda:us-east-1:123456789012:function:hello"

// noon is the time of all tests.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, fs vfs.FS) store.Store {
	t.Helper()
	s, err := pebble.Open(context.Background(), pebble.Config{
		Dir: "data", FS: fs, Reserve: 64 << 10, Fatal: func(err error) { t.Errorf("fatal: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func meter(s store.Store) *bill.Meter {
	return bill.New(bill.Config{Store: s, Clock: clock.NewManual(noon)})
}

func start(t testing.TB) (*bill.Meter, store.Store) {
	s := open(t, vfs.NewMem())
	t.Cleanup(func() { s.Close() })
	return meter(s), s
}

// used is an invocation of 10 ms with 1 GB.
func used(request string) bill.Usage {
	return bill.Usage{
		RequestID: request, Account: "123456789012", FunctionARN: hello, Version: "$LATEST", Architecture: "x86_64",
		At: noon, Billed: 10 * time.Millisecond, MemoryMiB: 1024, TmpMiB: 512,
	}
}

func total(t testing.TB, m *bill.Meter) bill.Line {
	t.Helper()
	lines, err := m.Bill(t.Context(), noon, noon.AddDate(0, 0, 1), bill.Group{})
	if err != nil {
		t.Fatal(err)
	}
	return bill.Total(lines)
}

// complete records in a transaction of its own.
func complete(t testing.TB, s store.Store, m *bill.Meter, u bill.Usage) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { return m.RecordTx(tx, u) }); err != nil {
		t.Fatal(err)
	}
}

// TestOnce: an invocation counts once, however often and in whichever way it is
// recorded; another attempt is another invocation.
func TestOnce(t *testing.T) {
	m, s := start(t)
	for range 3 {
		m.Record(used("sync"))
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		complete(t, s, m, used("async"))
	}
	m.Record(used("sync"))
	m.Record(used("async"))
	complete(t, s, m, used("sync"))
	second := used("async")
	second.Attempt = 2
	complete(t, s, m, second)
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := total(t, m); got.Invocations != 3 || got.BilledMs != 30 {
		t.Errorf("counted %d invocations, %d ms", got.Invocations, got.BilledMs)
	}
}

// TestUndone: an asynchronous invocation whose transaction is undone is not billed.
func TestUndone(t *testing.T) {
	m, s := start(t)
	undo := errors.New("undo")
	err := s.Update(t.Context(), func(tx store.Tx) error { return errors.Join(m.RecordTx(tx, used("a")), undo) })
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	if got := total(t, m); got.Invocations != 0 {
		t.Errorf("counted %d invocations", got.Invocations)
	}
}

// TestRun: a record is on the bill soon, and what is recorded last is not lost.
func TestRun(t *testing.T) {
	m, s := start(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	begin := time.Now()
	m.Record(used("first"))
	complete(t, s, m, used("async"))
	for total(t, m).Invocations < 2 {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the record did not come")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("on the bill after %v", time.Since(begin))
	for len(keys(t, s, "new")) > 0 {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the new record was not added up")
		}
		time.Sleep(time.Millisecond)
	}
	for i := range 5000 {
		m.Record(used(fmt.Sprint(i)))
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := total(t, m).Invocations; got != 5002 {
		t.Errorf("counted %d invocations", got)
	}
}

// TestTogether: concurrent records, completions and readings of the bill.
func TestTogether(t *testing.T) {
	m, s := start(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 100 {
				m.Record(used(fmt.Sprint("sync", w, i)))
				complete(t, s, m, used(fmt.Sprint("async", w, i)))
				if i%20 == 0 {
					total(t, m)
				}
			}
		})
	}
	wg.Wait()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := total(t, m).Invocations; got != 1600 {
		t.Errorf("counted %d invocations", got)
	}
}

// TestCrash pulls the plug at random moments. Of asynchronous invocations exactly
// those that are done are billed; of synchronous ones none twice, and all that were
// recorded 100 ms before. Recording all of them again then makes them whole.
func TestCrash(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { crash(t, rand.New(rand.NewPCG(seed, 2))) })
	}
}

func crash(t *testing.T, rng *rand.Rand) {
	fs := vfs.NewCrashableMem()
	s := open(t, fs)
	m := meter(s)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	var mu sync.Mutex
	var recorded []string
	for w := range 4 {
		running.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("%d-%d", w, i)
				u := used("async" + id)
				err := s.Update(ctx, func(tx store.Tx) error { // its completion: the event is gone, and billed
					return errors.Join(tx.Set(store.Key("done", u.RequestID), nil), m.RecordTx(tx, u))
				})
				if err != nil {
					return
				}
				m.Record(used("sync" + id))
				mu.Lock()
				recorded = append(recorded, "sync"+id)
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Duration(30+rng.IntN(100)) * time.Millisecond) // when does not matter
	mu.Lock()
	flushed := recorded[:len(recorded):len(recorded)] // these are durable after Flush, later ones may be
	mu.Unlock()
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	stop()
	running.Wait()
	s.Close()

	s = open(t, after)
	defer s.Close()
	m = meter(s)
	done := len(keys(t, s, "done"))
	found := map[string]bool{}
	async := 0
	for _, id := range requests(t, m) {
		found[id] = true
		if strings.HasPrefix(id, "async") {
			async++
		}
	}
	if async != done {
		t.Errorf("%d asynchronous invocations are done, %d are billed", done, async)
	}
	for _, id := range flushed {
		if !found[id] {
			t.Errorf("the record of %s is lost", id)
		}
	}
	if got := total(t, m); got.Invocations != int64(len(found)) {
		t.Errorf("%d invocations on the bill, %d on record", got.Invocations, len(found))
	}
	for _, id := range recorded {
		m.Record(used(id))
	}
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Run(ended); err != nil {
		t.Fatal(err)
	}
	if got := total(t, m); got.Invocations != int64(len(recorded)+done) || got.BilledMs != 10*got.Invocations {
		t.Errorf("made whole: %d invocations, %d ms; want %d", got.Invocations, got.BilledMs, len(recorded)+done)
	}
}

// requests gives the request ids on record.
func requests(t *testing.T, m *bill.Meter) (ids []string) {
	t.Helper()
	for token := ""; ; {
		list, next, err := m.Invocations(t.Context(), hello, noon, 1000, token)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			ids = append(ids, i.RequestID)
		}
		if token = next; token == "" {
			return ids
		}
	}
}

// keys gives the keys of a room, or of one of the bill's kinds.
func keys(t *testing.T, s store.Store, kind string) (all []string) {
	t.Helper()
	prefix := store.Key(kind)
	if kind == "new" {
		prefix = store.Key("bill", kind)
	}
	err := s.View(t.Context(), func(r store.Reader) error {
		all = nil
		for p, err := range r.Scan(store.Prefix(prefix)) {
			if err != nil {
				return err
			}
			all = append(all, string(p.Key))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestKept: a record is there for a week, its sum for good.
func TestKept(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer s.Close()
	now := clock.NewManual(noon)
	m := bill.New(bill.Config{Store: s, Clock: now})
	m.Record(used("a"))
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		days, kept int
	}{{7, 1}, {2, 0}} {
		now.Advance(time.Duration(step.days) * 24 * time.Hour)
		runOnce(t, m)
		if got := len(requests(t, m)); got != step.kept {
			t.Errorf("%d days later %d records are kept, want %d", step.days, got, step.kept)
		}
	}
	if diff := cmp.Diff(int64(1), total(t, m).Invocations); diff != "" {
		t.Error(diff)
	}
}

// runOnce runs a meter until it has looked after its records.
func runOnce(t *testing.T, m *bill.Meter) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	if err := m.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkRecord(b *testing.B) {
	m, _ := start(b)
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	ids := make([]string, b.N)
	for i := range ids {
		ids[i] = fmt.Sprintf("%036d", i)
	}
	b.ResetTimer()
	for i := range b.N {
		m.Record(used(ids[i]))
		if i%10_000 == 9_999 {
			if err := m.Flush(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	stop()
	<-done
}
