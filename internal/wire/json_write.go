package wire

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonWriter appends a JSON text.
type jsonWriter struct {
	b     []byte
	names bool // jsonName is honoured (restJson1)
}

func (w *jsonWriter) beginStruct() { w.b = append(w.b, '{') }
func (w *jsonWriter) endStruct()   { w.b = append(w.b, '}') }
func (w *jsonWriter) beginList()   { w.b = append(w.b, '[') }
func (w *jsonWriter) endList()     { w.b = append(w.b, ']') }
func (w *jsonWriter) beginMap()    { w.b = append(w.b, '{') }
func (w *jsonWriter) endMap()      { w.b = append(w.b, '}') }

func (w *jsonWriter) field(m *member) {
	name := m.name
	if w.names {
		name = m.json
	}
	w.key(name)
}

func (w *jsonWriter) item(*member)                { w.comma() }
func (w *jsonWriter) entry(_ *member, key string) { w.key(key) }
func (w *jsonWriter) endField(*member)            {}
func (w *jsonWriter) endItem(*member)             {}
func (w *jsonWriter) endEntry(*member)            {}

func (w *jsonWriter) key(name string) {
	w.comma()
	w.b = append(appendJSONString(w.b, name), ':')
}

// comma separates from what went before, which ends in an opening bracket only
// when there is none: a string's last byte is its quote.
func (w *jsonWriter) comma() {
	if c := w.b[len(w.b)-1]; c != '{' && c != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *jsonWriter) null()           { w.b = append(w.b, "null"...) }
func (w *jsonWriter) str(s string)    { w.b = appendJSONString(w.b, s) }
func (w *jsonWriter) boolean(v bool)  { w.b = strconv.AppendBool(w.b, v) }
func (w *jsonWriter) integer(n int64) { w.b = strconv.AppendInt(w.b, n, 10) }

func (w *jsonWriter) float(f float64, bits int) {
	special := math.IsNaN(f) || math.IsInf(f, 0)
	if special {
		w.b = append(w.b, '"')
	}
	w.b = appendFloat(w.b, f, bits)
	if special {
		w.b = append(w.b, '"')
	}
}

func (w *jsonWriter) blob(b []byte) {
	w.b = append(w.b, '"')
	w.b = base64.StdEncoding.AppendEncode(w.b, b)
	w.b = append(w.b, '"')
}

func (w *jsonWriter) time(t time.Time, f timeFormat) {
	if f = f.or(formatEpoch); f == formatEpoch {
		w.b = appendTime(w.b, t, f)
		return
	}
	w.b = append(w.b, '"')
	w.b = appendTime(w.b, t, f)
	w.b = append(w.b, '"')
}

const hexDigits = "0123456789abcdef"

// appendJSONString writes s quoted. What is not UTF-8 becomes the replacement
// character, since a JSON text cannot hold it.
func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
