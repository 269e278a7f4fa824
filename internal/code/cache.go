package code

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

// Cache keeps packages unpacked on one node, one directory each, for sandboxes
// to mount. Its methods are safe for concurrent use.
//
//	DIR/BOOT/KEY.BYTES/   one package; BYTES is what it weighs
//	DIR/BOOT/tmp/         directories being made or removed
//
// A directory gets its name when it is complete, so a crash of the node leaves
// at worst something in tmp, which the next start removes. A crash of the
// machine may lose what was written but not synced, whatever its name says; so
// everything lies below the id of the machine's boot, and what is found of
// another boot is removed. Nothing is scanned at the start but one directory's
// names.
type Cache struct {
	blobs blob.Store
	path  string // DIR/BOOT
	root  *os.Root
	max   int64

	life context.Context // of unpacking; ends at Close
	end  context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	entries map[string]*cached
	lru     *list.List // of *cached that are ready; the front was used last
	bytes   int64      // of what is in lru
}

// cached is one directory, there or being made.
type cached struct {
	key   string
	ready chan struct{} // closed once dir or err is set
	err   error

	// Guarded by Cache.mu once ready.
	name  string // below Cache.path
	bytes int64
	refs  int
	at    *list.Element
}

// ErrClosed is what a closed Cache answers.
var ErrClosed = errors.New("code cache is closed")

// NewCache opens the cache in dir, making it if it is not there. Directories in
// use don't count as evictable, so maxBytes can be exceeded by them alone.
func NewCache(dir string, blobs blob.Store, maxBytes int64) (*Cache, error) {
	boot := bootID()
	path := filepath.Join(dir, boot)
	// Passable but not listable: sandboxes reach a directory by its name.
	if err := os.MkdirAll(path, 0o711); err != nil {
		return nil, fmt.Errorf("open code cache: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open code cache: %w", err)
	}
	c := &Cache{
		blobs: blobs, path: path, root: root, max: maxBytes,
		entries: map[string]*cached{}, lru: list.New(),
	}
	c.life, c.end = context.WithCancel(context.Background())
	if err := c.load(); err != nil {
		root.Close()
		return nil, err
	}
	c.work.Go(func() { removeOthers(dir, boot) })
	return c, nil
}

// Dir gives the unpacked package of a digest, unpacking it first if it isn't
// there; callers who ask at the same time share one unpacking. The directory
// stays until release is called, and is read-only
// by agreement. It returns blob.ErrNotFound for an unknown digest.
func (c *Cache) Dir(ctx context.Context, d blob.Digest) (dir string, release func(), err error) {
	return c.get(ctx, string(d), func(ctx context.Context, tmp string) (int64, error) {
		return c.unpackBlob(ctx, d, tmp)
	})
}

// Close waits for what is being unpacked or removed. Directories given out stay.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.work.Wait()
	return c.root.Close()
}

// get finds or makes the directory of a key and counts its use.
func (c *Cache) get(ctx context.Context, key string, fill filler) (string, func(), error) {
	c.mu.Lock()
	if c.life.Err() != nil {
		c.mu.Unlock()
		return "", nil, ErrClosed
	}
	e, ok := c.entries[key]
	if !ok {
		e = &cached{key: key, ready: make(chan struct{})}
		c.entries[key] = e
		c.work.Go(func() { c.produce(e, fill) })
	}
	e.refs++ // before the wait, so that nobody evicts it under us
	c.mu.Unlock()

	select {
	case <-e.ready:
	case <-ctx.Done():
		c.release(e)
		return "", nil, fmt.Errorf("wait for code: %w", ctx.Err())
	}
	if e.err != nil {
		c.release(e)
		return "", nil, e.err
	}
	c.mu.Lock()
	c.lru.MoveToFront(e.at)
	c.mu.Unlock()
	return filepath.Join(c.path, e.name), sync.OnceFunc(func() { c.release(e) }), nil
}

// produce fills an entry. It runs under the cache's own context: the caller who
// asked first may leave while others wait.
func (c *Cache) produce(e *cached, fill filler) {
	name, bytes, err := c.build(e.key, fill)
	c.mu.Lock()
	defer c.evict()
	defer c.mu.Unlock()
	defer close(e.ready)
	if err != nil {
		e.err = err
		delete(c.entries, e.key) // the next caller tries anew
		return
	}
	c.add(e, name, bytes)
}

// add puts a complete directory in order of use. c.mu is held.
func (c *Cache) add(e *cached, name string, bytes int64) {
	e.name, e.bytes = name, bytes
	e.at = c.lru.PushFront(e)
	c.bytes += bytes
}

func (c *Cache) release(e *cached) {
	c.mu.Lock()
	e.refs--
	over := e.refs == 0 && c.bytes > c.max
	c.mu.Unlock()
	if over {
		c.evict()
	}
}

// evict takes away what was not used for longest until the rest fits. Each goes
// to tmp while the lock is held, so that nobody meets a half-removed directory,
// and is removed without it.
func (c *Cache) evict() {
	var gone []string
	c.mu.Lock()
	for at := c.lru.Back(); at != nil && c.bytes > c.max; {
		e := at.Value.(*cached)
		at = at.Prev()
		if e.refs > 0 {
			continue
		}
		trash := tmpName()
		if err := c.root.Rename(e.name, trash); err != nil {
			continue // stays, and is tried again at the next release
		}
		gone = append(gone, trash)
		c.lru.Remove(e.at)
		delete(c.entries, e.key)
		c.bytes -= e.bytes
	}
	c.mu.Unlock()
	for _, trash := range gone {
		c.root.RemoveAll(trash) // what can't be removed now goes at the next start
	}
}

func tmpName() string { return tmpDir + "/" + id.Hex(12) }
