package iam

import (
	"sync"
	"sync/atomic"
)

// generation counts changes. What was read counts only for the generation it was
// read in.
type generation struct{ n atomic.Uint64 }

func (g *generation) forget()     { g.n.Add(1) }
func (g *generation) now() uint64 { return g.n.Load() }

// cache remembers what was read in one generation. The zero value works.
type cache[K comparable, V any] struct {
	mu    sync.RWMutex
	known map[K]remembered[V]
}

type remembered[V any] struct {
	generation uint64
	v          V
}

// maxCached bounds a cache; beyond it starts anew.
const maxCached = 1 << 14

// get gives what is remembered of k, or reads it. An error is not remembered:
// strangers can ask for any key.
func (c *cache[K, V]) get(generation uint64, k K, read func() (V, error)) (V, error) {
	c.mu.RLock()
	r, ok := c.known[k]
	c.mu.RUnlock()
	if ok && r.generation == generation {
		return r.v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxCached {
		c.known = make(map[K]remembered[V])
	}
	c.known[k] = remembered[V]{generation, v}
	return v, nil
}
