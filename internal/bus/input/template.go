package input

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Template is a text with places for parts of an event.
type Template struct{ parts []part }

// part is a piece of text, or a place.
type part struct {
	text   string
	name   string // of a variable; empty for text
	path   *Path  // nil for a variable that needs none
	quoted bool   // the place is within a string
}

// Limits of a template.
const (
	maxTemplate  = 8192
	maxVariables = 100
	maxName      = 256
)

// PlaceholderError says that a template has a place for something unknown.
type PlaceholderError struct{ Name string }

// Error names the place.
func (e *PlaceholderError) Error() string { return "contains invalid placeholder " + e.Name }

// Errors of templates.
var (
	ErrSyntax = errors.New("a template is JSON, or strings in quotes")
	ErrNames  = errors.New("at most 100 variables, named by letters, digits, dashes and underscores")
	ErrLength = errors.New("a template has 1 to 8192 characters")
)

// Variables are what is known about an event and its rule without a path.
type Variables struct {
	RuleARN, RuleName string
	Ingested          time.Time // when the bus took the event
}

// The predefined variables.
const (
	ruleARN   = "aws.events.rule-arn"
	ruleName  = "aws.events.rule-name"
	ingestion = "aws.events.event.ingestion-time"
	summary   = "aws.events.event"      // without the detail
	whole     = "aws.events.event.json" // with it
)

// ParseTemplate reads a template whose variables have the paths.
func ParseTemplate(text string, paths map[string]string) (*Template, error) {
	if text == "" || len(text) > maxTemplate {
		return nil, ErrLength
	}
	variables := map[string]*Path{ruleARN: nil, ruleName: nil, ingestion: nil, summary: nil, whole: nil}
	if len(paths) > maxVariables {
		return nil, ErrNames
	}
	for name, path := range paths {
		if name == "" || len(name) > maxName || strings.IndexFunc(name, func(r rune) bool { return r > 0x7f || r == '/' || !isNameByte(byte(r)) }) >= 0 {
			return nil, ErrNames
		}
		p, err := ParsePath(path)
		if err != nil {
			return nil, err
		}
		variables[name] = p
	}
	t := &Template{}
	if err := t.split(text, variables); err != nil {
		return nil, err
	}
	return t, t.check()
}

// split takes the text apart.
func (t *Template) split(text string, variables map[string]*Path) error {
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case '<':
			name, ok := placeName(text[i+1:])
			if !ok {
				continue
			}
			path, known := variables[name]
			if !known {
				return &PlaceholderError{name}
			}
			t.parts = append(t.parts, part{text: text[start:i]}, part{name: name, path: path, quoted: quoted})
			i += len(name) + 1
			start = i + 1
		}
	}
	t.parts = append(t.parts, part{text: text[start:]})
	return nil
}

// placeName reads NAME> at the beginning of s.
func placeName(s string) (string, bool) {
	for i := 0; i < len(s); i++ {
		if s[i] == '>' {
			return s[:i], i > 0
		}
		if s[i] != '.' && (s[i] == '/' || !isNameByte(s[i])) {
			return "", false
		}
	}
	return "", false
}

// check finds out whether the template is JSON where its places are null.
func (t *Template) check() error {
	var b bytes.Buffer
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.name != "" && !p.quoted {
			b.WriteString("null")
		}
	}
	for d, n := json.NewDecoder(&b), 0; ; n++ {
		var v json.RawMessage
		if err := d.Decode(&v); err == io.EOF && n > 0 {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w: %v", ErrSyntax, err)
		}
	}
}

// Fill gives the template with the parts of an event in their places.
func (t *Template) Fill(event []byte, v Variables) []byte {
	var b bytes.Buffer
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.name == "" {
			continue
		}
		if value := p.value(event, v); p.quoted {
			b.WriteString(bare(value))
		} else {
			b.Write(value)
		}
	}
	filled := bytes.TrimSpace(b.Bytes())
	if len(filled) > 0 && filled[0] == '"' {
		return filled
	}
	var small bytes.Buffer
	if json.Compact(&small, filled) != nil {
		return filled
	}
	return small.Bytes()
}

// value gives what belongs into a place, as JSON.
func (p *part) value(event []byte, v Variables) json.RawMessage {
	if p.path != nil {
		if found, ok := p.path.Find(event); ok {
			return found
		}
		return json.RawMessage(`""`)
	}
	switch p.name {
	case ruleARN:
		return quote(v.RuleARN)
	case ruleName:
		return quote(v.RuleName)
	case ingestion:
		return quote(v.Ingested.UTC().Format(time.RFC3339))
	case summary:
		return summaryOf(event)
	}
	return event
}

func quote(s string) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string can always be encoded
	return bytes.TrimSpace(b.Bytes())
}

// bare is a value as it stands within quotes.
func bare(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil && value[0] == '"' {
		return s
	}
	return strings.ReplaceAll(string(value), `"`, "")
}

// summaryOf is an event without its detail, in the order and with the names that
// EventBridge gives its members there.
func summaryOf(event []byte) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(event, &members) != nil {
		return json.RawMessage("{}")
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range []struct{ name, of string }{
		{"id", "id"}, {"account", "account"}, {"detailType", "detail-type"}, {"time", "time"}, {"source", "source"},
		{"region", "region"}, {"resources", "resources"}, {"version", "version"},
	} {
		if value, ok := members[m.of]; ok {
			if b.Len() > 1 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%q:%s", m.name, value)
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}
