package recall

import (
	"sync"
	"sync/atomic"
)

// Generation counts changes. What was read counts only for the generation it was
// read in, and every change begins another one before it is acknowledged. The zero
// value works; one that nobody ever changes makes a cache of what is never out of date.
type Generation struct{ n atomic.Uint64 }

// Forget begins another generation.
func (g *Generation) Forget() { g.n.Add(1) }

// Cache remembers what was read in the current generation. The zero value works. It is
// safe for concurrent use.
type Cache[K comparable, V any] struct {
	mu    sync.RWMutex
	known map[K]remembered[V]
	text  int // bytes of the keys that are texts
}

type remembered[V any] struct {
	generation uint64
	v          V
}

// Bounds of a cache, beyond which it starts anew: how many it remembers, and, for keys
// that are texts, such as documents, their bytes.
const (
	maxCached = 1 << 14
	maxText   = 32 << 20
)

// Get gives what is remembered of k, or reads it. An error is not remembered:
// strangers can ask for any key.
func (c *Cache[K, V]) Get(g *Generation, k K, read func() (V, error)) (V, error) {
	c.mu.RLock()
	r, ok := c.known[k]
	c.mu.RUnlock()
	now := g.n.Load() // before the read: a later change makes this entry stale
	if ok && r.generation == now {
		return r.v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxCached || c.text >= maxText {
		c.known, c.text = make(map[K]remembered[V]), 0
	}
	if text, ok := any(k).(string); ok {
		if _, known := c.known[k]; !known {
			c.text += len(text)
		}
	}
	c.known[k] = remembered[V]{now, v}
	return v, nil
}
