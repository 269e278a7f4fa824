package policy

import (
	"strconv"
	"strings"
	"time"
)

// date is a point in time.
type date struct {
	at    time.Time
	sides []int
}

func newDate(sides ...int) func(string, bool) (operand, error) {
	return func(v string, _ bool) (operand, error) {
		at, ok := parseDate(v)
		if !ok {
			return nil, errOperand
		}
		return &date{at, sides}, nil
	}
}

func (o *date) holds(v string, _ *Keys) (bool, bool) {
	at, ok := parseDate(v)
	return ok && contains(o.sides, at.Compare(o.at)), true
}

// maxDate is longer than any date one would write.
const maxDate = 64

// parseDate reads seconds since 1970, or a date of https://www.w3.org/TR/NOTE-datetime
// as freely as IAM takes them: parts may be missing from the end on, hours may have
// one digit, and without a zone it is UTC. It is a date if there is a "-" or a "T" in it.
func parseDate(s string) (time.Time, bool) {
	if len(s) > maxDate {
		return time.Time{}, false
	}
	if !strings.ContainsAny(s, "-Tt") {
		n, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(n, 0), err == nil && n >= 0
	}
	day, clock, zone := s, "", ""
	if i := strings.IndexAny(s, "Tt"); i >= 0 {
		day, clock = s[:i], s[i+1:]
	}
	if i := strings.IndexAny(clock, "Zz+-"); i >= 0 {
		clock, zone = clock[:i], clock[i:]
	}
	year, month, dom, ok := parseDay(day)
	seconds, nanos, ok2 := parseClock(clock)
	offset, ok3 := parseZone(zone)
	if !ok || !ok2 || !ok3 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), dom, 0, 0, seconds-offset, nanos, time.UTC), true
}

// parseDay reads YYYY[-MM[-DD]]; years may be negative, and are bounded so that no
// sum of them with a clock's time overflows.
func parseDay(s string) (year, month, day int, ok bool) {
	rest, negative := strings.CutPrefix(s, "-")
	parts := strings.Split(rest, "-")
	month, day = 1, 1
	year, ok = parsePart(parts[0], 0, 292278993)
	if ok && len(parts) > 1 {
		month, ok = parsePart(parts[1], 1, 12)
	}
	if ok && len(parts) > 2 {
		day, ok = parsePart(parts[2], 1, 31)
	}
	if negative {
		year = -year
	}
	return year, month, day, ok && len(parts) <= 3
}

// parseClock reads [hh[:mm[:ss[.fraction]]]].
func parseClock(s string) (seconds, nanos int, ok bool) {
	if s == "" {
		return 0, 0, true
	}
	s, fraction, hasFraction := strings.Cut(s, ".")
	parts := strings.Split(s, ":")
	bounds := [...]int{23, 59, 59}
	if len(parts) > len(bounds) || hasFraction && len(parts) < len(bounds) {
		return 0, 0, false
	}
	for i, unit := range [...]int{3600, 60, 1} {
		if i < len(parts) {
			n, ok := parsePart(parts[i], 0, bounds[i])
			if !ok {
				return 0, 0, false
			}
			seconds += n * unit
		}
	}
	if !hasFraction {
		return seconds, 0, true
	}
	if len(fraction) > 9 {
		return 0, 0, false
	}
	nanos, ok = parsePart(fraction+"000000000"[len(fraction):], 0, 999999999)
	return seconds, nanos, ok && fraction != ""
}

// parseZone reads Z, +hh, +hh:mm or +hhmm, as seconds east of UTC.
func parseZone(s string) (int, bool) {
	if s == "" || s == "Z" || s == "z" {
		return 0, true
	}
	sign, s := s[0], strings.Replace(s[1:], ":", "", 1)
	if sign != '+' && sign != '-' || len(s) != 2 && len(s) != 4 {
		return 0, false
	}
	hours, ok := parsePart(s[:2], 0, 23)
	minutes, ok2 := 0, true
	if len(s) == 4 {
		minutes, ok2 = parsePart(s[2:], 0, 59)
	}
	offset := hours*3600 + minutes*60
	if sign == '-' {
		offset = -offset
	}
	return offset, ok && ok2
}

// parsePart reads a number of digits alone, within bounds.
func parsePart(s string, low, high int) (int, bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, low <= n && n <= high
}
