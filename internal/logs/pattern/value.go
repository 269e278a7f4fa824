package pattern

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// operators of comparison; longer ones first, as they are looked for in order.
var operators = []string{"!=", ">=", "<=", "=", ">", "<"}

// operator takes a comparison's operator; "" if none comes next.
func (p *parser) operator() string {
	for _, op := range operators {
		if p.take(op) {
			return op
		}
	}
	return ""
}

// value is the right side of a comparison.
type value struct {
	text    string // with * for any text, unless regex
	parts   []string
	regex   *regexp.Regexp
	number  float64
	numeric bool
}

// value takes a quoted text, a regular expression or a bare word, up to stop.
func (p *parser) value(stop string) (value, error) {
	p.skip()
	var v value
	var err error
	switch p.peek() {
	case '"':
		v.text, err = p.quoted()
	case '%':
		v.regex, err = p.regexp()
		return v, err
	default:
		v.text = p.while(func(c byte) bool { return c > ' ' && !strings.ContainsRune(stop, rune(c)) })
		if v.text == "" {
			return v, fmt.Errorf("Invalid filter pattern: a value is missing at %q", p.rest)
		}
		v.number, v.numeric = parseNumber(v.text)
	}
	v.parts = strings.Split(v.text, "*")
	return v, err
}

// equals compares with the text of a field.
func (v *value) equals(s string) bool {
	if v.regex != nil {
		return v.regex.MatchString(s)
	}
	return glob(v.parts, s)
}

// compare applies op to a field's text, or to its number if it is one.
func (v *value) compare(op, field string, number float64, numeric bool) bool {
	if v.numeric && numeric {
		switch op {
		case "=":
			return number == v.number
		case "!=":
			return number != v.number
		case ">":
			return number > v.number
		case ">=":
			return number >= v.number
		case "<":
			return number < v.number
		default:
			return number <= v.number
		}
	}
	switch op {
	case "=":
		return v.equals(field)
	case "!=":
		return !v.equals(field)
	}
	return false // only numbers have an order
}

// check refuses what cannot be compared with op.
func (v *value) check(op string) error {
	if op != "=" && op != "!=" && !v.numeric {
		return fmt.Errorf("Invalid filter pattern: %s compares with a number, not with %q", op, v.text)
	}
	return nil
}

func parseNumber(s string) (float64, bool) {
	if strings.ContainsAny(s, "xXpP_iInN") { // Go's own notations
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// glob says whether s is the parts with any text between each two of them.
func glob(parts []string, s string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// regexp takes a %regular expression%. AWS's are a subset of Go's, which match
// in linear time.
func (p *parser) regexp() (*regexp.Regexp, error) {
	if p.regexps++; p.regexps > maxRegexps {
		return nil, fmt.Errorf("Invalid filter pattern: more than %d regular expressions", maxRegexps)
	}
	end := strings.IndexByte(p.rest[1:], '%')
	if end < 0 {
		return nil, fmt.Errorf("Invalid filter pattern: %% is not closed at %q", p.rest)
	}
	text := p.rest[1 : end+1]
	p.rest = p.rest[end+2:]
	for _, c := range text {
		if !isRegexp(c) {
			return nil, fmt.Errorf("Invalid character %q in regular expression %q", c, text)
		}
	}
	re, err := regexp.Compile(text)
	if err != nil || text == "" {
		return nil, fmt.Errorf("Invalid regular expression %q", text)
	}
	return re, nil
}

func isRegexp(c rune) bool {
	return c < 0x80 && (isWord(byte(c)) || strings.ContainsRune(` :#=@/;,-^$?[]{}|\*+.`, c))
}
