package pebble_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

// TestFull fills a small disk: new data is refused, all that was acknowledged
// stays, deletes and reads go on, and with space again so do writes.
func TestFull(t *testing.T) {
	noLeaks(t)
	const disk, value, reserve = 8 << 20, 64 << 10, 2 << 20
	fs := vfs.NewCrashableMem()
	d := newSmallDisk(fs, disk)
	cfg := pebble.Config{Dir: "data", FS: d, Reserve: reserve}
	s := open(t, cfg)
	var mu sync.Mutex
	acked := map[int]bool{}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; ; i += 4 {
				err := s.Update(t.Context(), put(i, value))
				if errors.Is(err, store.ErrFull) {
					return
				}
				if err != nil || i > 4*disk/value {
					t.Errorf("write %d: %v", i, err)
					return
				}
				mu.Lock()
				acked[i] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	holds(t, s, acked)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(store.Key("k", 0)) }); err != nil {
		t.Errorf("a delete on the full disk: %v", err)
	}
	delete(acked, 0)

	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	after := open(t, pebble.Config{Dir: "data", FS: crashed, Reserve: reserve})
	holds(t, after, acked)
	after.Close()

	d.setLimit(4 * disk)
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := s.Update(t.Context(), put(1<<20, value))
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrFull) || time.Now().After(deadline) {
			t.Fatalf("with space again: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	acked[1<<20] = true
	holds(t, s, acked)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	defer s.Close()
	holds(t, s, acked)
}

// TestFullAtOpen: a node on a full disk says so; with space it finds everything.
func TestFullAtOpen(t *testing.T) {
	noLeaks(t)
	d := newSmallDisk(vfs.NewMem(), 16<<20)
	cfg := pebble.Config{Dir: "data", FS: d, Reserve: small, Fatal: func(error) {}}
	s := open(t, cfg)
	if err := s.Update(t.Context(), put(1, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove("data/RESERVE"); err != nil {
		t.Fatal(err)
	}
	d.setLimit(0)
	if s, err := pebble.Open(t.Context(), cfg); err == nil {
		s.Close()
		t.Error("opened without any space")
	} else if !errors.Is(err, store.ErrFull) {
		t.Errorf("Open = %v, want ErrFull", err)
	}
	d.setLimit(16 << 20)
	s = open(t, cfg)
	defer s.Close()
	holds(t, s, map[int]bool{1: true})
}

// TestBrokenLog: once a sync of the log has failed nothing is acknowledged, what
// was before can be read, and the node is told to end. The engine cannot be
// closed after that, so this test leaves its goroutines behind.
func TestBrokenLog(t *testing.T) {
	mem := vfs.NewCrashableMem()
	broken := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			return errors.New("the disk is gone")
		}
		return nil
	})}
	told := make(chan error, 100)
	s := open(t, pebble.Config{Dir: "data", FS: errorfs.Wrap(mem, broken), Reserve: small, Fatal: func(err error) { told <- err }})
	if err := s.Update(t.Context(), put(1, 10)); err != nil {
		t.Fatal(err)
	}
	broken.On()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := s.Update(context.Background(), put(2+i, 10)); err == nil {
				t.Errorf("write %d was acknowledged without a sync", i)
			}
		})
	}
	wg.Wait()
	if err := <-told; err == nil {
		t.Error("nobody was told")
	}
	holds(t, s, map[int]bool{1: true})
	err := s.View(t.Context(), func(r store.Reader) error {
		_, err := r.Get(store.Key("k", 2))
		return err
	})
	if err == nil {
		t.Error("a reader was shown what may not be durable")
	}
	s.Close()
	after := open(t, pebble.Config{Dir: "data", FS: mem.CrashClone(vfs.CrashCloneCfg{}), Reserve: small})
	defer after.Close()
	holds(t, after, map[int]bool{1: true})
}

func put(i, size int) func(store.Tx) error {
	return func(tx store.Tx) error {
		v := make([]byte, size)
		rand.NewChaCha8([32]byte{byte(i)}).Read(v) // cannot be compressed
		return tx.Set(store.Key("k", i), v)
	}
}

// holds checks that every acknowledged value is there, whole.
func holds(t *testing.T, s store.Store, acked map[int]bool) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) error {
		for i := range acked {
			v, err := r.Get(store.Key("k", i))
			if err != nil {
				return fmt.Errorf("value %d: %w", i, err)
			}
			want := make([]byte, len(v))
			if rand.NewChaCha8([32]byte{byte(i)}).Read(want); string(v) != string(want) {
				return fmt.Errorf("value %d is damaged", i)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
