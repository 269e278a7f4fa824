package pebble_test

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

// BenchmarkUpdate writes 1 KiB values, each durable before the next of its
// writer. Beside it stands what the disk can do: one synced append of as much.
func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, pebble.Config{Dir: b.TempDir(), Reserve: small})
			defer s.Close()
			value := make([]byte, 1024)
			var n atomic.Int64
			b.SetBytes(int64(len(value)))
			b.ResetTimer()
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						err := s.Update(b.Context(), func(tx store.Tx) error { return tx.Set(store.Key("bench", int(i)), value) })
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

// BenchmarkContended increments one counter from many goroutines.
func BenchmarkContended(b *testing.B) {
	s := open(b, pebble.Config{Dir: b.TempDir(), Reserve: small})
	defer s.Close()
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			err := s.Update(b.Context(), func(tx store.Tx) error {
				v, _ := tx.Get([]byte("n"))
				return tx.Set([]byte("n"), append(v[:0:0], v...))
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

// BenchmarkView reads one of 10,000 keys.
func BenchmarkView(b *testing.B) {
	s := open(b, pebble.Config{Dir: b.TempDir(), Reserve: small})
	defer s.Close()
	err := s.Update(b.Context(), func(tx store.Tx) error {
		for i := range 10_000 {
			if err := tx.Set(store.Key("bench", i), make([]byte, 1024)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(p *testing.PB) {
		for i := 0; p.Next(); i++ {
			if err := s.View(b.Context(), func(r store.Reader) error { _, err := r.Get(store.Key("bench", i%10_000)); return err }); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkSync is the physical limit of one writer: a synced append of 1 KiB.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(b.TempDir() + "/f")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for b.Loop() {
		if _, err := f.Write(make([]byte, 1024)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a store of 50,000 keys that was closed, and one that was
// left as kill -9 leaves it, with 16 MiB in its log.
func BenchmarkOpen(b *testing.B) {
	fill := func(dir string) *pebble.Store {
		s := open(b, pebble.Config{Dir: dir, Reserve: small})
		for batch := range 50 {
			err := s.Update(b.Context(), func(tx store.Tx) error {
				for i := range 1000 {
					if err := tx.Set(store.Key("bench", batch, i), make([]byte, 300)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		return s
	}
	b.Run("closed", func(b *testing.B) {
		dir := b.TempDir()
		fill(dir).Close()
		for b.Loop() {
			start := time.Now()
			s := open(b, pebble.Config{Dir: dir, Reserve: small})
			b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "last-ms")
			s.Close()
		}
	})
	b.Run("killed", func(b *testing.B) {
		live := b.TempDir()
		s := fill(live)
		defer s.Close()
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			if err := os.CopyFS(dir+"/copy", os.DirFS(live)); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			s := open(b, pebble.Config{Dir: dir + "/copy", Reserve: small})
			b.StopTimer()
			s.Close()
			b.StartTimer()
		}
	})
}
