package auth

import "sync"

// cache is a bounded map in two generations: when the young one is full it becomes
// the old one and the old one is dropped, so what is used stays and what is not
// goes within one turn. At most twice cap entries are held.
type cache[K comparable, V any] struct {
	cap int

	mu         sync.RWMutex
	young, old map[K]V
}

func newCache[K comparable, V any](cap int) *cache[K, V] {
	return &cache[K, V]{cap: cap, young: make(map[K]V)}
}

func (c *cache[K, V]) get(k K) (V, bool) {
	c.mu.RLock()
	v, ok := c.young[k]
	if ok {
		c.mu.RUnlock()
		return v, true
	}
	v, ok = c.old[k]
	c.mu.RUnlock()
	if ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.cap {
		c.young, c.old = make(map[K]V), c.young
	}
	c.young[k] = v
}

func (c *cache[K, V]) drop(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, k)
	delete(c.old, k)
}
