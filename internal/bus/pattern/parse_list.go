package pattern

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// list reads the list of a field.
func (p *parser) list() ([]condition, error) {
	p.enter()
	var list []condition
	for p.more() {
		switch p.peek() {
		case '"':
			list = append(list, exactly(p.text()))
		case '{':
			c, err := p.expression()
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		case '[':
			return nil, p.fail(p.here(), "Match value must be String, number, true, false, or null")
		default:
			list = append(list, plain(p.literal()))
		}
	}
	if len(list) == 0 {
		return nil, p.fail(p.i, "Empty arrays are not allowed")
	}
	return list, nil
}

// exactly is the condition for one string.
func exactly(s string) condition {
	if ip, ok := parseAddress(s); ok {
		return condition{kind: address, text: s, from: ip, to: ip}
	}
	return condition{kind: exact, text: s}
}

// plain is the condition for one number, true, false or null.
func plain(raw []byte) condition {
	v := newLiteral(raw, nil)
	if v.isNum {
		return condition{kind: number, lo: v.num, hi: v.num}
	}
	return condition{kind: literal, text: v.text}
}

// expression reads {"prefix": ...} and its like.
func (p *parser) expression() (condition, error) {
	c, err := p.matcher()
	if err != nil {
		return c, err
	}
	return c, p.close("Only one key allowed in match expression")
}

// close steps out of an object that should have had one member.
func (p *parser) close(reason string) error {
	if p.more() {
		return p.fail(p.here(), "%s", reason)
	}
	return nil
}

// name reads the first member's name of an object.
func (p *parser) name(missing string) (string, error) {
	p.enter()
	if !p.more() {
		return "", p.fail(p.i, "%s", missing)
	}
	return p.text(), nil
}

func (p *parser) matcher() (condition, error) {
	name, err := p.name("Match expression name not found")
	if err != nil {
		return condition{}, err
	}
	switch name {
	case "exactly":
		s, err := p.wantText("exact match pattern must be a string")
		return condition{kind: exact, text: s}, err
	case "prefix":
		return p.affix(prefix, prefixFold, "prefix", "Prefix")
	case "suffix":
		return p.affix(suffix, suffixFold, "suffix", "Suffix")
	case "equals-ignore-case":
		s, err := p.wantText("equals-ignore-case match pattern must be a string")
		return condition{kind: fold, text: foldCase(s)}, err
	case "wildcard":
		return p.wildcard()
	case "cidr":
		return p.cidr()
	case "exists":
		return p.exists()
	case "numeric":
		return p.numeric()
	case "anything-but":
		return p.anythingBut()
	}
	return condition{}, p.fail(p.i, "Unrecognized match type %s", name)
}

func (p *parser) wantText(reason string) (string, error) {
	if p.peek() != '"' {
		return "", p.fail(p.here(), "%s", reason)
	}
	return p.text(), nil
}

// affix reads a prefix or suffix: a string, or one whose case is ignored.
func (p *parser) affix(plain, folded kind, name, title string) (condition, error) {
	if p.peek() != '{' {
		s, err := p.wantText(name + " match pattern must be a string")
		return condition{kind: plain, text: s}, err
	}
	op, err := p.name(title + " expression name not found")
	if err != nil {
		return condition{}, err
	}
	if op != "equals-ignore-case" {
		return condition{}, p.fail(p.i, "Unsupported %s pattern: %s", name, op)
	}
	s, err := p.wantText("equals-ignore-case match pattern must be a string")
	if err != nil {
		return condition{}, err
	}
	return condition{kind: folded, text: foldCase(s)}, p.close("Only one key allowed in match expression")
}

func (p *parser) wildcard() (condition, error) {
	at := p.here()
	s, err := p.wantText("wildcard match pattern must be a string")
	if err != nil {
		return condition{}, err
	}
	w, err := parseWildcard(s)
	if err != nil {
		return condition{}, p.fail(at, "%v", err)
	}
	return condition{kind: wild, text: s, wilds: []wildcard{w}}, nil
}

func (p *parser) exists() (condition, error) {
	at := p.here()
	switch c := p.peek(); c {
	case 't', 'f':
		p.literal()
		if c == 't' {
			return condition{kind: exists}, nil
		}
		return condition{kind: absent}, nil
	}
	return condition{}, p.fail(at, "exists match pattern must be either true or false.")
}

// cidr reads an address range. It begins with the address as it is written, even where
// bits behind the mask are set, as EventBridge's does.
func (p *parser) cidr() (condition, error) {
	at := p.here()
	s, err := p.wantText("prefix match pattern must be a string")
	if err != nil {
		return condition{}, err
	}
	base, mask, ok := strings.Cut(s, "/")
	if !ok || strings.Contains(mask, "/") || base == "" || mask == "" {
		return condition{}, p.fail(at, "Malformed CIDR, one '/' required")
	}
	bits, err := strconv.Atoi(mask)
	if err != nil {
		return condition{}, p.fail(at, "Malformed CIDR, mask bits must be an integer")
	}
	from, ok := parseAddress(base)
	switch {
	case bits < 0:
		return condition{}, p.fail(at, "Malformed CIDR, mask bits must not be negative")
	case !ok:
		return condition{}, p.fail(at, "Nonstandard IP address: %s", base)
	case from.Is4() && bits > 31:
		return condition{}, p.fail(at, "IPv4 mask bits must be < 32")
	case from.Is6() && bits > 127:
		return condition{}, p.fail(at, "IPv6 mask bits must be < 128")
	}
	return condition{kind: cidr, text: s, from: from, to: lastOf(from, bits)}, nil
}

