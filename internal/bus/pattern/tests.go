package pattern

import (
	"encoding/binary"
	"iter"
	"slices"
)

// tests is the edges of one field of a node.
type tests[K comparable] struct {
	edges  map[string]*edge[K]   // by their list of conditions
	byKey  map[string][]*edge[K] // those a value of that key could meet
	sizes  sizes                 // of the keys that are texts' parts
	anyway []*edge[K]            // those that any value could meet
	lack   int                   // how many are met where there is no value
}

// edge is a list of conditions of a field, and the node where it leads.
type edge[K comparable] struct {
	field field
	uses  int
	to    node[K]
}

// add sends a branch on until it ends or a node has room for it.
func (n *node[K]) add(e end[K]) {
	if len(e.rest) == 0 || !n.split && len(n.ends) < maxEnds {
		n.ends = append(n.ends, e)
		return
	}
	if !n.split {
		n.split = true
		kept := n.ends
		n.ends = nil
		for _, k := range kept {
			n.add(k)
		}
	}
	n.edge(&e.rest[0]).to.add(end[K]{e.key, e.rest[1:], e.all})
}

// edge gives the edge of a field, and counts a use of it.
func (n *node[K]) edge(f *field) *edge[K] {
	if n.fields == nil {
		n.fields = map[*step]*tests[K]{}
	}
	t := n.fields[f.at]
	if t == nil {
		t = &tests[K]{edges: map[string]*edge[K]{}, byKey: map[string][]*edge[K]{}}
		n.fields[f.at] = t
	}
	name := f.canonical()
	e := t.edges[name]
	if e == nil {
		e = &edge[K]{field: *f}
		t.edges[name] = e
		t.enter(e)
	}
	if e.uses++; t.lack > 0 {
		if n.lacking == nil {
			n.lacking = map[*step]*tests[K]{}
		}
		n.lacking[f.at] = t
	}
	return e
}

// remove takes a branch away that add has put here.
func (n *node[K]) remove(key K, rest branch) {
	if len(rest) == 0 || !n.split {
		if i := slices.IndexFunc(n.ends, func(e end[K]) bool { return e.key == key && len(e.rest) == len(rest) && e.rest.same(rest) }); i >= 0 {
			n.ends = slices.Delete(n.ends, i, i+1)
		}
		return
	}
	t := n.fields[rest[0].at]
	name := rest[0].canonical()
	e := t.edges[name]
	e.to.remove(key, rest[1:])
	if e.uses--; e.uses == 0 {
		delete(t.edges, name)
		if t.leave(e); t.lack == 0 {
			delete(n.lacking, rest[0].at)
		}
		if len(t.edges) == 0 {
			delete(n.fields, rest[0].at)
		}
	}
}

// same says whether two branches have the same fields.
func (b branch) same(c branch) bool {
	return slices.EqualFunc(b, c, func(x, y field) bool { return x.at == y.at && x.canonical() == y.canonical() })
}

// canonical names a list of conditions: equal lists have equal names.
func (f *field) canonical() string {
	var b []byte
	for i := range f.conditions {
		c := &f.conditions[i]
		b = append(b, byte(c.kind))
		b = appendText(b, c.text)
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(c.lo)), uint64(c.hi))
		b = binary.AppendUvarint(b, uint64(len(c.texts)))
		for _, s := range c.texts {
			b = appendText(b, s)
		}
		b = binary.AppendUvarint(b, uint64(len(c.numbers)))
		for _, n := range c.numbers {
			b = binary.BigEndian.AppendUint64(b, uint64(n))
		}
	}
	return string(b)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// enter makes an edge found by what its conditions look for.
func (t *tests[K]) enter(e *edge[K]) {
	for i := range e.field.conditions {
		c := &e.field.conditions[i]
		switch keys := c.keys(); {
		case c.kind == absent:
			t.lack++
		case keys == nil:
			t.anyway = append(t.anyway, e)
		default:
			for _, k := range keys {
				t.byKey[k] = append(t.byKey[k], e)
				t.sizes.count(k, 1)
			}
		}
	}
}

// leave undoes enter.
func (t *tests[K]) leave(e *edge[K]) {
	drop := func(list []*edge[K]) []*edge[K] {
		i := slices.Index(list, e)
		list[i] = list[len(list)-1]
		list[len(list)-1] = nil
		return list[:len(list)-1]
	}
	for i := range e.field.conditions {
		c := &e.field.conditions[i]
		switch keys := c.keys(); {
		case c.kind == absent:
			t.lack--
		case keys == nil:
			t.anyway = drop(t.anyway)
		default:
			for _, k := range keys {
				if t.byKey[k] = drop(t.byKey[k]); len(t.byKey[k]) == 0 {
					delete(t.byKey, k)
				}
				t.sizes.count(k, -1)
			}
		}
	}
}

// test follows the edges of a field that the values meet, each once.
func (m *matching[K]) test(t *tests[K], values []value) {
	if len(values) == 0 {
		if t.lack == 0 {
			return
		}
		for _, e := range t.edges {
			if e.field.match(nil) {
				m.visit(&e.to)
			}
		}
		return
	}
	if len(t.edges) == 1 { // not worth the search
		for _, e := range t.edges {
			if e.field.match(values) {
				m.visit(&e.to)
			}
		}
		return
	}
	var followed []*edge[K]
	var many map[*edge[K]]struct{}
	for i := range values {
		v := &values[i]
		for e := range m.candidates(t, v) {
			if _, again := many[e]; again || slices.Contains(followed, e) || !e.meets(v) {
				continue
			}
			if followed = append(followed, e); len(followed) > 16 {
				if many == nil {
					many = map[*edge[K]]struct{}{}
				}
				for _, f := range followed {
					many[f] = struct{}{}
				}
				followed = followed[:0]
			}
			m.visit(&e.to)
		}
	}
}

// take gives the buffer away until it is put back.
func (m *matching[K]) take() []byte {
	buf := m.buf
	m.buf = nil
	return buf
}

func (e *edge[K]) meets(v *value) bool {
	for i := range e.field.conditions {
		if e.field.conditions[i].match(v) {
			return true
		}
	}
	return false
}

// candidates gives the edges that a value could meet, some more than once.
func (m *matching[K]) candidates(t *tests[K], v *value) iter.Seq[*edge[K]] {
	return func(yield func(*edge[K]) bool) {
		for _, e := range t.anyway {
			if !yield(e) {
				return
			}
		}
		if len(t.byKey) == 0 {
			return
		}
		for key := range v.keys(&t.sizes, m.take()) {
			for _, e := range t.byKey[string(key)] {
				if !yield(e) {
					return
				}
			}
			m.buf = key[:0] // visits in between have taken others
		}
	}
}
