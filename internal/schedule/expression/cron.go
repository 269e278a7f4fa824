package expression

import (
	"strconv"
	"strings"
	"time"
)

// cron is a parsed cron expression: which minutes, hours, months and years, and which
// days by one of the two fields for them; the other is "?".
type cron struct {
	minutes, hours, months, years set
	byDay                         []dayRule
}

// set is a set of small numbers, from 0 to 255.
type set [4]uint64

func (s *set) add(n int)      { s[n>>6] |= 1 << (n & 63) }
func (s *set) has(n int) bool { return s[n>>6]&(1<<(n&63)) != 0 }

// field is what a field may hold.
type field struct {
	low, high int
	names     string // of three letters each, the first for low
	wrap      bool   // a range may go over the end: FRI-MON
}

var (
	minuteField = field{low: 0, high: 59}
	hourField   = field{low: 0, high: 23}
	dayField    = field{low: 1, high: 31}
	monthField  = field{low: 1, high: 12, names: "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"}
	weekField   = field{low: 1, high: 7, names: "SUNMONTUEWEDTHUFRISAT", wrap: true}
	yearField   = field{low: firstYear, high: lastYear}
)

const (
	firstYear = 1970
	lastYear  = 2199
)

func parseCron(s string) (c cron, ok bool) {
	f := strings.Fields(s)
	if len(f) != 6 || (f[2] == "?") == (f[4] == "?") {
		return c, false
	}
	for _, p := range []struct {
		to   *set
		text string
		of   field
	}{{&c.minutes, f[0], minuteField}, {&c.hours, f[1], hourField}, {&c.months, f[3], monthField}, {&c.years, f[5], yearField}} {
		for _, item := range strings.Split(p.text, ",") {
			if !p.of.item(p.to, item) {
				return c, false
			}
		}
	}
	if f[4] == "?" {
		c.byDay, ok = daysOfMonth(f[2])
	} else {
		c.byDay, ok = daysOfWeek(f[4])
	}
	return c, ok
}

// item adds what "*", "3", "1-5", "*/10" and their like mean, less the field's low.
func (f field) item(to *set, s string) bool {
	whole, every, stepped := strings.Cut(s, "/")
	step := 1
	if stepped {
		n, err := strconv.ParseUint(every, 10, 16)
		if err != nil || n == 0 || int(n) > f.high {
			return false
		}
		step = int(n)
	}
	from, until := f.low, f.high
	if whole != "*" {
		first, last, ranged := strings.Cut(whole, "-")
		var ok bool
		if from, ok = f.value(first); !ok {
			return false
		}
		switch {
		case ranged:
			if until, ok = f.value(last); !ok {
				return false
			}
		case !stepped:
			until = from
		}
	}
	size := f.high - f.low + 1
	if until < from {
		if !f.wrap {
			return false
		}
		until += size
	}
	for n := from; n <= until; n += step {
		to.add((n - f.low) % size)
	}
	return true
}

func (f field) value(s string) (int, bool) {
	if len(s) == 3 && f.names != "" {
		if at := strings.Index(f.names, strings.ToUpper(s)); at >= 0 && at%3 == 0 {
			return f.low + at/3, true
		}
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && int(n) >= f.low && int(n) <= f.high
}

// next looks for the first time after a moment, day by day.
func (c *cron) next(after time.Time, zone *time.Location) time.Time {
	local := after.In(zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC) // a date, in no zone
	for day.Year() <= lastYear {
		y, m, d := day.Date()
		switch {
		case y < firstYear || !c.years.has(y-firstYear):
			day = time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)
			continue
		case !c.months.has(int(m) - 1):
			day = time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		case c.due(y, m, d):
			if t := c.onDay(y, m, d, after, zone); !t.IsZero() {
				return t
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}
}

// due says whether any of the day's rules is for a date.
func (c *cron) due(y int, m time.Month, d int) bool {
	for _, rule := range c.byDay {
		if rule(y, m, d) {
			return true
		}
	}
	return false
}

// onDay is the first time after a moment on a date; zero for none.
func (c *cron) onDay(y int, m time.Month, d int, after time.Time, zone *time.Location) time.Time {
	for h := range 24 {
		for mi := 0; mi < 60 && c.hours.has(h); mi++ {
			if !c.minutes.has(mi) {
				continue
			}
			if t, ok := moment(time.Date(y, m, d, h, mi, 0, 0, time.UTC), zone); ok && t.After(after) {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}