// lastOf is the last address that shares its first bits with ip.
func lastOf(ip netip.Addr, bits int) netip.Addr {
	b := ip.AsSlice()
	for i := range b {
		if keep := bits - 8*i; keep <= 0 {
			b[i] = 0xff
		} else if keep < 8 {
			b[i] |= 0xff >> keep
		}
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

// numeric reads [">", 0, "<=", 5] and its like.
func (p *parser) numeric() (condition, error) {
	if p.peek() != '[' {
		return condition{}, p.fail(p.here(), "Value of numeric must be an array.")
	}
	p.enter()
	if p.peek() != '"' {
		return condition{}, p.fail(p.here(), "Invalid member in numeric match: %s", p.show())
	}
	c := condition{kind: numeric, lo: -maxNumber, hi: maxNumber}
	op := p.text()
	n, err := p.bound(op)
	if err != nil {
		return c, err
	}
	switch op {
	case "=":
		c = condition{kind: number, lo: n, hi: n}
	case "<":
		c.hi = n - 1
	case "<=":
		c.hi = n
	case ">", ">=":
		c.lo = n
		return p.upper(c, op)
	}
	return c, p.close("Too many elements in numeric expression")
}

// bound reads the number after an operator.
func (p *parser) bound(op string) (int64, error) {
	name := op
	switch op {
	case "=":
		name = "equals"
	case "<", "<=", ">", ">=":
	default:
		return 0, p.fail(p.i, "Unrecognized numeric range operator: %s", op)
	}
	at := p.here()
	if c := p.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, p.fail(at, "Value of %s must be numeric", name)
	}
	n, bad := parseNumber(p.literal())
	if bad != "" {
		return 0, p.fail(at, "%s", bad)
	}
	return n, nil
}

// upper reads the rest of a range that has its lower bound.
func (p *parser) upper(c condition, lower string) (condition, error) {
	bottom := c.lo
	if lower == ">" {
		c.lo++
	}
	if !p.more() {
		return c, nil
	}
	at := p.here()
	if p.peek() != '"' {
		return c, p.fail(at, "Bad value in numeric range: %s", p.show())
	}
	op := p.text()
	if op != "<" && op != "<=" {
		return c, p.fail(at, "Bad numeric range operator: %s", op)
	}
	top, err := p.bound(op)
	if err != nil {
		return c, err
	}
	if bottom >= top {
		return c, p.fail(p.i, "Bottom must be less than top")
	}
	if c.hi = top; op == "<" {
		c.hi--
	}
	return c, p.close("Too many terms in numeric range expression")
}

// show is the next token as messages print it.
func (p *parser) show() string {
	switch c := p.peek(); c {
	case '"':
		return p.text()
	case '{', '[', ']', '}':
		return string(c)
	}
	return string(p.literal())
}

// anythingBut reads what a value must not be: one or many, strings or numbers, or
// strings by one of four operators.
func (p *parser) anythingBut() (condition, error) {
	if p.peek() != '{' {
		return p.butValues()
	}
	op, err := p.name("Anything-But expression name not found")
	if err != nil {
		return condition{}, err
	}
	c := condition{}
	reason := "prefix/suffix match pattern must be a string"
	switch op {
	case "prefix":
		c.kind = butPrefix
	case "suffix":
		c.kind = butSuffix
	case "wildcard":
		c.kind, reason = butWild, "wildcard match pattern must be a string"
	case "equals-ignore-case":
		c.kind, reason = butFold, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
	default:
		return c, p.fail(p.i, "Unsupported anything-but pattern: %s", op)
	}
	if err := p.each(func() error { return p.butText(&c, reason) }); err != nil {
		return c, err
	}
	slices.Sort(c.texts)
	c.texts = slices.Compact(c.texts)
	return c, p.close("Too many elements in numeric expression")
}

// each calls read for one value or for each of a list.
func (p *parser) each(read func() error) error {
	switch p.peek() {
	case '[':
		p.enter()
		for p.more() {
			if err := read(); err != nil {
				return err
			}
		}
		return nil
	case '{', 't', 'f', 'n':
		return p.fail(p.here(), "Value of anything-but must be an array or single string/number value.")
	}
	return read()
}

func (p *parser) butText(c *condition, reason string) error {
	at := p.here()
	s, err := p.wantText(reason)
	switch {
	case err != nil:
		return err
	case s == "" && (c.kind == butPrefix || c.kind == butSuffix):
		return p.fail(at, "Null prefix/suffix not allowed")
	case c.kind == butFold:
		s = foldCase(s)
	case c.kind == butWild:
		w, err := parseWildcard(s)
		if err != nil {
			return p.fail(at, "%v", err)
		}
		c.wilds = append(c.wilds, w)
	}
	c.texts = append(c.texts, s)
	return nil
}

// butValues reads strings or numbers, but not both.
func (p *parser) butValues() (condition, error) {
	c := condition{kind: butText}
	err := p.each(func() error {
		at := p.here()
		switch b := p.peek(); {
		case b == '"':
			c.texts = append(c.texts, p.text())
		case b == '-' || b >= '0' && b <= '9':
			n, bad := parseNumber(p.literal())
			if bad != "" {
				return p.fail(at, "%s", bad)
			}
			c.numbers = append(c.numbers, n)
		default:
			return p.fail(at, "Inside anything but list, start|null|boolean is not supported.")
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	if (len(c.numbers) > 0) == (len(c.texts) > 0) {
		return c, p.fail(p.i, "Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	if len(c.numbers) > 0 {
		c.kind = butNumber
	}
	slices.Sort(c.texts)
	slices.Sort(c.numbers)
	c.texts, c.numbers = slices.Compact(c.texts), slices.Compact(c.numbers)
	return c, nil
}
