package pebble_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

// TestCrash pulls the plug at random moments under load, on a file system that
// forgets what was not synced (or keeps some of it), and opens what is left.
func TestCrash(t *testing.T) {
	noLeaks(t)
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { crash(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

const crashWorkers = 8

func crash(t *testing.T, rng *rand.Rand) {
	fs := vfs.NewCrashableMem()
	s := open(t, pebble.Config{Dir: "data", FS: fs, Reserve: small})
	var mu sync.Mutex
	acked, shown := [crashWorkers]uint64{}, [crashWorkers]uint64{} // the newest counts
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range crashWorkers {
		wg.Go(func() {
			for ctx.Err() == nil {
				n, err := bump(ctx, s, w)
				mu.Lock()
				if err == nil {
					acked[w] = n
				}
				mu.Unlock()
			}
		})
		wg.Go(func() { // looks at another's count
			for ctx.Err() == nil {
				n, err := look(ctx, s, w)
				mu.Lock()
				if err == nil {
					shown[w] = max(shown[w], n)
				}
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Duration(20+rng.IntN(60)) * time.Millisecond) // when does not matter
	mu.Lock()
	before, seen := acked, shown // first what was promised, then the crash
	mu.Unlock()
	after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	cancel()
	wg.Wait()
	s.Close()

	s = open(t, pebble.Config{Dir: "data", FS: after, Reserve: small})
	defer s.Close()
	for w := range crashWorkers {
		n, err := look(t.Context(), s, w)
		if err != nil {
			t.Fatal(err)
		}
		if n < before[w] {
			t.Errorf("worker %d: %d acknowledged, %d found", w, before[w], n)
		}
		if n < seen[w] {
			t.Errorf("worker %d: %d was shown to a reader, %d found", w, seen[w], n)
		}
	}
	if _, err := bump(t.Context(), s, 0); err != nil {
		t.Errorf("Update after the crash: %v", err)
	}
}

// bump adds one to a worker's two counters, which are far apart, in one
// transaction. Now and then it also fills and clears a range.
func bump(ctx context.Context, s store.Store, w int) (n uint64, err error) {
	err = s.Update(ctx, func(tx store.Tx) error {
		a, err := tx.Get(store.Key("a", w))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		n = 1
		if err == nil {
			n = binary.BigEndian.Uint64(a) + 1
		}
		v := binary.BigEndian.AppendUint64(nil, n)
		if n%10 == 0 {
			if err := tx.DeleteRange(store.Key("fill", w), store.PrefixEnd(store.Key("fill", w))); err != nil {
				return err
			}
		}
		return errors.Join(tx.Set(store.Key("a", w), v), tx.Set(store.Key("fill", w, n%10), make([]byte, 100*w)),
			tx.Set(store.Key("z", w), v))
	})
	return n, err
}

// look gives a worker's count, and an error if its transactions are torn.
func look(ctx context.Context, s store.Store, w int) (uint64, error) {
	var n, m, fill uint64
	err := s.View(ctx, func(r store.Reader) error {
		for key, to := range map[string]*uint64{"a": &n, "z": &m} {
			v, err := r.Get(store.Key(key, w))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			*to = binary.BigEndian.Uint64(v)
		}
		for _, err := range r.Scan(store.Prefix(store.Key("fill", w))) {
			if err != nil {
				return err
			}
			fill++
		}
		return nil
	})
	wantFill := n%10 + 1
	if n < 10 {
		wantFill = n
	}
	if err == nil && (n != m || fill != wantFill) {
		err = fmt.Errorf("torn: counts %d and %d, %d pairs of fill", n, m, fill)
	}
	return n, err
}

// TestShownIsDurable: a reader that saw a commit before its sync waits for it;
// one that read something else does not.
func TestShownIsDurable(t *testing.T) {
	noLeaks(t)
	disk := &slowSync{FS: vfs.NewMem()}
	s := open(t, pebble.Config{Dir: "data", FS: disk, Reserve: small})
	defer s.Close()
	letSync := disk.hold()
	written := make(chan error, 1)
	go func() {
		written <- s.Update(context.Background(), func(tx store.Tx) error { return tx.Set([]byte("k"), []byte("v")) })
	}()
	get := func(ctx context.Context) (seen bool, err error) {
		err = s.View(ctx, func(r store.Reader) error {
			_, err := r.Get([]byte("k"))
			seen = err == nil
			return nil
		})
		return seen, err
	}
	for seen, waited := false, error(nil); !seen || waited == nil; {
		if seen {
			t.Fatal("View returned what was not durable")
		}
		soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		seen, waited = get(soon)
		cancel()
	}
	read := make(chan error, 1)
	go func() {
		_, err := get(context.Background())
		read <- err
	}()
	if err := s.View(t.Context(), func(r store.Reader) error { _, _ = r.Get([]byte("other")); return nil }); err != nil {
		t.Errorf("a reader of another key: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	scan := func(r store.Reader) error {
		for range r.Scan(store.Range{}) {
		}
		return nil
	}
	if err := s.View(short, scan); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a walk over an unsynced key = %v, want to wait", err)
	}
	select {
	case <-read:
		t.Error("View returned what was not durable")
	case <-written:
		t.Error("Update returned before its sync")
	default:
	}
	letSync()
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}
