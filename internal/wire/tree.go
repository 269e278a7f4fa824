package wire

import (
	"slices"
	"strconv"
	"time"
)

// branch is an element of an XML document, or a step of a form's key: both are
// trees of names whose leaves hold text.
type branch struct {
	name  string
	text  []byte
	attrs []*branch
	kids  []*branch
	used  bool // a flattened list took it
}

// kid gives the first child of the name.
func (b *branch) kid(name string) *branch {
	for _, k := range b.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// part gives the i-th of the attributes and children together.
func (b *branch) part(i int) *branch {
	if i < len(b.attrs) {
		return b.attrs[i]
	}
	return b.kids[i-len(b.attrs)]
}

// treeReader reads a tree. What a value is in a list or map differs between XML
// and forms, so that much is settled when the container is entered.
type treeReader struct {
	form  bool
	cur   *branch // the value at hand
	stack []level
}

// level is a container being read.
type level struct {
	at    *branch
	next  int       // of a struct, the next attribute or child
	items []*branch // of a list or map, what is left
	key   string    // of a map, the names of an entry's parts
	value string
}

func (r *treeReader) null() bool  { return false }
func (r *treeReader) skip() error { return nil }

func (r *treeReader) push(items []*branch) {
	r.stack = append(r.stack, level{at: r.cur, items: items})
}

func (r *treeReader) pop() { r.stack = r.stack[:len(r.stack)-1] }

func (r *treeReader) enterStruct() error {
	r.push(nil)
	return nil
}

func (r *treeReader) nextMember(s *shape) (*member, error) {
	l := &r.stack[len(r.stack)-1]
	for l.next < len(l.at.attrs)+len(l.at.kids) {
		k := l.at.part(l.next)
		l.next++
		if m := s.byXML[k.name]; m != nil && !k.used {
			r.cur = k
			return m, nil
		}
	}
	r.pop()
	return nil, nil
}

// enterList finds the items: of a flattened list, in XML the elements of its
// name beside the one at hand, and in a form the numbers behind it.
func (r *treeReader) enterList(m *member) error {
	switch {
	case r.form:
		r.push(r.numbered(m, m.shape.elem.xml))
	case m.flat:
		r.push(r.siblings())
	default:
		r.push(r.named(m.shape.elem.xml))
	}
	return nil
}

func (r *treeReader) nextItem() (bool, error) {
	l := &r.stack[len(r.stack)-1]
	if len(l.items) == 0 {
		r.pop()
		return false, nil
	}
	r.cur, l.items = l.items[0], l.items[1:]
	return true, nil
}

func (r *treeReader) enterMap(m *member) error {
	switch {
	case r.form:
		r.push(r.numbered(m, "entry"))
	case m.flat:
		r.push(r.siblings())
	default:
		r.push(r.named("entry"))
	}
	l := &r.stack[len(r.stack)-1]
	l.key, l.value = m.shape.key.xml, m.shape.elem.xml
	return nil
}

func (r *treeReader) nextKey() (string, bool, error) {
	l := &r.stack[len(r.stack)-1]
	if len(l.items) == 0 {
		r.pop()
		return "", false, nil
	}
	key, value := l.items[0].kid(l.key), l.items[0].kid(l.value)
	if key == nil || value == nil {
		return "", false, malformedf("an entry of a map lacks its %s or %s", l.key, l.value)
	}
	r.cur, l.items = value, l.items[1:]
	return string(key.text), true, nil
}

func (r *treeReader) named(name string) []*branch {
	var items []*branch
	for _, k := range r.cur.kids {
		if k.name == name {
			items = append(items, k)
		}
	}
	return items
}

// siblings are the elements beside the one at hand that bear its name.
func (r *treeReader) siblings() []*branch {
	var items []*branch
	for _, k := range r.stack[len(r.stack)-1].at.kids {
		if k.name == r.cur.name {
			k.used = true
			items = append(items, k)
		}
	}
	return items
}

// numbered are the items of a form's list or map, in the order of their numbers.
func (r *treeReader) numbered(m *member, name string) []*branch {
	at := r.cur
	if !m.flat {
		if at = at.kid(name); at == nil {
			return nil
		}
	}
	type item struct {
		n int
		b *branch
	}
	var items []item
	for _, k := range at.kids {
		if n, err := strconv.Atoi(k.name); err == nil {
			items = append(items, item{n, k})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return a.n - b.n })
	sorted := make([]*branch, len(items))
	for i, it := range items {
		sorted[i] = it.b
	}
	return sorted
}

func (r *treeReader) str() (string, error) { return string(r.cur.text), nil }

func (r *treeReader) boolean() (bool, error)          { return textBool(string(r.cur.text)) }
func (r *treeReader) integer(bits int) (int64, error) { return textInt(string(r.cur.text), bits) }
func (r *treeReader) float(bits int) (float64, error) { return textFloat(string(r.cur.text), bits) }
func (r *treeReader) blob() ([]byte, error)           { return decodeBase64(r.cur.text) }
func (r *treeReader) time(f timeFormat) (time.Time, error) {
	return textTime(string(r.cur.text), f.or(formatDateTime))
}
