package input

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Path leads to a part of an event.
type Path struct {
	steps []step
	many  bool // has a *
}

// step is a name, an index, or all there is.
type step struct {
	name  string
	index int
	kind  stepKind
}

type stepKind uint8

const (
	byName stepKind = iota
	byIndex
	all
)

// Limits of a path.
const (
	maxPath  = 256 // bytes
	maxFound = 10000
)

// ErrPath says that a text is not a path.
var ErrPath = errors.New("not a JSON path of dots, names and indices")

// ParsePath reads "$.detail.items[0].id".
func ParsePath(s string) (*Path, error) {
	rest, ok := strings.CutPrefix(s, "$")
	if !ok || len(s) > maxPath {
		return nil, fmt.Errorf("parse %.300q: %w", s, ErrPath)
	}
	p := &Path{}
	for rest != "" {
		var st step
		switch rest[0] {
		case '.':
			st, rest, ok = dotted(rest[1:])
		case '[':
			st, rest, ok = bracketed(rest[1:])
		default:
			ok = false
		}
		if !ok {
			return nil, fmt.Errorf("parse %.300q: %w", s, ErrPath)
		}
		p.steps = append(p.steps, st)
		p.many = p.many || st.kind == all
	}
	return p, nil
}

// dotted reads what follows a dot.
func dotted(s string) (step, string, bool) {
	end := 0
	for end < len(s) && (isNameByte(s[end]) || s[end] >= 0x80) {
		end++
	}
	switch {
	case end > 0:
		return step{name: s[:end]}, s[end:], true
	case strings.HasPrefix(s, "*"):
		return step{kind: all}, s[1:], true
	}
	return step{}, "", false
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '/'
}

// bracketed reads what follows an opening bracket, and the closing one.
func bracketed(s string) (step, string, bool) {
	if s != "" && (s[0] == '\'' || s[0] == '"') {
		name, rest, ok := strings.Cut(s[1:], s[:1]+"]")
		return step{name: name}, rest, ok
	}
	inside, rest, ok := strings.Cut(s, "]")
	if inside == "*" {
		return step{kind: all}, rest, ok
	}
	n, err := strconv.ParseUint(inside, 10, 31)
	return step{kind: byIndex, index: int(n)}, rest, ok && err == nil
}

// Find gives the part of an event as JSON, and whether it is there. Nothing found by a
// path with * is an empty array.
func (p *Path) Find(event []byte) (json.RawMessage, bool) {
	found := []json.RawMessage{event}
	for _, st := range p.steps {
		var next []json.RawMessage
		for _, v := range found {
			if next = append(next, st.from(v)...); len(next) > maxFound {
				return nil, false
			}
		}
		found = next
	}
	if p.many {
		joined := append([]byte{'['}, bytes.Join(bytesOf(found), []byte(","))...)
		return append(joined, ']'), true
	}
	if len(found) == 0 {
		return nil, false
	}
	return bytes.TrimSpace(found[0]), true
}

func bytesOf(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// from takes the step in a value.
func (st step) from(v json.RawMessage) (found []json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(v))
	open, err := d.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return nil
	}
	object := open == json.Delim('{')
	for i := 0; d.More(); i++ {
		name := ""
		if object {
			t, err := d.Token()
			if err != nil {
				return nil
			}
			name, _ = t.(string)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil
		}
		switch {
		case st.kind == all:
			found = append(found, value)
		case object && st.kind == byName && name == st.name:
			found = []json.RawMessage{value} // of a name that is there twice, the last counts
		case !object && st.kind == byIndex && i == st.index:
			return []json.RawMessage{value}
		}
	}
	return found
}
