package policy

import (
	"strings"
	"unicode/utf8"
)

// pattern is a compiled string of a policy, with wildcards and variables where its
// place allows them.
//
// Matching goes through the text once, from left to right, and never back: each
// part between two "*" is looked for where the one before it ended, and the
// first place it is found at is as good as any later one. Time grows with the length
// of the text and, for parts with a "?" or a variable in them, of the part; it can't
// explode.
type pattern struct {
	chunks [][]piece // nil where there is nothing but text, which has to be equal
	text   string
	vars   int
}

func newPattern(s string, in syntax) pattern {
	chunks := pieces(s, in)
	if len(chunks) == 1 && len(chunks[0]) <= 1 && (len(chunks[0]) == 0 || chunks[0][0].op == textPiece) {
		if len(chunks[0]) == 0 {
			return pattern{}
		}
		return pattern{text: chunks[0][0].text}
	}
	// A run of "*" is one.
	p := pattern{chunks: chunks[:1]}
	for i := 1; i < len(chunks); i++ {
		if i == len(chunks)-1 || len(chunks[i]) > 0 {
			p.chunks = append(p.chunks, chunks[i])
		}
	}
	for _, c := range p.chunks {
		for i := range c {
			if c[i].op == variablePiece {
				p.vars++
			}
		}
	}
	return p
}

// match says whether the text is of the pattern; known is false if the pattern has
// a variable that the request has no value for.
func (p *pattern) match(s string, k *Keys) (ok, known bool) {
	if p.chunks == nil {
		return s == p.text, true
	}
	if p.vars == 0 {
		return matchChunks(p.chunks, s, nil), true
	}
	if first := p.chunks[0]; len(first) > 0 && first[0].op == textPiece && !strings.HasPrefix(s, first[0].text) {
		return false, true // whatever the variables are
	}
	var few [4]string
	values, known := p.values(few[:0], k)
	return known && matchChunks(p.chunks, s, values), known
}

// values are those of the pattern's variables, in their order.
func (p *pattern) values(list []string, k *Keys) ([]string, bool) {
	for _, c := range p.chunks {
		for i := range c {
			if c[i].op == variablePiece {
				v, ok := c[i].value(k)
				if !ok {
					return nil, false
				}
				list = append(list, v)
			}
		}
	}
	return list, true
}

// equalFold is match for a pattern without wildcards, whatever the case of letters.
func (p *pattern) equalFold(s string, k *Keys) (ok, known bool) {
	if p.chunks == nil {
		return strings.EqualFold(s, p.text), true
	}
	values, known := p.values(nil, k)
	var b strings.Builder
	for _, q := range p.chunks[0] {
		if q.op == variablePiece && known {
			b.WriteString(values[0])
			values = values[1:]
		} else {
			b.WriteString(q.text)
		}
	}
	return known && strings.EqualFold(s, b.String()), known
}

func matchChunks(chunks [][]piece, s string, values []string) bool {
	first, last := chunks[0], chunks[len(chunks)-1]
	n, values := matchHere(first, s, values)
	if n < 0 {
		return false
	}
	s = s[n:]
	if len(chunks) == 1 {
		return s == ""
	}
	for _, c := range chunks[1 : len(chunks)-1] {
		if n, values = matchNext(c, s, values); n < 0 {
			return false
		}
		s = s[n:]
	}
	return matchEnd(last, s, values)
}

// matchHere matches a chunk to the start of s: how many bytes it takes, -1 if it
// doesn't match; and the values that are left for the chunks after it.
func matchHere(c []piece, s string, values []string) (int, []string) {
	start := len(s)
	for i := range c {
		text := c[i].text
		switch c[i].op {
		case onePiece:
			if s == "" {
				return -1, nil
			}
			_, n := utf8.DecodeRuneInString(s)
			s = s[n:]
			continue
		case variablePiece:
			text, values = values[0], values[1:]
		}
		if !strings.HasPrefix(s, text) {
			return -1, nil
		}
		s = s[len(text):]
	}
	return start - len(s), values
}

// matchNext finds the first place in s where a chunk matches: where it ends.
func matchNext(c []piece, s string, values []string) (int, []string) {
	text := ""
	switch c[0].op {
	case textPiece:
		text = c[0].text
	case variablePiece:
		text = values[0]
	}
	for at := 0; at <= len(s); {
		i := strings.Index(s[at:], text)
		if i < 0 {
			break
		}
		at += i
		if n, rest := matchHere(c, s[at:], values); n >= 0 {
			return at + n, rest
		}
		_, n := utf8.DecodeRuneInString(s[at:])
		at += max(n, 1)
	}
	return -1, nil
}

// matchEnd matches a chunk to the end of s.
func matchEnd(c []piece, s string, values []string) bool {
	for i := len(c) - 1; i >= 0; i-- {
		text := c[i].text
		switch c[i].op {
		case onePiece:
			if s == "" {
				return false
			}
			_, n := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-n]
			continue
		case variablePiece:
			text, values = values[len(values)-1], values[:len(values)-1]
		}
		if !strings.HasSuffix(s, text) {
			return false
		}
		s = s[:len(s)-len(text)]
	}
	return true
}

// matchAction compares an action with a pattern of one, whose case doesn't matter.
// Both are short: a policy's are checked to be, and no request has a longer one.
func matchAction(p, s string) bool {
	star, mark := -1, 0 // the last "*" seen, and how far it reaches so far
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || lower(p[i]) == lower(s[j])):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
