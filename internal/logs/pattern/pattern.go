package pattern

import (
	"fmt"
	"strings"
)

// MaxLen is the length of the longest pattern, in characters.
const MaxLen = 1024

// maxRegexps and maxDepth bound one pattern's regular expressions (AWS's limit)
// and parentheses.
const (
	maxRegexps = 2
	maxDepth   = 16
)

// Pattern decides which messages are wanted. It is safe for concurrent use.
type Pattern struct{ matches func(message string) bool }

// Match says whether the pattern wants the message.
func (p *Pattern) Match(message string) bool { return p.matches(message) }

// Parse reads a pattern. An empty one wants every message. Errors are worded for
// the caller.
func Parse(s string) (*Pattern, error) {
	if n := len([]rune(s)); n > MaxLen {
		return nil, fmt.Errorf("the filter pattern has %d characters, the longest allowed has %d", n, MaxLen)
	}
	p := &parser{rest: strings.TrimSpace(s)}
	var m func(string) bool
	var err error
	switch p.peek() {
	case 0:
		return &Pattern{func(string) bool { return true }}, nil
	case '{':
		m, err = p.object()
	case '[':
		m, err = p.words()
	default:
		m, err = p.terms()
	}
	if p.skip(); err == nil && p.rest != "" {
		err = fmt.Errorf("Invalid filter pattern: unexpected text at %q", p.rest)
	}
	if err != nil {
		return nil, err
	}
	return &Pattern{m}, nil
}

// parser reads a pattern from its front.
type parser struct {
	rest    string
	depth   int
	regexps int
}

// peek gives the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// skip passes over white space.
func (p *parser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take passes over s, and white space before it, if it comes next.
func (p *parser) take(s string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

// while takes the bytes that ok accepts.
func (p *parser) while(ok func(byte) bool) string {
	n := 0
	for n < len(p.rest) && ok(p.rest[n]) {
		n++
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

// keyword takes a word in any case, if it comes next.
func (p *parser) keyword(word string) bool {
	p.skip()
	if len(p.rest) < len(word) || !strings.EqualFold(p.rest[:len(word)], word) {
		return false
	}
	if len(p.rest) > len(word) && isWord(p.rest[len(word)]) {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

// quoted takes a string in double quotes, in which \" is a quote.
func (p *parser) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == '"' || p.rest[i+1] == '\\'):
			i++
			b.WriteByte(p.rest[i])
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("Invalid filter pattern: a quotation mark is not closed at %q", p.rest)
}

// nested runs fn one level of parentheses deeper.
func (p *parser) nested(fn func() (condition, error)) (condition, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("Invalid filter pattern: more than %d levels of parentheses", maxDepth)
	}
	defer func() { p.depth-- }()
	return fn()
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
