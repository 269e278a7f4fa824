package pattern

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is what a condition does.
type kind uint8

// The kinds, those first that leave fewest values.
const (
	exact      kind = iota // a string
	literal                // true, false, null, or a number as it is written
	number                 // a number by its value
	address                // a string that is an IP address
	fold                   // equals-ignore-case
	prefix                 //
	suffix                 //
	prefixFold             //
	suffixFold             //
	cidr                   //
	wild                   //
	numeric                // a range
	butText                // anything-but strings
	butNumber              // anything-but numbers
	butFold                // anything-but equals-ignore-case
	butPrefix              //
	butSuffix              //
	butWild                //
	exists                 //
	absent                 // exists: false
)

// rank orders fields so that those which say most come first.
func (k kind) rank() int {
	switch {
	case k <= address:
		return 0
	case k <= cidr:
		return 1
	case k <= numeric:
		return 2
	case k <= butWild:
		return 3
	case k == exists:
		return 4
	}
	return 5
}

// condition is one element of a field's list.
type condition struct {
	kind    kind
	text    string     // folded for the kinds that ignore case
	texts   []string   // of anything-but, sorted
	numbers []int64    // of anything-but, sorted
	lo, hi  int64      // number: lo; numeric: lo <= x <= hi
	from    netip.Addr // address: from; cidr: from <= x <= to
	to      netip.Addr //
	wilds   []wildcard // of wild and anything-but
}

// value is a leaf of an event.
type value struct {
	text   string // a string without quotes, anything else as it is written
	quoted bool
	isNum  bool
	num    int64
	in     *member // where in arrays it is, nil for nowhere
}

func newText(s string, in *member) value { return value{text: s, quoted: true, in: in} }

func newLiteral(raw []byte, in *member) value {
	v := value{text: string(raw), in: in}
	if c := raw[0]; c == '-' || c >= '0' && c <= '9' {
		n, bad := parseNumber(raw)
		v.num, v.isNum = n, bad == ""
	}
	return v
}

// match says whether a leaf meets the condition. An absent field has no leaf: absent
// never matches here.
func (c *condition) match(v *value) bool {
	switch c.kind {
	case exists:
		return true
	case literal:
		return !v.quoted && v.text == c.text
	case number:
		return v.isNum && v.num == c.lo
	case numeric:
		return v.isNum && c.lo <= v.num && v.num <= c.hi
	case butText, butNumber, butFold, butPrefix, butSuffix, butWild:
		return !c.excludes(v)
	}
	if !v.quoted {
		return false // the others are about strings
	}
	switch c.kind {
	case exact:
		return v.text == c.text
	case prefix:
		return strings.HasPrefix(v.text, c.text)
	case suffix:
		return strings.HasSuffix(v.text, c.text)
	case fold:
		return foldCase(v.text) == c.text
	case prefixFold:
		return strings.HasPrefix(foldCase(v.text), c.text)
	case suffixFold:
		return strings.HasSuffix(foldCase(v.text), c.text)
	case wild:
		return c.wilds[0].match(v.text)
	case address, cidr:
		ip, ok := parseAddress(v.text)
		return ok && ip.BitLen() == c.from.BitLen() && c.from.Compare(ip) <= 0 && ip.Compare(c.to) <= 0
	}
	return false
}

// excludes says whether a leaf is one that anything-but names: values of other types
// never are.
func (c *condition) excludes(v *value) bool {
	if c.kind == butNumber {
		_, found := slices.BinarySearch(c.numbers, v.num)
		return v.isNum && found
	}
	if !v.quoted {
		return false
	}
	switch c.kind {
	case butText:
		_, found := slices.BinarySearch(c.texts, v.text)
		return found
	case butFold:
		_, found := slices.BinarySearch(c.texts, foldCase(v.text))
		return found
	case butPrefix:
		return slices.ContainsFunc(c.texts, func(s string) bool { return strings.HasPrefix(v.text, s) })
	case butSuffix:
		return slices.ContainsFunc(c.texts, func(s string) bool { return strings.HasSuffix(v.text, s) })
	}
	return slices.ContainsFunc(c.wilds, func(w wildcard) bool { return w.match(v.text) })
}

// foldCase gives texts that differ only in case the same form.
func foldCase(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z')
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}

// parseAddress reads a string that looks like an IP address: digits and dots, or
// hexadecimal digits and colons.
func parseAddress(s string) (netip.Addr, bool) {
	if len(s) < 2 || len(s) > 39 {
		return netip.Addr{}, false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == '.', c == ':':
		default:
			return netip.Addr{}, false
		}
	}
	ip, err := netip.ParseAddr(s)
	return ip.Unmap(), err == nil
}
