package bus

import (
	"bytes"
	"encoding/json"
	"time"
)

// Event is what goes over a bus.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
type Event struct {
	ID, DetailType, Source, Account string
	Time                            time.Time
	Region                          string
	Resources                       []string
	Detail                          json.RawMessage // an object, minified
	Replay                          string          // the replay it comes from, if it does
}

// JSON is the event as targets get it: AWS's members in AWS's order, minified.
func (e *Event) JSON() []byte {
	var b bytes.Buffer
	b.Grow(len(e.Detail) + 512)
	text := func(before, s string) {
		b.WriteString(before)
		b.Write(quote(s))
	}
	text(`{"version":"0","id":`, e.ID)
	text(`,"detail-type":`, e.DetailType)
	text(`,"source":`, e.Source)
	text(`,"account":`, e.Account)
	text(`,"time":`, e.Time.UTC().Format(time.RFC3339))
	text(`,"region":`, e.Region)
	b.WriteString(`,"resources":[`)
	for i, r := range e.Resources {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(r))
	}
	b.WriteString(`],"detail":`)
	b.Write(e.Detail)
	if e.Replay != "" {
		text(`,"replay-name":`, e.Replay)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// quote is a text as JSON, with nothing escaped that need not be.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a text can always be encoded
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// detailOf minifies a detail; false if it is not a JSON object.
func detailOf(text string) (json.RawMessage, bool) {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil || b.Len() == 0 || b.Bytes()[0] != '{' || tooDeep(b.Bytes()) {
		return nil, false
	}
	return b.Bytes(), true
}

// maxDepth is how deep a detail may be nested.
const maxDepth = 1000

func tooDeep(b []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
