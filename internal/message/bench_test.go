package message_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

func disk(b *testing.B) *message.Engine {
	b.Helper()
	s, err := pebble.Open(b.Context(), pebble.Config{Dir: b.TempDir(), Reserve: 64 << 10})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return open(b, s, clock.System)
}

// BenchmarkMessage sends, receives and deletes messages of 1 KiB, every step durable
// before the next of its worker, over one queue and over many.
func BenchmarkMessage(b *testing.B) {
	for _, workers := range []int{1, 64} {
		for _, queues := range []int{1, 1000} {
			b.Run(fmt.Sprintf("workers=%d/queues=%d", workers, queues), func(b *testing.B) { cycle(b, workers, queues) })
		}
	}
}

func cycle(b *testing.B, workers, queues int) {
	e := disk(b)
	list := make([]message.QueueID, queues)
	err := e.Update(b.Context(), func(tx *message.Tx) (err error) {
		for i := range list {
			if list[i], err = tx.Create(message.Settings{Retention: time.Hour, MaxInFlight: 120_000}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 1024)
	var n, empty atomic.Int64
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
				q := list[(int(i)*13+w)%queues]
				got, err := one(b.Context(), e, q, body)
				if err != nil {
					b.Error(err)
					return
				}
				if !got {
					empty.Add(1)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(empty.Load()), "empty")
}

func one(ctx context.Context, e *message.Engine, q message.QueueID, body []byte) (bool, error) {
	if _, err := e.Send(ctx, q, message.Draft{Body: body}); err != nil {
		return false, err
	}
	list, err := e.Receive(ctx, q, message.Ask{Max: 1, Hide: time.Minute, Wait: time.Second})
	if err != nil || len(list) == 0 {
		return false, err
	}
	_, err = e.Delete(ctx, list[0].Receipt)
	return true, err
}

// BenchmarkWake is how long after a send's acknowledgement the receiver that waited
// has its message, the lease durable.
func BenchmarkWake(b *testing.B) {
	e := disk(b)
	q := queue(b, e, message.Settings{})
	var total time.Duration
	for range b.N {
		got := make(chan time.Time, 1)
		go func() {
			list, err := e.Receive(b.Context(), q, message.Ask{Max: 1, Hide: time.Minute, Wait: 5 * time.Second})
			got <- time.Now()
			if err != nil || len(list) != 1 {
				b.Error(len(list), err)
			}
		}()
		time.Sleep(time.Millisecond) // so that it waits
		if _, err := e.Send(b.Context(), q, message.Draft{Body: []byte("x")}); err != nil {
			b.Fatal(err)
		}
		sent := time.Now()
		total += (<-got).Sub(sent)
	}
	b.ReportMetric(float64(total.Microseconds())/float64(b.N), "us-to-receive")
}

// BenchmarkIdle is what ten thousand queues cost that nobody uses.
func BenchmarkIdle(b *testing.B) {
	for range b.N {
		e := disk(b)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range 100 {
			err := e.Update(b.Context(), func(tx *message.Tx) error {
				for range 100 {
					if _, err := tx.Create(message.Settings{Retention: time.Hour}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/(1<<20), "MiB")
	}
}
