package pattern

import (
	"fmt"
	"strings"
)

// wildcard is a text with gaps: its pieces in order, the first and the last bound to
// the ends of the value.
type wildcard struct{ pieces []string }

// parseWildcard reads "a*b", where \* and \\ stand for themselves. Places in errors
// count from the opening quote, as EventBridge's do.
func parseWildcard(s string) (wildcard, error) {
	var w wildcard
	var piece strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '*':
			if i+1 < len(s) && s[i+1] == '*' {
				return w, fmt.Errorf("Consecutive wildcard characters at pos %d", i+1)
			}
			w.pieces = append(w.pieces, piece.String())
			piece.Reset()
		case '\\':
			if i+1 == len(s) || s[i+1] != '*' && s[i+1] != '\\' {
				return w, fmt.Errorf("Invalid escape character at pos %d", i+1)
			}
			i++
			piece.WriteByte(s[i])
		default:
			piece.WriteByte(s[i])
		}
	}
	w.pieces = append(w.pieces, piece.String())
	return w, nil
}

// match takes the leftmost place for every piece, which is right if any place is, so
// that the value is gone over once.
func (w wildcard) match(s string) bool {
	first, last := w.pieces[0], w.pieces[len(w.pieces)-1]
	if len(w.pieces) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range w.pieces[1 : len(w.pieces)-1] {
		at := strings.Index(s, piece)
		if at < 0 {
			return false
		}
		s = s[at+len(piece):]
	}
	return true
}

// longest is the piece that says most of what a value has in it.
func (w wildcard) longest() (most string) {
	for _, piece := range w.pieces {
		if len(piece) > len(most) {
			most = piece
		}
	}
	return most
}
