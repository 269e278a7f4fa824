package pattern

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Pattern is a parsed pattern. It is immutable.
type Pattern struct {
	branches []branch // what "$or" makes of it: one must match
	own      paths
}

// branch is fields that must all match, those that say most first.
type branch []field

// field is a name and its list.
type field struct {
	path       string
	steps      []string
	conditions []condition
	at         *step // in the pattern's own paths
}

// maxBranches bounds what alternatives of alternatives multiply to.
const maxBranches = 1000

// Parse reads a pattern. Its errors are of type *Error.
func Parse(text []byte, d Dialect) (*Pattern, error) {
	if n := utf8.RuneCount(text); n > d.maxText {
		return nil, &Error{Reason: "the pattern is longer than " + itoa(d.maxText) + " characters"}
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, new(json.RawMessage)); errors.As(err, &syntax) {
		return nil, errorAt(text, int(syntax.Offset), "%s", syntax.Error())
	} else if err != nil {
		return nil, errorAt(text, 0, "%v", err)
	}
	p := parser{reader: reader{b: text}, dialect: d}
	if p.peek() != '{' {
		return nil, p.fail(p.i+1, "Filter is not an object")
	}
	branches, err := p.object(nil, nil, false)
	if err != nil {
		return nil, err
	}
	return compile(branches), nil
}

// draft is a branch that is being read.
type draft map[string]field

func compile(drafts []draft) *Pattern {
	p := &Pattern{}
	for _, d := range drafts {
		b := make(branch, 0, len(d))
		for _, f := range d {
			f.at = p.own.add(f.steps)
			b = append(b, f)
		}
		slices.SortFunc(b, func(x, y field) int {
			return cmp.Or(cmp.Compare(x.rank(), y.rank()), strings.Compare(x.path, y.path))
		})
		p.branches = append(p.branches, b)
	}
	return p
}

// rank is that of the condition that says least.
func (f *field) rank() (worst int) {
	for i := range f.conditions {
		worst = max(worst, f.conditions[i].kind.rank())
	}
	return worst
}

// parser reads a pattern.
type parser struct {
	reader
	dialect Dialect
	tally   tally
}

// fail is an error about the byte before the offset.
func (p *parser) fail(offset int, format string, args ...any) *Error {
	return errorAt(p.b, offset, format, args...)
}

// here is the place up to where a token has been read. EventBridge's reader stops
// behind the opening quote of a string, and behind the last byte of all others.
func (p *parser) here() int {
	switch p.peek() {
	case '"', '{', '[', ']', '}', 0:
		return p.i + 1
	}
	r := p.reader
	r.literal()
	return r.i
}

// object reads an object into the branches read so far.
func (p *parser) object(branches []draft, path []string, inOr bool) ([]draft, error) {
	p.enter()
	empty := true
	for p.more() {
		empty = false
		name := p.text()
		if name == "$or" {
			var err error
			if branches, err = p.or(branches, path); err != nil {
				return nil, err
			}
			continue
		}
		if inOr && reserved(name) {
			return nil, p.fail(p.i, "%s is Ruler reserved fieldName which cannot be used inside $or.", name)
		}
		below := append(path, name) // its room is used again for the next name
		switch p.peek() {
		case '{':
			var err error
			if branches, err = p.object(branches, below, inOr); err != nil {
				return nil, err
			}
		case '[':
			conditions, err := p.list()
			if err != nil {
				return nil, err
			}
			if err := p.tally.add(p.dialect, len(conditions), len(below)); err != nil {
				return nil, err
			}
			branches = put(branches, below, conditions)
		default:
			return nil, p.fail(p.here(), "\"%s\" must be an object or an array", name)
		}
	}
	if empty {
		return nil, p.fail(p.i, "Empty objects are not allowed")
	}
	return branches, nil
}

// put adds a field to all branches; a later field of the same path replaces it.
func put(branches []draft, names []string, conditions []condition) []draft {
	path := strings.Join(names, ".")
	f := field{path: path, steps: strings.Split(path, "."), conditions: conditions}
	if len(branches) == 0 {
		branches = []draft{{}}
	}
	for _, b := range branches {
		b[path] = f
	}
	return branches
}

// or reads the alternatives of "$or": each makes copies of the branches read so far.
func (p *parser) or(before []draft, path []string) ([]draft, error) {
	if p.peek() != '[' {
		return nil, p.fail(p.here(), "It must be an Array followed with $or.")
	}
	if len(before) == 0 {
		before = []draft{{}}
	}
	p.enter()
	var all []draft
	alternatives := 0
	for p.more() {
		alternatives++
		if p.peek() != '{' {
			return nil, p.fail(p.here(), "Only JSON object is allowed in array of $or relationship.")
		}
		copies := make([]draft, len(before))
		for i, b := range before {
			copies[i] = make(draft, len(b)+1)
			for path, f := range b {
				copies[i][path] = f
			}
		}
		copies, err := p.object(copies, path, true)
		if err != nil {
			return nil, err
		}
		if all = append(all, copies...); len(all) > maxBranches {
			return nil, &Error{Reason: "$or makes more than " + itoa(maxBranches) + " combinations"}
		}
	}
	if alternatives < 2 {
		return nil, p.fail(p.i, "There must have at least 2 Objects in $or relationship.")
	}
	return all, nil
}

// reserved are names that can't be fields inside "$or", so that a forgotten field name
// is noticed.
func reserved(name string) bool {
	switch name {
	case "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
		"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
		"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
		"ip-address-in-range", "ip-address-not-in-range":
		return true
	}
	return false
}
