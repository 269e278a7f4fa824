package wire

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// timeFormat is how a timestamp is written. The zero value leaves it to the
// protocol and the place.
type timeFormat uint8

const (
	formatDefault  timeFormat = iota
	formatEpoch               // 1515531081.123
	formatDateTime            // 2018-01-09T20:51:21.123Z
	formatHTTPDate            // Tue, 09 Jan 2018 20:51:21 GMT
)

func formatNamed(name string) timeFormat {
	switch name {
	case "epoch-seconds":
		return formatEpoch
	case "date-time":
		return formatDateTime
	case "http-date":
		return formatHTTPDate
	}
	return formatDefault
}

// or gives f, or the default of the place when the model names none.
func (f timeFormat) or(d timeFormat) timeFormat {
	if f == formatDefault {
		return d
	}
	return f
}

// appendTime writes t, unquoted. AWS keeps milliseconds and drops the rest.
func appendTime(b []byte, t time.Time, f timeFormat) []byte {
	t = t.UTC()
	switch f {
	case formatDateTime:
		b = t.AppendFormat(b, "2006-01-02T15:04:05")
		if ms := t.Nanosecond() / int(time.Millisecond); ms != 0 {
			b = append(b, '.')
			b = appendMillis(b, ms)
		}
		return append(b, 'Z')
	case formatHTTPDate:
		return t.AppendFormat(b, http.TimeFormat)
	default:
		ms := t.UnixMilli()
		if ms < 0 {
			b, ms = append(b, '-'), -ms
		}
		b = strconv.AppendInt(b, ms/1000, 10)
		if frac := int(ms % 1000); frac != 0 {
			b = append(b, '.')
			b = appendMillis(b, frac)
		}
		return b
	}
}

// appendMillis writes 1 to 999 as a fraction's digits, trailing zeros off.
func appendMillis(b []byte, ms int) []byte {
	d := [3]byte{byte('0' + ms/100), byte('0' + ms/10%10), byte('0' + ms%10)}
	return append(b, strings.TrimRight(string(d[:]), "0")...)
}

// maxEpoch is the last second of the year 9999, the end of what a date can say.
const maxEpoch = 253402300799

// parseTime reads a timestamp of the format.
func parseTime(s string, f timeFormat) (time.Time, error) {
	switch f {
	case formatDateTime:
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q is not a date and time of the form 2006-01-02T15:04:05Z", s)
		}
		return t.UTC(), nil
	case formatHTTPDate:
		t, err := http.ParseTime(s)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q is not a date of the form Mon, 02 Jan 2006 15:04:05 GMT", s)
		}
		return t.UTC(), nil
	default:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q is not a number of seconds", s)
		}
		return epochTime(v)
	}
}

// epochTime makes a time of seconds since 1970, to the millisecond.
func epochTime(v float64) (time.Time, error) {
	if math.IsNaN(v) || v < -maxEpoch || v > maxEpoch {
		return time.Time{}, fmt.Errorf("%v is not a number of seconds between the years 0 and 9999", v)
	}
	return time.UnixMilli(int64(math.Round(v * 1000))).UTC(), nil
}
