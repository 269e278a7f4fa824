package pattern

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// term is a text or a regular expression that occurs in a message or not.
type term struct {
	text  string
	regex *regexp.Regexp
}

func (t term) in(message string) bool {
	if t.regex != nil {
		return t.regex.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

// terms parses a list of terms.
func (p *parser) terms() (func(string) bool, error) {
	var all, some, none []term
	for p.skip(); p.rest != ""; p.skip() {
		list := &all
		switch p.peek() {
		case '?':
			list = &some
			p.rest = p.rest[1:]
		case '-':
			list = &none
			p.rest = p.rest[1:]
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		*list = append(*list, t)
	}
	if len(all) > 0 {
		some = nil
	}
	return func(message string) bool {
		for _, t := range all {
			if !t.in(message) {
				return false
			}
		}
		for _, t := range none {
			if t.in(message) {
				return false
			}
		}
		for _, t := range some {
			if t.in(message) {
				return true
			}
		}
		return len(some) == 0
	}, nil
}

func (p *parser) term() (t term, err error) {
	switch p.peek() {
	case '"':
		t.text, err = p.quoted()
		return t, err
	case '%':
		t.regex, err = p.regexp()
		return t, err
	}
	word := p.while(func(c byte) bool { return c > ' ' && c != '"' && c != '%' })
	for _, c := range word {
		if c < utf8.RuneSelf && !isWord(byte(c)) {
			return t, fmt.Errorf("Invalid character(s) in term '%s'", word)
		}
	}
	if word == "" {
		return t, fmt.Errorf("Invalid filter pattern: a term is missing at %q", p.rest)
	}
	return term{text: word}, nil
}
