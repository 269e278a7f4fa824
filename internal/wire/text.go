package wire

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
)

// The values of headers, paths, query strings, forms and XML are text; these
// functions read them.

func textBool(s string) (bool, error) {
	switch s {
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	return false, malformedf("%q can not be converted to a Boolean", clip(s))
}

func textInt(s string, bits int) (int64, error) {
	n, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		return 0, malformedf("%q can not be converted to an Integer of %d bits", clip(s), bits)
	}
	return n, nil
}

func textFloat(s string, bits int) (float64, error) {
	if f, ok := specialFloat(s); ok {
		return f, nil
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, malformedf("%q can not be converted to a Double", clip(s))
	}
	return f, nil
}

func textTime(s string, f timeFormat) (time.Time, error) {
	t, err := parseTime(s, f)
	if err != nil {
		return t, malformedf("%v", err)
	}
	return t, nil
}

// appendFloat writes f in the shortest form that reads back the same; the three
// special values are the caller's to quote.
func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, bits)
}

func decodeBase64(b []byte) ([]byte, error) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Decode(out, b)
	if err != nil {
		return nil, malformedf("the value is not valid base64")
	}
	return out[:n], nil
}

func specialFloat(s string) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// clip shortens what a message quotes of a body.
func clip[T string | []byte](s T) string {
	if len(s) > 40 {
		return string(s[:40]) + "..."
	}
	return string(s)
}
