package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// The bounds of a document. IAM takes at most 131072 characters of policy in a
// request; the quotas of what is stored are far below and are its callers'.
// A list of values in a condition, the deepest place the grammar knows, is in five
// others.
const (
	maxBytes = 128 << 10
	maxDepth = 6
)

// node is a JSON value. Unlike a map it keeps the order of an object's members,
// and reading it refuses two of one name.
type node struct {
	kind   nodeKind
	text   string // of strings, numbers and booleans
	items  []node // of lists
	fields []field
}

type field struct {
	name  string
	value node
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	stringNode
	scalarNode // a number or a boolean
	listNode
	objectNode
)

var errJSON = errors.New("not a JSON document within bounds")

// readJSON reads one JSON value and nothing after it.
func readJSON(doc []byte) (node, error) {
	if len(doc) > maxBytes || !utf8.Valid(doc) {
		return node{}, errJSON
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	n, err := readNode(d, maxDepth)
	if err != nil {
		return node{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return node{}, errJSON
	}
	return n, nil
}

func readNode(d *json.Decoder, depth int) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch t := token.(type) {
	case string:
		return node{kind: stringNode, text: t}, nil
	case json.Number:
		return node{kind: scalarNode, text: t.String()}, nil
	case bool:
		if t {
			return node{kind: scalarNode, text: "true"}, nil
		}
		return node{kind: scalarNode, text: "false"}, nil
	case json.Delim:
		if depth == 0 {
			return node{}, errJSON
		}
		if t == '[' {
			return readList(d, depth-1)
		}
		return readObject(d, depth-1)
	}
	return node{}, nil
}

func readList(d *json.Decoder, depth int) (node, error) {
	n := node{kind: listNode}
	for d.More() {
		item, err := readNode(d, depth)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}

func readObject(d *json.Decoder, depth int) (node, error) {
	n := node{kind: objectNode}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return node{}, err
		}
		name, ok := token.(string)
		if !ok || seen[name] {
			return node{}, errJSON
		}
		seen[name] = true
		value, err := readNode(d, depth)
		if err != nil {
			return node{}, err
		}
		n.fields = append(n.fields, field{name, value})
	}
	_, err := d.Token()
	return n, err
}

// each calls f for the members of a list, or for n itself where the brackets
// around a single value were left out.
func (n *node) each(f func(*node) bool) bool {
	if n.kind != listNode {
		return f(n)
	}
	for i := range n.items {
		if !f(&n.items[i]) {
			return false
		}
	}
	return true
}

// texts reads a string or a list of strings.
func (n *node) texts() (list []string, ok bool) {
	ok = n.each(func(v *node) bool {
		list = append(list, v.text)
		return v.kind == stringNode
	})
	return list, ok
}

// Size is how large IAM counts a policy: its characters without the white space.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func Size(doc []byte) int {
	n := 0
	for _, r := range string(doc) {
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' {
			n++
		}
	}
	return n
}
