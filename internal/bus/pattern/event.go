package pattern

import (
	"encoding/json"
	"errors"
	"strings"
)

// Event is what patterns are matched against: a JSON object. It keeps the bytes it was
// read from.
type Event struct{ json []byte }

// ErrNotObject says that an event is not a JSON object.
var ErrNotObject = errors.New("Event must be a JSON object")

// ReadEvent takes a JSON object as an event. The bytes must not change afterwards.
func ReadEvent(object []byte) (Event, error) {
	r := reader{b: object}
	if !json.Valid(object) || r.peek() != '{' {
		return Event{}, ErrNotObject
	}
	return Event{object}, nil
}

// paths is the names that somebody looks for: the rest of an event is passed over.
type paths struct{ root step }

// step is one name in paths.
type step struct {
	next map[string]*step
	uses int // of the path that ends here
}

// add counts one use of a path.
func (p *paths) add(names []string) *step {
	at := &p.root
	for _, name := range names {
		if at.next == nil {
			at.next = map[string]*step{}
		}
		below := at.next[name]
		if below == nil {
			below = &step{}
			at.next[name] = below
		}
		at = below
	}
	at.uses++
	return at
}

// remove takes one use of a path back, and what of it nobody uses.
func (p *paths) remove(names []string) {
	p.root.remove(names)
}

func (s *step) remove(names []string) {
	if len(names) == 0 {
		s.uses--
		return
	}
	below := s.next[names[0]]
	below.remove(names[1:])
	if below.uses == 0 && len(below.next) == 0 {
		delete(s.next, names[0])
	}
}

// member says in which element of an array, in which of the array around it, a leaf is.
type member struct {
	parent *member
	array  *step
	index  int
	depth  int // 1 for an array that is in none
}

// leaves are the values of one path.
type leaves struct {
	at     *step
	values []value
}

// reading is an event as far as paths lead.
type reading struct {
	found  []leaves
	place  map[*step]int // in found
	arrays map[arrayID]int
	nested bool // some value is inside an object in an array
}

// arrayID tells arrays apart: by where they are.
type arrayID struct {
	at *step
	in *member
}

// read goes over an event once and collects the values at the paths.
func (e Event) read(p *paths) *reading {
	in := &reading{place: map[*step]int{}}
	if len(p.root.next) > 0 && len(e.json) > 0 {
		r := reader{b: e.json}
		in.object(&r, &p.root, nil)
	}
	return in
}

func (in *reading) object(r *reader, at *step, m *member) {
	r.enter()
	for r.more() {
		start := r.i
		raw, escaped := r.str()
		var below *step
		if escaped {
			below = at.find(unquote(r.b[start:r.i]))
		} else if below = at.next[string(raw)]; below == nil && strings.IndexByte(string(raw), '.') >= 0 {
			below = at.find(string(raw))
		}
		if below == nil {
			r.skip()
			continue
		}
		in.value(r, below, m)
	}
}

// find follows a name, which may have dots.
func (s *step) find(name string) *step {
	for s != nil {
		first, rest, more := strings.Cut(name, ".")
		s = s.next[first]
		if !more {
			return s
		}
		name = rest
	}
	return nil
}

func (in *reading) value(r *reader, at *step, m *member) {
	switch r.peek() {
	case '{':
		if len(at.next) == 0 {
			r.skip()
			return
		}
		in.object(r, at, m)
	case '[':
		in.array(r, at, m)
	case '"':
		if at.uses == 0 {
			r.str()
			return
		}
		in.add(at, newText(r.text(), m))
	default:
		if raw := r.literal(); at.uses > 0 {
			in.add(at, newLiteral(raw, m))
		}
	}
}

func (in *reading) array(r *reader, at *step, m *member) {
	id := arrayID{at, m}
	index := in.arrays[id]
	depth := 1
	if m != nil {
		depth = m.depth + 1
	}
	r.enter()
	for r.more() {
		within := m // a plain value goes with every element
		if c := r.peek(); c == '{' || c == '[' {
			within = &member{parent: m, array: at, index: index, depth: depth}
		}
		in.value(r, at, within)
		index++
	}
	if in.arrays == nil {
		in.arrays = map[arrayID]int{}
	}
	in.arrays[id] = index
}

func (in *reading) add(at *step, v value) {
	i, ok := in.place[at]
	if !ok {
		i = len(in.found)
		in.place[at] = i
		in.found = append(in.found, leaves{at: at})
	}
	in.found[i].values = append(in.found[i].values, v)
	in.nested = in.nested || v.in != nil
}

// values gives those at a path.
func (in *reading) values(at *step) []value {
	if i, ok := in.place[at]; ok {
		return in.found[i].values
	}
	return nil
}
