package pattern

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Attribute is a message attribute of a topic's message.
type Attribute struct{ Type, Value string }

// AttributesEvent makes message attributes an event for TopicAttributes: String as a
// string, Number as a number, String.Array as the array its value holds. Attributes of
// other types, Binary, can't be filtered on and are left out.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
func AttributesEvent(attributes map[string]Attribute) Event {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name].json()
		if value == nil {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		quoted, _ := json.Marshal(name)
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return Event{b.Bytes()}
}

// json is the attribute as a JSON value. What is not of its type counts as a string.
func (a Attribute) json() []byte {
	kind, _, _ := strings.Cut(a.Type, ".")
	quoted, _ := json.Marshal(a.Value)
	raw := []byte(strings.TrimSpace(a.Value))
	switch {
	case a.Type == "String.Array":
		if isJSON(raw, "[") {
			return raw
		}
		return quoted
	case kind == "String":
		return quoted
	case kind == "Number":
		if isJSON(raw, "-0123456789") {
			return raw
		}
		return quoted
	}
	return nil
}

// isJSON says whether raw is JSON that begins with one of the characters.
func isJSON(raw []byte, first string) bool {
	return len(raw) > 0 && strings.IndexByte(first, raw[0]) >= 0 && json.Valid(raw)
}

// RecordEvent makes a record of an event source an event for Mapping: where the member
// ("body" of a queue's message, "data" of a stream's record, once decoded) is a string
// that holds a JSON object or array, it counts as that; any other string stays one. A
// pattern for the one then does not match the other, as Lambda documents it.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
func RecordEvent(record []byte, member string) (Event, error) {
	e, err := ReadEvent(record)
	if err != nil {
		return e, err
	}
	r := reader{b: record}
	r.enter()
	for r.more() {
		name := r.text()
		if name != member || r.peek() != '"' {
			r.peek()
			r.skip()
			continue
		}
		start := r.i
		inside := []byte(r.text())
		if !isJSON(bytes.TrimLeft(inside, " \t\r\n"), "{[") {
			return e, nil
		}
		return Event{slices.Concat(record[:start], inside, record[r.i:])}, nil
	}
	return e, nil
}
