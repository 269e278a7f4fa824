package pattern

import "math"

// Numbers are counted in millionths. The grid is what makes them comparable exactly:
// the number after x is x+1.
const (
	decimals  = 6
	maxNumber = 5_000_000_000 * 1_000_000
)

// numberError says why a number of a pattern can't be compared.
type numberError string

const (
	errRange    numberError = "Value must be between -5.0E9 and 5.0E9, inclusive"
	errDecimals numberError = "Only values upto 6 decimals are supported"
)

// parseNumber reads a JSON number exactly; an error for one that is not on the grid.
func parseNumber(text []byte) (int64, numberError) {
	negative := len(text) > 0 && text[0] == '-'
	digits, exponent, ok := mantissa(text)
	if !ok {
		return 0, errRange
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	switch {
	case len(digits) == 0:
		return 0, ""
	case exponent < -decimals:
		return 0, errDecimals
	case len(digits)+exponent > 10: // five billion has ten digits
		return 0, errRange
	}
	n := int64(0)
	for _, d := range digits {
		n = n*10 + int64(d-'0')
	}
	for range exponent + decimals {
		n *= 10
	}
	if n > maxNumber {
		return 0, errRange
	}
	if negative {
		n = -n
	}
	return n, ""
}

// mantissa takes a number apart: digits x 10^exponent, without leading zeros.
func mantissa(text []byte) (digits []byte, exponent int, ok bool) {
	var buf [48]byte
	digits = buf[:0]
	point := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '-' && i == 0:
		case c == '.':
			point = true
		case c == 'e' || c == 'E':
			e, ok := parseExponent(text[i+1:])
			return digits, exponent + e, ok || len(digits) == 0
		case c >= '0' && c <= '9':
			if point {
				exponent--
			}
			if c == '0' && len(digits) == 0 {
				continue
			}
			digits = append(digits, c)
		default:
			return nil, 0, false
		}
	}
	return digits, exponent, true
}

func parseExponent(text []byte) (int, bool) {
	negative, e := false, 0
	for i, c := range text {
		switch {
		case i == 0 && (c == '+' || c == '-'):
			negative = c == '-'
		case e > math.MaxInt32/10:
			return 0, false
		default:
			e = e*10 + int(c-'0')
		}
	}
	if negative {
		e = -e
	}
	return e, true
}
