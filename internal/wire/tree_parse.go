package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// newXMLReader parses a document. Attributes keep the names they are written with,
// prefix and all.
func newXMLReader(body []byte) (*treeReader, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Entity = map[string]string{}
	root := &branch{}
	open := []*branch{root}
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformedf("the document is not well-formed XML")
		}
		top := open[len(open)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			if len(open) > maxDepth {
				return nil, malformedf("the document is nested more than %d levels deep", maxDepth)
			}
			b := newElement(t)
			top.kids = append(top.kids, b)
			open = append(open, b)
		case xml.EndElement:
			if len(open) == 1 || top.name != t.Name.Local {
				return nil, malformedf("the document is not well-formed XML")
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(top.kids) == 0 {
				top.text = append(top.text, t...)
			}
		}
	}
	if len(open) != 1 || len(root.kids) != 1 {
		return nil, malformedf("the document is not well-formed XML")
	}
	return &treeReader{cur: root.kids[0]}, nil
}

func newElement(t xml.StartElement) *branch {
	b := &branch{name: t.Name.Local}
	for _, a := range t.Attr {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = a.Name.Space + ":" + name
		}
		b.attrs = append(b.attrs, &branch{name: name, text: []byte(a.Value)})
	}
	return b
}

// newFormReader makes a tree of a form's keys: "Tags.member.1.Key" is four levels.
func newFormReader(form url.Values) (*treeReader, error) {
	root := &branch{}
	index := map[string]*branch{"": root} // by the key so far
	for _, key := range slices.Sorted(maps.Keys(form)) {
		if strings.Count(key, ".") >= maxDepth {
			return nil, malformedf("the parameter %s is nested more than %d levels deep", clip(key), maxDepth)
		}
		at := root
		for end := 0; end < len(key); end++ {
			start := end
			for end < len(key) && key[end] != '.' {
				end++
			}
			next := index[key[:end]]
			if next == nil {
				next = &branch{name: key[start:end]}
				at.kids = append(at.kids, next)
				index[key[:end]] = next
			}
			at = next
		}
		at.text = []byte(form[key][0])
	}
	return &treeReader{form: true, cur: root}, nil
}
