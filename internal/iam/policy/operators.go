package policy

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// operator is a condition operator without its prefix and suffix.
type operator struct {
	negated bool // it holds if no operand matches
	null    bool // it is Null
	compile func(value string, variables bool) (operand, error)
}

// operators by their names, whose case matters.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]*operator{
	"StringEquals":              {compile: newText},
	"StringNotEquals":           {compile: newText, negated: true},
	"StringEqualsIgnoreCase":    {compile: newFolded},
	"StringNotEqualsIgnoreCase": {compile: newFolded, negated: true},
	"StringLike":                {compile: newLike},
	"StringNotLike":             {compile: newLike, negated: true},

	"NumericEquals":            {compile: newNumber(0)},
	"NumericNotEquals":         {compile: newNumber(0), negated: true},
	"NumericLessThan":          {compile: newNumber(-1)},
	"NumericLessThanEquals":    {compile: newNumber(-1, 0)},
	"NumericGreaterThan":       {compile: newNumber(1)},
	"NumericGreaterThanEquals": {compile: newNumber(1, 0)},

	"DateEquals":            {compile: newDate(0)},
	"DateNotEquals":         {compile: newDate(0), negated: true},
	"DateLessThan":          {compile: newDate(-1)},
	"DateLessThanEquals":    {compile: newDate(-1, 0)},
	"DateGreaterThan":       {compile: newDate(1)},
	"DateGreaterThanEquals": {compile: newDate(1, 0)},

	"Bool":         {compile: newFolded},
	"BinaryEquals": {compile: newBinary},
	"IpAddress":    {compile: newNetwork},
	"NotIpAddress": {compile: newNetwork, negated: true},

	// ArnEquals and ArnLike are the same.
	"ArnEquals":    {compile: newARN},
	"ArnLike":      {compile: newARN},
	"ArnNotEquals": {compile: newARN, negated: true},
	"ArnNotLike":   {compile: newARN, negated: true},

	"Null": {compile: newNull, null: true},
}

var errOperand = errors.New("not a value of its operator")

// text matches the whole of a value, with wildcards or without.
type text struct{ pattern }

func newText(v string, variables bool) (operand, error) {
	return &text{newPattern(v, syntax{variables: variables})}, nil
}

func newLike(v string, variables bool) (operand, error) {
	return &text{newPattern(v, syntax{wildcards: true, variables: variables})}, nil
}

func (o *text) holds(v string, k *Keys) (bool, bool) { return o.match(v, k) }

// folded is text whatever the case of its letters.
type folded struct{ pattern }

func newFolded(v string, variables bool) (operand, error) {
	return &folded{newPattern(v, syntax{variables: variables})}, nil
}

func (o *folded) holds(v string, k *Keys) (bool, bool) { return o.equalFold(v, k) }

// number is compared with another, which has to lie on one of the sides wanted.
type number struct {
	value decimal
	sides []int
}

func newNumber(sides ...int) func(string, bool) (operand, error) {
	return func(v string, _ bool) (operand, error) {
		n, ok := parseDecimal(v)
		if !ok {
			return nil, errOperand
		}
		return &number{n, sides}, nil
	}
}

func (o *number) holds(v string, _ *Keys) (bool, bool) {
	n, ok := parseDecimal(v)
	return ok && contains(o.sides, n.compare(o.value)), true
}

func contains(sides []int, side int) bool {
	return side == sides[0] || len(sides) > 1 && side == sides[1]
}

// decimal is exact for integers, which ids and sizes are.
type decimal struct {
	whole    int64
	isWhole  bool
	fraction float64
}

func parseDecimal(s string) (decimal, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return decimal{n, true, float64(n)}, true
	}
	// ParseFloat knows more than decimal numbers: infinity, 0x1p-2, 1_000.
	if len(s) > 64 || strings.Trim(s, "0123456789+-.eE") != "" {
		return decimal{}, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return decimal{fraction: f}, err == nil
}

func (d decimal) compare(e decimal) int {
	if d.isWhole && e.isWhole {
		return cmp.Compare(d.whole, e.whole)
	}
	return cmp.Compare(d.fraction, e.fraction)
}

// binary is compared byte for byte; policies hold it in base 64.
type binary struct{ bytes string }

func newBinary(v string, _ bool) (operand, error) {
	b, err := base64.StdEncoding.DecodeString(v)
	return &binary{string(b)}, err
}

func (o *binary) holds(v string, _ *Keys) (bool, bool) { return v == o.bytes, true }

// network is a range of addresses; one address is a range of one.
type network struct{ prefix netip.Prefix }

func newNetwork(v string, _ bool) (operand, error) {
	if a, err := netip.ParseAddr(v); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return &network{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	p, err := netip.ParsePrefix(v)
	return &network{p.Masked()}, err
}

func (o *network) holds(v string, _ *Keys) (bool, bool) {
	a, err := netip.ParseAddr(v)
	return err == nil && o.prefix.Contains(a.Unmap().WithZone("")), true
}

// arnOperand matches ARNs part by part.
type arnOperand struct{ arnPattern }

func newARN(v string, variables bool) (operand, error) {
	in := syntax{wildcards: true, variables: variables}
	return &arnOperand{newARNPattern(v, in, in)}, nil
}

func (o *arnOperand) holds(v string, k *Keys) (bool, bool) {
	a, ok := cutARN(v)
	return o.match(&a, ok, k)
}

// null says whether the key has to be absent.
type null bool

func newNull(v string, _ bool) (operand, error) {
	if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
		return nil, errOperand
	}
	return null(strings.EqualFold(v, "true")), nil
}

func (o null) holds(string, *Keys) (bool, bool) { return bool(o), true }
