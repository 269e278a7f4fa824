package expression

import (
	"strconv"
	"strings"
	"time"
)

// dayRule says whether a date is one of its own.
type dayRule func(y int, m time.Month, d int) bool

// daysOfMonth reads the field for days by their number: "1,15", "L" for the last, "3W" for
// the working day nearest to the third.
func daysOfMonth(s string) (rules []dayRule, ok bool) {
	var plain set
	for _, item := range strings.Split(s, ",") {
		near, isNear := strings.CutSuffix(item, "W")
		switch {
		case item == "L":
			rules = append(rules, func(y int, m time.Month, d int) bool { return d == daysIn(y, m) })
		case isNear:
			n, ok := dayField.value(near)
			if !ok {
				return nil, false
			}
			rules = append(rules, func(y int, m time.Month, d int) bool { return n <= daysIn(y, m) && d == workingDay(y, m, n) })
		case !dayField.item(&plain, item):
			return nil, false
		}
	}
	return append(rules, func(_ int, _ time.Month, d int) bool { return plain.has(d - 1) }), true
}

func daysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func weekday(y int, m time.Month, d int) time.Weekday {
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday()
}

// workingDay is the day from Monday to Friday nearest to a date, in its month.
func workingDay(y int, m time.Month, d int) int {
	switch weekday(y, m, d) {
	case time.Saturday:
		if d == 1 {
			return 3
		}
		return d - 1
	case time.Sunday:
		if d == daysIn(y, m) {
			return d - 2
		}
		return d + 1
	}
	return d
}

// daysOfWeek reads the field for days of the week: "MON-FRI", "L" for the last, "6L" for
// the month's last Friday, "3#2" for its second Tuesday.
func daysOfWeek(s string) (rules []dayRule, ok bool) {
	var plain set
	for _, item := range strings.Split(s, ",") {
		of, which, isNth := strings.Cut(item, "#")
		last, isLast := strings.CutSuffix(item, "L")
		switch {
		case item == "L":
			plain.add(6)
		case isNth:
			w, ok := weekField.value(of)
			n, err := strconv.ParseUint(which, 10, 8)
			if !ok || err != nil || n < 1 || n > 5 {
				return nil, false
			}
			rules = append(rules, func(y int, m time.Month, d int) bool {
				return int(weekday(y, m, d)) == w-1 && (d-1)/7 == int(n)-1
			})
		case isLast:
			w, ok := weekField.value(last)
			if !ok {
				return nil, false
			}
			rules = append(rules, func(y int, m time.Month, d int) bool {
				return int(weekday(y, m, d)) == w-1 && d+7 > daysIn(y, m)
			})
		case !weekField.item(&plain, item):
			return nil, false
		}
	}
	return append(rules, func(y int, m time.Month, d int) bool { return plain.has(int(weekday(y, m, d))) }), true
}
