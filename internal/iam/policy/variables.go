package policy

import "strings"

// piece is a stretch of a pattern without "*": text, one character of any kind ("?"),
// or a variable, whose value comes from the request and is text, whatever is in it.
type piece struct {
	op   pieceOp
	text string  // of text: itself; of a variable: its value if the key is absent
	key  keyName // of a variable: the condition key it stands for
	// hasDefault is set for variables that have a value for when the key is absent:
	// ${key, 'value'}.
	hasDefault bool
}

type pieceOp uint8

const (
	textPiece pieceOp = iota
	onePiece
	variablePiece
)

// syntax is what a pattern may have in it. Variables are of Version2012.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type syntax struct {
	wildcards, variables bool
}

// pieces cuts a pattern at its "*"s and each part into its pieces.
func pieces(s string, in syntax) [][]piece {
	chunks := [][]piece{nil}
	add := func(p piece) {
		c := &chunks[len(chunks)-1]
		if n := len(*c); n > 0 && p.op == textPiece && (*c)[n-1].op == textPiece {
			(*c)[n-1].text += p.text
			return
		}
		*c = append(*c, p)
	}
	special := "$"
	if in.wildcards {
		special = "*?$"
	}
	for s != "" {
		i := strings.IndexAny(s, special)
		if i < 0 {
			add(piece{text: s})
			break
		}
		if i > 0 {
			add(piece{text: s[:i]})
		}
		s = s[i:]
		n := 1
		switch s[0] {
		case '*':
			chunks = append(chunks, nil)
		case '?':
			add(piece{op: onePiece})
		default:
			p := piece{text: "$"}
			if in.variables {
				p, n = variable(s)
			}
			add(p)
		}
		s = s[n:]
	}
	return chunks
}

// variable reads "${...}" at the start of s and says how long it is: ${*}, ${?} and
// ${$} are these characters; others stand for the value of a condition key. What
// isn't of the form is text.
func variable(s string) (piece, int) {
	end := strings.IndexByte(s, '}')
	if !strings.HasPrefix(s, "${") || end < 3 {
		return piece{text: "$"}, 1
	}
	key, _, hasDefault := strings.Cut(s[2:end], ",")
	value := ""
	if hasDefault {
		// The value in quotes may have a "}" in it.
		open := strings.TrimLeft(s[2+len(key)+1:], " ")
		close := strings.Index(open, "'}")
		if !strings.HasPrefix(open, "'") || close < 1 {
			return piece{text: "$"}, 1
		}
		value, end = open[1:close], len(s)-len(open)+close+1
	}
	if !hasDefault && (key == "*" || key == "?" || key == "$") {
		return piece{text: key}, end + 1
	}
	return piece{op: variablePiece, text: value, key: newKeyName(strings.TrimSpace(key)), hasDefault: hasDefault}, end + 1
}

// value is what the request has in a variable's place. A key with several values
// is no variable.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (p *piece) value(k *Keys) (string, bool) {
	switch v := k.get(&p.key); len(v) {
	case 0:
		return p.text, p.hasDefault
	case 1:
		return v[0], true
	}
	return "", false
}
