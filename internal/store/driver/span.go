package driver

import (
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Beyond sorts after every key, and stands for "no end".
var Beyond = strings.Repeat("\xff", store.MaxKey+1)

// Span is the keys Start <= key < End.
type Span struct{ Start, End string }

// SpanOf is the span between two bounds, of which a nil end is none.
func SpanOf(start, end []byte) Span {
	if end == nil {
		return Span{string(start), Beyond}
	}
	return Span{string(start), string(end)}
}

// PrefixSpan is the keys that begin with p.
func PrefixSpan(p string) Span { return SpanOf([]byte(p), store.PrefixEnd([]byte(p))) }

// Has says whether key lies in s.
func (s Span) Has(key string) bool { return s.Start <= key && key < s.End }

// Overlaps says whether some key could lie in both.
func (s Span) Overlaps(o Span) bool { return s.Start < o.End && o.Start < s.End }
