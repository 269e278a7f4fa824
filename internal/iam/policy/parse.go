package policy

import "fmt"

// MalformedError is why a document is no policy. The Reason is for callers of the
// API: it is what AWS answers as MalformedPolicyDocument.
type MalformedError struct {
	Reason string
}

// Error is the reason.
func (e *MalformedError) Error() string { return e.Reason }

func malformed(format string, args ...any) error {
	return &MalformedError{Reason: fmt.Sprintf(format, args...)}
}

// Parse reads a policy of the given kind. All its errors are *MalformedError.
//
// The grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(doc []byte, kind Kind) (*Policy, error) {
	s := speechOf(kind)
	root, err := readJSON(doc)
	if err != nil || root.kind != objectNode {
		return nil, malformed("%s", s.notJSON)
	}
	d, err := readDocument(&root, s)
	if err != nil {
		return nil, err
	}
	if err := d.check(kind); err != nil {
		return nil, err
	}
	return d.compile(kind)
}

// document is a policy as it was written, before its rules are checked.
type document struct {
	version    string
	statements []clause
}

// clause is a statement as it was written.
type clause struct {
	sid, effect string
	action      element
	resource    element
	principal   grantees
	conditions  []test
	compiled    []condition
}

// element is Action or NotAction, Resource or NotResource.
type element struct {
	present, not bool
	values       []string
}

// grantees is Principal or NotPrincipal.
type grantees struct {
	present, not bool
	everyone     bool // "Principal": "*"
	groups       []group
}

// group is one member of a principal map: "AWS": [...].
type group struct {
	kind   string
	values []string
}

// test is one key of a condition and the values it is compared to.
type test struct {
	operator, key string
	values        []string
}

// readDocument reads the members of a policy. Anything it doesn't know is refused:
// an element that was ignored could have been the one that denies.
func readDocument(root *node, s *speech) (*document, error) {
	d := &document{version: Version2008}
	var statement *node
	for i := range root.fields {
		value := &root.fields[i].value
		switch name := root.fields[i].name; name {
		case "Version":
			d.version = value.text
			if value.kind != stringNode || d.version != Version2008 && d.version != Version2012 {
				return nil, malformed("%s", s.badVersion)
			}
		case "Id":
			if value.kind != stringNode {
				return nil, malformed("%s", s.syntax)
			}
		case "Statement":
			statement = value
		default:
			return nil, s.unknownField(name)
		}
	}
	if statement == nil {
		return nil, s.missing("Statement")
	}
	var err error
	statement.each(func(n *node) bool {
		var c clause
		c, err = readClause(n, s)
		d.statements = append(d.statements, c)
		return err == nil
	})
	if err == nil && len(d.statements) == 0 {
		err = malformed("%s", s.noStatement)
	}
	return d, err
}

func readClause(n *node, s *speech) (c clause, err error) {
	if n.kind != objectNode {
		return c, malformed("%s", s.syntax)
	}
	for i := range n.fields {
		value := &n.fields[i].value
		ok := true
		switch name := n.fields[i].name; name {
		case "Sid":
			c.sid, ok = value.text, value.kind == stringNode
		case "Effect":
			c.effect, ok = value.text, value.kind == stringNode
		case "Action", "NotAction":
			ok = c.action.read(name == "NotAction", value)
		case "Resource", "NotResource":
			ok = c.resource.read(name == "NotResource", value)
		case "Principal", "NotPrincipal":
			ok = c.principal.read(name == "NotPrincipal", value)
		case "Condition":
			c.conditions, ok = readTests(value)
		default:
			return c, s.unknownField(name)
		}
		if !ok {
			return c, malformed("%s", s.syntax)
		}
	}
	return c, nil
}

// read reports whether n is a string or strings, and the first of its kind: Action
// and NotAction exclude each other.
func (e *element) read(not bool, n *node) (ok bool) {
	if e.present {
		return false
	}
	e.present, e.not = true, not
	e.values, ok = n.texts()
	return ok
}

func (g *grantees) read(not bool, n *node) bool {
	if g.present {
		return false
	}
	g.present, g.not = true, not
	if n.kind == stringNode {
		g.everyone = n.text == "*"
		return g.everyone
	}
	for i := range n.fields {
		values, ok := n.fields[i].value.texts()
		if !ok {
			return false
		}
		g.groups = append(g.groups, group{n.fields[i].name, values})
	}
	return n.kind == objectNode
}

// readTests reads a Condition: operators, in each of them keys, for each of them
// values. Numbers and booleans may be written without quotes.
func readTests(n *node) (list []test, ok bool) {
	if n.kind != objectNode {
		return nil, false
	}
	for i := range n.fields {
		operator := &n.fields[i]
		if operator.value.kind != objectNode {
			return nil, false
		}
		for j := range operator.value.fields {
			key := &operator.value.fields[j]
			t := test{operator: operator.name, key: key.name}
			ok := key.value.each(func(v *node) bool {
				t.values = append(t.values, v.text)
				return v.kind == stringNode || v.kind == scalarNode
			})
			if !ok {
				return nil, false
			}
			list = append(list, t)
		}
	}
	return list, true
}
