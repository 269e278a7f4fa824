package pattern

import (
	"encoding/binary"
	"iter"
	"net/netip"
)

// The keys under which an index finds conditions. A condition has some keys, a value
// others, and only where they share one can the value meet the condition. The first
// byte says what the rest is.
//
//	x TEXT            exact string                  the string
//	l TEXT            true, false, null, odd number the literal
//	n NUMBER          number                        the number
//	f TEXT            equals-ignore-case            the string, folded
//	p TEXT  P TEXT    prefix, folded prefix         every beginning of a length in use
//	s TEXT  S TEXT    suffix, folded suffix         every ending of a length in use
//	w GRAM            a part of a wildcard          every part of a length in use
//	r BITS NUMBER     numeric range, in blocks of   the block of each size
//	a BITS ADDRESS    cidr, 2^BITS                  it is in
//
// The blocks of a size begin at multiples of it, and any range is made of few of them:
// at most two of a size.
//
// maxGram is how much of a wildcard's longest piece is a key.
const maxGram = 6

// keys gives a condition's keys: nil for one that could be met by any value.
func (c *condition) keys() []string {
	switch c.kind {
	case exact:
		return []string{"x" + c.text}
	case literal:
		return []string{"l" + c.text}
	case number:
		return []string{"n" + string(binary.BigEndian.AppendUint64(nil, uint64(c.lo)))}
	case fold:
		return []string{"f" + c.text}
	case prefix:
		return []string{"p" + c.text}
	case prefixFold:
		return []string{"P" + c.text}
	case suffix:
		return []string{"s" + c.text}
	case suffixFold:
		return []string{"S" + c.text}
	case wild:
		if piece := c.wilds[0].longest(); piece != "" {
			return []string{"w" + piece[:min(len(piece), maxGram)]}
		}
	case numeric:
		return blocks(number128(c.lo), number128(c.hi), 'r')
	case address, cidr:
		return blocks(address128(c.from), address128(c.to), addressTag(c.from))
	}
	return nil
}

// keys gives a value's keys that could be in use. Each is valid until the next one; the
// buffer is for making them in.
func (v *value) keys(in *sizes, buf []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		const most = 18 // of a key that is a number
		if cap(buf) < len(v.text)+most {
			buf = make([]byte, 0, len(v.text)+most)
		}
		if !v.quoted {
			if !yield(append(append(buf[:0], 'l'), v.text...)) || !v.isNum {
				return
			}
			if yield(binary.BigEndian.AppendUint64(append(buf[:0], 'n'), uint64(v.num))) {
				around(number128(v.num), 'r', in.number, buf, yield)
			}
			return
		}
		if !yield(append(append(buf[:0], 'x'), v.text...)) || !parts(v.text, "psw", in, buf, yield) {
			return
		}
		if in.folded > 0 {
			folded := foldCase(v.text)
			if !yield(append(append(buf[:0], 'f'), folded...)) || !parts(folded, "PS ", in, buf, yield) {
				return
			}
		}
		if len(in.address) > 0 {
			if ip, ok := parseAddress(v.text); ok {
				around(address128(ip), addressTag(ip), in.address, buf, yield)
			}
		}
	}
}

// parts gives the beginnings, endings and inner parts of a text that have the length of
// a key. tags are the first bytes of the three.
func parts(text, tags string, in *sizes, buf []byte, yield func([]byte) bool) bool {
	for n := range in.of(tags[0]) {
		if n <= len(text) && !yield(append(append(buf[:0], tags[0]), text[:n]...)) {
			return false
		}
	}
	for n := range in.of(tags[1]) {
		if n <= len(text) && !yield(append(append(buf[:0], tags[1]), text[len(text)-n:]...)) {
			return false
		}
	}
	if tags[2] == ' ' {
		return true
	}
	for n := range in.of(tags[2]) {
		for at := 0; at+n <= len(text); at++ {
			if !yield(append(append(buf[:0], tags[2]), text[at:at+n]...)) {
				return false
			}
		}
	}
	return true
}

// sizes counts the keys in use by their length, so that a value is not asked for others.
type sizes struct {
	prefix, prefixFold, suffix, suffixFold, gram map[int]int
	number, address                              map[int]int // by the size of blocks
	folded                                       int
}

func (s *sizes) of(tag byte) map[int]int {
	switch tag {
	case 'p':
		return s.prefix
	case 'P':
		return s.prefixFold
	case 's':
		return s.suffix
	case 'S':
		return s.suffixFold
	}
	return s.gram
}

// count counts a key n times more.
func (s *sizes) count(key string, n int) {
	var m *map[int]int
	size := len(key) - 1
	switch key[0] {
	case 'p':
		m = &s.prefix
	case 'P':
		m, s.folded = &s.prefixFold, s.folded+n
	case 's':
		m = &s.suffix
	case 'S':
		m, s.folded = &s.suffixFold, s.folded+n
	case 'w':
		m = &s.gram
	case 'f':
		s.folded += n
		return
	case 'r':
		m, size = &s.number, int(key[1])
	case 'a', 'A':
		m, size = &s.address, int(key[1])
	default:
		return
	}
	if *m == nil {
		*m = map[int]int{}
	}
	if (*m)[size] += n; (*m)[size] == 0 {
		delete(*m, size)
	}
}

// wide is a number of 128 bits.
type wide struct{ hi, lo uint64 }

func number128(n int64) wide { return wide{lo: uint64(n + maxNumber)} }

func address128(ip netip.Addr) wide {
	b := ip.As16()
	return wide{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// addressTag keeps the two families apart.
func addressTag(ip netip.Addr) byte {
	if ip.Is4() {
		return 'a'
	}
	return 'A'
}

func (w wide) less(v wide) bool { return w.hi < v.hi || w.hi == v.hi && w.lo < v.lo }

// clear sets the lowest bits to zero, fill to one.
func (w wide) clear(bits int) wide {
	switch {
	case bits >= 128:
		return wide{}
	case bits >= 64:
		return wide{w.hi >> (bits - 64) << (bits - 64), 0}
	}
	return wide{w.hi, w.lo >> bits << bits}
}

func (w wide) fill(bits int) wide {
	switch {
	case bits >= 128:
		return wide{^uint64(0), ^uint64(0)}
	case bits >= 64:
		return wide{w.hi | (1<<(bits-64) - 1), ^uint64(0)}
	}
	return wide{w.hi, w.lo | (1<<bits - 1)}
}

func (w wide) next() wide {
	if w.lo++; w.lo == 0 {
		w.hi++
	}
	return w
}

// blocks gives the keys of the fewest blocks that make up from..to. There are none for
// an empty range.
func blocks(from, to wide, tag byte) []string {
	keys := []string{}
	for !to.less(from) {
		bits := 0
		for bits < 128 && from.clear(bits+1) == from && !to.less(from.fill(bits+1)) {
			bits++
		}
		keys = append(keys, string(blockKey(nil, tag, bits, from)))
		last := from.fill(bits)
		if !last.less(to) {
			break
		}
		from = last.next()
	}
	return keys
}

func blockKey(b []byte, tag byte, bits int, first wide) []byte {
	b = append(b[:0], tag, byte(bits))
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, first.hi), first.lo)
}

// around gives the key of the block of every size in use that a number is in.
func around(w wide, tag byte, in map[int]int, buf []byte, yield func([]byte) bool) {
	for bits := range in {
		if !yield(blockKey(buf, tag, bits, w.clear(bits))) {
			return
		}
	}
}
