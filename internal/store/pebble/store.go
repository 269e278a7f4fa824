package pebble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	engine "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// Config says where a store is and how much it may use.
type Config struct {
	// Dir is the store's folder, made with mode 0700 if it is not there.
	Dir string
	// FS is the file system that Dir is in; nil is the operating system's.
	FS vfs.FS
	// Log takes the engine's messages: debug, but for what needs a person. Nil
	// drops them.
	Log *slog.Logger
	// Reserve is the size in bytes of a file that holds disk space back, so that
	// there is room to go on when the disk is full. 0 is 32 MiB.
	Reserve int64
	// Fatal is called when the engine can write no more (a failed sync, a lost
	// disk). The node should end: a restart recovers all that was acknowledged.
	// It may be called more than once. Nil writes to Log and ends the process.
	Fatal func(error)
}

const (
	memTable   = 16 << 20 // allocated as it fills, from 256 KiB
	blockCache = 16 << 20
	openFiles  = 512
	// attempts is how often Update runs its function before it gives up;
	// patience is how many of these run at once with everybody else's.
	attempts = 64
	patience = 2
)

// Store is a store.Store in a folder.
type Store struct {
	db       *engine.DB
	lock     *engine.Lock
	fatal    func(error)
	reserve  *reserve
	history  history
	watchers driver.Watchers

	order  sync.Mutex // held from a commit's check until it is applied
	broken error      // under order: why nothing can be committed any more

	lines *driver.Lines
	gate  driver.Gate
}

var _ store.Store = (*Store)(nil)

// Open opens the store in cfg.Dir, or makes one there. It fails if another
// process, or another Store of this one, has it open. What a crash left behind
// is recovered: every acknowledged transaction is there.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if cfg.FS == nil {
		cfg.FS = vfs.Default
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Fatal == nil {
		cfg.Fatal = func(err error) {
			cfg.Log.Error("the store cannot go on; start the node again to recover", "err", err)
			os.Exit(1)
		}
	}
	if err := cfg.FS.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make store folder: %w", err)
	}
	lock, err := engine.LockDirectory(cfg.Dir, cfg.FS)
	if err != nil {
		return nil, lockError(cfg.Dir, err)
	}
	s := &Store{lock: lock, fatal: cfg.Fatal, lines: driver.NewLines()}
	s.reserve = newReserve(cfg)
	if err = s.reserve.prepare(); err == nil {
		s.db, err = engine.Open(cfg.Dir, s.options(cfg))
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("open store %s: %w", cfg.Dir, fullError(err))
	}
	s.reserve.fill()
	return s, nil
}

func (s *Store) options(cfg Config) *engine.Options {
	o := &engine.Options{
		FS:                 vfs.OnDiskFull(cfg.FS, s.reserve.release),
		Lock:               s.lock,
		FormatMajorVersion: engine.FormatNewest,
		CacheSize:          blockCache,
		MemTableSize:       memTable,
		MaxOpenFiles:       openFiles,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	l := logger{log: cfg.Log, fatal: cfg.Fatal}
	o.Logger = l
	o.EventListener = l.events()
	return o
}

// lockError tells a folder that cannot be written from one that is in use: the
// former fails when the lock's file is made.
func lockError(dir string, err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("lock store %s: %w", dir, fullError(err))
	}
	return fmt.Errorf("another node is using %s: stop it, or choose another folder (%w)", dir, err)
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	r := &reader{snap: s.db.NewSnapshot(), writes: &driver.Writes{}}
	unsynced := s.history.unsyncedNow() // all that the snapshot shows are among them
	if len(unsynced) > 0 {
		r.seen = &footprint{}
	}
	err := func() error {
		defer r.snap.Close()
		return fn(r)
	}()
	if waitErr := settle(ctx, unsynced, r.seen); waitErr != nil {
		return waitErr
	}
	return err
}

// settle waits until those of the commits whose writes were seen are durable.
func settle(ctx context.Context, commits []*commit, seen *footprint) error {
	for _, c := range commits {
		if _, hit := seen.touchedBy(c); !hit {
			continue
		}
		select {
		case <-c.synced:
		case <-ctx.Done():
			return ctx.Err()
		}
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	var place driver.Place
	defer place.Leave()
	for n := 1; n <= attempts; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := s.try(ctx, fn)
		c, again := errors.AsType[*conflict](err)
		if !again {
			if err != nil || p == nil {
				return err
			}
			place.Leave() // the next in line need not wait for our sync
			return s.sync(p)
		}
		if n < patience {
			continue
		}
		if err := s.lines.Join(ctx, &place, c.key); err != nil {
			return err
		}
		if n > 4*patience {
			time.Sleep(rand.N(time.Duration(n) * 100 * time.Microsecond)) // at most 6.4 ms
		}
	}
	return store.ErrConflict
}

// Watch implements store.Store.
func (s *Store) Watch(prefix []byte) (<-chan struct{}, func()) { return s.watchers.Add(prefix) }

// Close implements store.Store. Closing again returns store.ErrClosed.
func (s *Store) Close() error {
	if err := s.gate.Shut(); err != nil {
		return err
	}
	s.order.Lock()
	defer s.order.Unlock()
	if s.broken != nil {
		// The engine holds locks it will never give back; the process must end.
		return errors.Join(s.broken, s.lock.Close())
	}
	flushErr := s.flush()
	return errors.Join(flushErr, s.db.Close(), s.lock.Close())
}

// flush writes what is only in the log into tables, so that the next Open has
// nothing to replay. A full disk is no error: the log still has everything.
func (s *Store) flush() error {
	if s.reserve.isFull() || s.db.Metrics().MemTable.Size == 0 {
		return nil
	}
	done, err := s.db.AsyncFlush()
	if err != nil {
		return fmt.Errorf("flush store: %w", err)
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second): // a slow disk: the log will be replayed
	}
	return nil
}
