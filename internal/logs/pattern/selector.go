package pattern

import (
	"fmt"
	"strconv"
	"strings"
)

// selector is a path into JSON: $.user.roles[0], $.a.*, $['odd name'].
type selector []step

// step is a name, an index, or any of them.
type step struct {
	name  string
	index int // of a list; -1 for a name
	any   bool
}

// maxFound bounds what one selector with * finds in one message.
const maxFound = 1000

func (p *parser) selector() (selector, error) {
	if !p.take("$") {
		return nil, fmt.Errorf("Invalid filter pattern: expected a selector like $.name at %q", p.rest)
	}
	var sel selector
	for {
		var s step
		var err error
		switch p.peek() {
		case '.':
			p.rest = p.rest[1:]
			s, err = p.name()
		case '[':
			p.rest = p.rest[1:]
			s, err = p.bracket()
		default:
			if len(sel) == 0 {
				err = fmt.Errorf("Invalid filter pattern: expected a name after $ at %q", p.rest)
			}
			return sel, err
		}
		if err != nil {
			return nil, err
		}
		sel = append(sel, s)
	}
}

func (p *parser) name() (step, error) {
	if p.peek() == '*' {
		p.rest = p.rest[1:]
		return step{any: true, index: -1}, nil
	}
	name := p.while(func(c byte) bool { return isWord(c) || strings.IndexByte("-@#:/", c) >= 0 })
	if name == "" {
		return step{}, fmt.Errorf("Invalid filter pattern: a name is missing at %q", p.rest)
	}
	return step{name: name, index: -1}, nil
}

// bracket parses what follows [: an index, * or a name in quotes.
func (p *parser) bracket() (s step, err error) {
	s.index = -1
	switch c := p.peek(); {
	case c == '*':
		s.any = true
		p.rest = p.rest[1:]
	case c == '"':
		s.name, err = p.quoted()
	case c == '\'':
		name, rest, ok := strings.Cut(p.rest[1:], "'")
		if !ok {
			return s, fmt.Errorf("Invalid filter pattern: a quotation mark is not closed at %q", p.rest)
		}
		s.name, p.rest = name, rest
	default:
		digits := p.while(func(c byte) bool { return c >= '0' && c <= '9' })
		if s.index, err = strconv.Atoi(digits); err != nil {
			return s, fmt.Errorf("Invalid filter pattern: expected an index at %q", p.rest)
		}
	}
	if err == nil && !p.take("]") {
		err = fmt.Errorf("Invalid filter pattern: a bracket is not closed at %q", p.rest)
	}
	return s, err
}

// find gives all values the selector leads to.
func (sel selector) find(v any) []any {
	found := []any{v}
	for _, s := range sel {
		var next []any
		for _, v := range found {
			if next = s.into(v, next); len(next) > maxFound {
				next = next[:maxFound]
				break
			}
		}
		found = next
	}
	return found
}

// into appends what a step leads to from v.
func (s step) into(v any, found []any) []any {
	switch v := v.(type) {
	case map[string]any:
		if s.any {
			for _, child := range v {
				found = append(found, child)
			}
		} else if child, ok := v[s.name]; ok && s.index < 0 {
			found = append(found, child)
		}
	case []any:
		if s.any {
			return append(found, v...)
		}
		if s.index >= 0 && s.index < len(v) {
			found = append(found, v[s.index])
		}
	}
	return found
}
