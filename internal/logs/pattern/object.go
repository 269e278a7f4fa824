package pattern

import (
	"encoding/json"
	"fmt"
	"strings"
)

// condition decides by a field's value: the whole JSON message for an object's
// conditions, one word for those of words.
type condition func(v any) bool

// expression parses conditions joined by && and ||, and in parentheses.
func (p *parser) expression(single func() (condition, error)) (condition, error) {
	left, err := p.conjunction(single)
	for err == nil && p.take("||") {
		var right condition
		l := left
		if right, err = p.conjunction(single); err == nil {
			left = func(v any) bool { return l(v) || right(v) }
		}
	}
	return left, err
}

func (p *parser) conjunction(single func() (condition, error)) (condition, error) {
	left, err := p.factor(single)
	for err == nil && p.take("&&") {
		var right condition
		l := left
		if right, err = p.factor(single); err == nil {
			left = func(v any) bool { return l(v) && right(v) }
		}
	}
	return left, err
}

func (p *parser) factor(single func() (condition, error)) (condition, error) {
	if !p.take("(") {
		return single()
	}
	c, err := p.nested(func() (condition, error) { return p.expression(single) })
	if err == nil && !p.take(")") {
		err = fmt.Errorf("Invalid filter pattern: a parenthesis is not closed at %q", p.rest)
	}
	return c, err
}

// object parses { conditions on a JSON message }.
func (p *parser) object() (func(string) bool, error) {
	p.take("{")
	c, err := p.expression(p.property)
	if err != nil {
		return nil, err
	}
	if !p.take("}") {
		return nil, fmt.Errorf("Invalid filter pattern: expected && or || or } at %q", p.rest)
	}
	return func(message string) bool {
		v, ok := decode(message)
		return ok && c(v)
	}, nil
}

// decode reads a message that is a JSON object or list, and nothing else.
func decode(message string) (v any, ok bool) {
	message = strings.TrimSpace(message)
	if message == "" || message[0] != '{' && message[0] != '[' {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(message))
	d.UseNumber() // keeps "4.50" as it was written, for text comparisons
	if d.Decode(&v) != nil || d.InputOffset() != int64(len(message)) {
		return nil, false
	}
	return v, true
}

// property parses $.selector and what is asked of it.
func (p *parser) property() (condition, error) {
	sel, err := p.selector()
	if err != nil {
		return nil, err
	}
	if p.keyword("NOT") {
		if !p.keyword("EXISTS") {
			return nil, fmt.Errorf("Invalid filter pattern: expected EXISTS at %q", p.rest)
		}
		return func(v any) bool { return len(sel.find(v)) == 0 }, nil
	}
	if p.keyword("EXISTS") {
		return func(v any) bool { return len(sel.find(v)) > 0 }, nil
	}
	if p.keyword("IS") {
		return p.is(sel)
	}
	op := p.operator()
	if op == "" {
		return nil, fmt.Errorf("Invalid filter pattern: expected a comparison at %q", p.rest)
	}
	want, err := p.value(")}&|")
	if err == nil {
		err = want.check(op)
	}
	return func(v any) bool {
		for _, field := range sel.find(v) {
			if text, number, numeric, ok := scalar(field); ok && want.compare(op, text, number, numeric) {
				return true
			}
		}
		return false
	}, err
}

// is parses the NULL, TRUE or FALSE after IS.
func (p *parser) is(sel selector) (condition, error) {
	for word, want := range map[string]any{"NULL": nil, "TRUE": true, "FALSE": false} {
		if p.keyword(word) {
			return func(v any) bool {
				for _, field := range sel.find(v) {
					if field == want {
						return true
					}
				}
				return false
			}, nil
		}
	}
	return nil, fmt.Errorf("Invalid filter pattern: expected NULL, TRUE or FALSE at %q", p.rest)
}

// scalar gives a JSON value's text, and its number if it is one; ok is false for
// null, objects and lists.
func scalar(v any) (text string, number float64, numeric, ok bool) {
	switch v := v.(type) {
	case string:
		return v, 0, false, true
	case json.Number:
		number, err := v.Float64()
		return v.String(), number, err == nil, true
	case bool:
		return fmt.Sprint(v), 0, false, true
	}
	return "", 0, false, false
}
