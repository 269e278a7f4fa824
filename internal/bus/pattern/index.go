package pattern

import (
	"slices"
	"sync"
)

// Index finds which of many patterns match an event, at a cost that grows with what
// matches and not with how many there are. The zero value is an empty index. It is safe
// for concurrent use.
//
// It is a trie of fields. A branch of a pattern is a path through it: at a node, the
// edges of a field are its lists of conditions, each found by the values that could
// meet it (see keys.go), and the nodes below are about the next field. Fields that say
// most come first, so that few edges are followed in vain. A node keeps the branches
// that reach it whole until there are too many: most nodes would only hold one.
type Index[K comparable] struct {
	mu       sync.RWMutex
	patterns map[K]*Pattern
	paths    paths
	root     node[K]
}

// node is where branches are that agree in the fields so far.
type node[K comparable] struct {
	ends    []end[K] // branches that are not sent further
	split   bool     // the others are: below
	fields  map[*step]*tests[K]
	lacking map[*step]*tests[K] // those of fields that can match where there is no value
}

// end is a branch of a pattern, bound to the paths of the index.
type end[K comparable] struct {
	key  K
	rest branch // what is not tested on the way here
	all  branch
}

// maxEnds is how many unfinished branches a node keeps.
const maxEnds = 8

// Add puts a pattern under a key, in place of the one that was there.
func (x *Index[K]) Add(key K, p *Pattern) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(key)
	if x.patterns == nil {
		x.patterns = map[K]*Pattern{}
	}
	x.patterns[key] = p
	for _, b := range p.branches {
		bound := slices.Clone(b)
		for i := range bound {
			bound[i].at = x.paths.add(bound[i].steps)
		}
		x.root.add(end[K]{key, bound, bound})
	}
}

// Remove takes the pattern under a key away, if there is one.
func (x *Index[K]) Remove(key K) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(key)
}

func (x *Index[K]) remove(key K) {
	p := x.patterns[key]
	if p == nil {
		return
	}
	for _, b := range p.branches {
		bound := slices.Clone(b)
		for i := range bound {
			bound[i].at = x.paths.root.walk(bound[i].steps)
		}
		x.root.remove(key, bound)
	}
	for _, b := range p.branches {
		for i := range b {
			x.paths.remove(b[i].steps)
		}
	}
	delete(x.patterns, key)
}

// walk finds the step of a path that is there.
func (s *step) walk(names []string) *step {
	for _, name := range names {
		s = s.next[name]
	}
	return s
}

// Len is the number of patterns.
func (x *Index[K]) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.patterns)
}

// Match gives the keys of the patterns that match, each once, in no order.
func (x *Index[K]) Match(e Event) []K {
	x.mu.RLock()
	defer x.mu.RUnlock()
	m := matching[K]{in: e.read(&x.paths)}
	m.visit(&x.root)
	return m.keys
}

// matching is one walk of an event through an index.
type matching[K comparable] struct {
	in   *reading
	keys []K
	seen map[K]struct{} // of keys, once there are many
	buf  []byte
}

func (m *matching[K]) visit(n *node[K]) {
	for i := range n.ends {
		if n.ends[i].match(m.in) {
			m.report(n.ends[i].key)
		}
	}
	if len(n.fields) <= len(m.in.found) {
		for at, t := range n.fields {
			m.test(t, m.in.values(at))
		}
		return
	}
	for i := range m.in.found {
		if t := n.fields[m.in.found[i].at]; t != nil {
			m.test(t, m.in.found[i].values)
		}
	}
	for at, t := range n.lacking {
		if m.in.values(at) == nil {
			m.test(t, nil)
		}
	}
}

// match tests the fields that are left, and whether the places of all go together.
func (e *end[K]) match(in *reading) bool {
	for i := range e.rest {
		if !e.rest[i].match(in.values(e.rest[i].at)) {
			return false
		}
	}
	return !in.nested || len(e.all) < 2 || in.together(e.all)
}

// report keeps a key, once: branches of one pattern can all match.
func (m *matching[K]) report(key K) {
	const few = 16
	if m.seen == nil {
		if slices.Contains(m.keys, key) {
			return
		}
		if m.keys = append(m.keys, key); len(m.keys) == few {
			m.seen = make(map[K]struct{}, 4*few)
			for _, k := range m.keys {
				m.seen[k] = struct{}{}
			}
		}
		return
	}
	if _, ok := m.seen[key]; !ok {
		m.seen[key] = struct{}{}
		m.keys = append(m.keys, key)
	}
}
