package pebble

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	reserveDefault = 32 << 20
	reserveRetry   = time.Second           // between attempts to find space again
	fullPause      = 50 * time.Millisecond // slows the engine's retries down
)

// reserve is a file that holds disk space back. When a write of the engine
// finds the disk full, the file is removed and the write tried again, so the
// engine, which could not survive a failed write of its log, does not notice.
// From then on the store takes only deletes, until there is room for the file
// again.
type reserve struct {
	fs   vfs.FS // below the one that reports a full disk
	dir  string
	size int64
	log  *slog.Logger

	full atomic.Bool
	mu   sync.Mutex // over the file
	next time.Time  // of the next attempt to fill
}

func newReserve(cfg Config) *reserve {
	r := &reserve{fs: cfg.FS, dir: cfg.Dir, size: cfg.Reserve, log: cfg.Log}
	if r.size == 0 {
		r.size = reserveDefault
	}
	return r
}

func (r *reserve) path() string { return r.fs.PathJoin(r.dir, "RESERVE") }

func (r *reserve) isFull() bool { return r.full.Load() }

// release gives the space back. The engine's file system calls it when a write
// has found the disk full.
func (r *reserve) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full.Swap(true) {
		time.Sleep(fullPause)
		return
	}
	r.next = time.Now().Add(reserveRetry)
	if err := r.fs.Remove(r.path()); err != nil {
		r.log.Error("the disk is full, and its reserve could not be freed", "dir", r.dir, "err", err)
		return
	}
	r.log.Error("the disk is full: the store takes no new data until there is space", "dir", r.dir)
}

// prepare makes sure that there is space to open: the engine cannot recover
// without. If need be it gives the reserve's own.
func (r *reserve) prepare() error {
	u, err := r.fs.GetDiskUsage(r.dir)
	if err != nil || u.AvailBytes >= uint64(r.size) {
		return nil // unknown (a file system without the call) is taken for enough
	}
	r.fs.Remove(r.path()) // it may not be there; what counts is what is free now
	if u, err = r.fs.GetDiskUsage(r.dir); err == nil && u.AvailBytes < uint64(r.size)/2 {
		return fmt.Errorf("%w: %d bytes are free, %d are wanted", store.ErrFull, u.AvailBytes, r.size/2)
	}
	return nil
}

// restore says whether there is space, looking for it now and then if not.
func (r *reserve) restore() bool {
	if !r.full.Load() {
		return true
	}
	r.mu.Lock()
	due := !time.Now().Before(r.next)
	if due {
		r.next = time.Now().Add(reserveRetry)
	}
	r.mu.Unlock()
	return due && r.fill()
}

// fill writes the file if it is not there, and says whether the store may grow.
func (r *reserve) fill() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if st, err := r.fs.Stat(r.path()); err == nil && st.Size() == r.size {
		r.full.Store(false)
		return true
	}
	if err := r.write(); err != nil {
		if r.fs.Remove(r.path()); !r.full.Swap(true) {
			r.log.Error("no space for the store's reserve: it takes no new data until there is", "dir", r.dir, "err", err)
		}
		return false
	}
	if r.full.Swap(false) {
		r.log.Info("there is space again: the store takes new data", "dir", r.dir)
	}
	return true
}

// write fills the file with noise, which no file system can make smaller. It
// need not be synced: blocks are taken when they are written.
func (r *reserve) write() error {
	u, err := r.fs.GetDiskUsage(r.dir)
	if err == nil && u.AvailBytes < 2*uint64(r.size) {
		return fmt.Errorf("%d bytes are free, %d are wanted", u.AvailBytes, 2*r.size)
	}
	f, err := r.fs.Create(r.path(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	noise := rand.NewChaCha8([32]byte{1})
	if _, err := io.CopyBuffer(onlyWriter{f}, io.LimitReader(noise, r.size), make([]byte, 1<<20)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// onlyWriter hides everything else, so that io.CopyBuffer uses its buffer.
type onlyWriter struct{ io.Writer }
