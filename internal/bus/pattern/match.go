package pattern

// Match says whether an event is one that the pattern means.
func (p *Pattern) Match(e Event) bool {
	in := e.read(&p.own)
	for _, b := range p.branches {
		if in.match(b) {
			return true
		}
	}
	return false
}

// match says whether all fields of a branch match, in elements of arrays that go
// together.
func (in *reading) match(b branch) bool {
	for i := range b {
		if !b[i].match(in.values(b[i].at)) {
			return false
		}
	}
	return !in.nested || len(b) < 2 || in.together(b)
}

// match says whether the values of a path meet one of the field's conditions.
func (f *field) match(values []value) bool {
	for i := range f.conditions {
		c := &f.conditions[i]
		if c.kind == absent && len(values) == 0 {
			return true
		}
		for j := range values {
			if c.match(&values[j]) {
				return true
			}
		}
	}
	return false
}

// link is a step of a member, from the outside in.
type link struct {
	array arrayID
	index int
}

// together says whether values that meet the fields can be chosen so that no two are in
// different elements of one array.
func (in *reading) together(b branch) bool {
	var open [][][]link // for each field that is only in arrays, where
	for i := range b {
		values := in.values(b[i].at)
		if len(values) == 0 {
			continue // absent, as it should be
		}
		var places [][]link
		free := false
		for j := range values {
			v := &values[j]
			one := [1]value{*v}
			if free = b[i].match(one[:]) && v.in == nil; free {
				break
			}
			if b[i].match(one[:]) {
				places = append(places, v.in.links())
			}
		}
		if !free {
			open = append(open, places)
		}
	}
	return agree(open, 0)
}

func (m *member) links() []link {
	list := make([]link, m.depth)
	for ; m != nil; m = m.parent {
		list[m.depth-1] = link{arrayID{m.array, m.parent}, m.index}
	}
	return list
}

// agree looks for one place per field so that all agree on the element of every array
// they share. All places agree on their first depth links. Fields in different arrays
// don't concern each other, and those in one must all be in one of its elements, so
// that each place is looked at once per depth.
func agree(fields [][][]link, depth int) bool {
	byArray := map[arrayID][][][]link{}
	for _, places := range fields {
		free := false
		for _, p := range places {
			free = free || len(p) == depth
		}
		if !free {
			// A path leads to one array, unless an object has a name twice.
			first := places[0][depth].array
			byArray[first] = append(byArray[first], places)
		}
	}
	for array, group := range byArray {
		if len(group) > 1 && !agreeWithin(group, array, depth) {
			return false
		}
	}
	return true
}

// agreeWithin looks for an element of the array in which all fields of the group agree.
func agreeWithin(group [][][]link, array arrayID, depth int) bool {
	elements := make([]map[int][][]link, len(group))
	for i, places := range group {
		elements[i] = map[int][][]link{}
		for _, p := range places {
			if p[depth].array == array {
				elements[i][p[depth].index] = append(elements[i][p[depth].index], p)
			}
		}
	}
next:
	for index := range elements[0] {
		inside := make([][][]link, len(group))
		for i := range group {
			if inside[i] = elements[i][index]; inside[i] == nil {
				continue next
			}
		}
		if agree(inside, depth+1) {
			return true
		}
	}
	return false
}
