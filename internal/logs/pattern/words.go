package pattern

import (
	"fmt"
	"slices"
	"strings"
)

// words parses [fields, with conditions, ..., for a message's words].
func (p *parser) words() (func(string) bool, error) {
	p.take("[")
	var fields []condition
	gap := -1 // where "..." stands
	for {
		switch {
		case p.take("..."):
			if gap >= 0 {
				return nil, fmt.Errorf("Invalid filter pattern: more than one ellipsis")
			}
			gap = len(fields)
		default:
			c, err := p.field()
			if err != nil {
				return nil, err
			}
			fields = append(fields, c)
		}
		if p.take(",") {
			continue
		}
		if !p.take("]") {
			return nil, fmt.Errorf("Invalid filter pattern: expected , or ] at %q", p.rest)
		}
		break
	}
	return func(message string) bool {
		words := split(message)
		if len(words) < len(fields) || gap < 0 && len(words) > len(fields) {
			return false
		}
		if gap >= 0 { // the fields after it are the last words
			words = slices.Concat(words[:gap], words[len(words)-len(fields)+gap:])
		}
		for i, c := range fields {
			if !c(words[i]) {
				return false
			}
		}
		return true
	}, nil
}

// field parses a name, or conditions on it.
func (p *parser) field() (condition, error) {
	return p.expression(func() (condition, error) {
		p.skip()
		name := p.while(func(c byte) bool { return isWord(c) || strings.IndexByte("-.@#:/$", c) >= 0 })
		if name == "" {
			return nil, fmt.Errorf("Invalid filter pattern: a name is missing at %q", p.rest)
		}
		op := p.operator()
		if op == "" {
			return func(any) bool { return true }, nil
		}
		want, err := p.value(",])&|")
		if err == nil {
			err = want.check(op)
		}
		return func(v any) bool {
			word := v.(string)
			number, numeric := parseNumber(word)
			return want.compare(op, word, number, numeric)
		}, err
	})
}

// split takes a message apart at its spaces; what is in brackets or quotes is
// one word, without them.
func split(message string) []string {
	var words []string
	for {
		message = strings.TrimLeft(message, " \t\r\n")
		if message == "" {
			return words
		}
		closing := byte(0)
		switch message[0] {
		case '[':
			closing = ']'
		case '"':
			closing = '"'
		}
		if end := strings.IndexByte(message[1:], closing); closing != 0 && end >= 0 {
			words, message = append(words, message[1:end+1]), message[end+2:]
			continue
		}
		end := strings.IndexAny(message, " \t\r\n")
		if end < 0 {
			end = len(message)
		}
		words, message = append(words, message[:end]), message[end:]
	}
}
