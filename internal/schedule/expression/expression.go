package expression

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dialect says who reads an expression.
type Dialect uint8

const (
	// Rules are EventBridge's: rate and cron, a rate's unit in the right number.
	Rules Dialect = iota
	// Scheduler has at too, and units in any number.
	Scheduler
)

// ErrSyntax says that a text is no expression.
var ErrSyntax = errors.New("not a schedule expression")

// Kind is one of the three expressions.
type Kind uint8

// The kinds.
const (
	Rate Kind = iota
	Cron
	At
)

// Expression is a parsed expression.
type Expression struct {
	kind  Kind
	every time.Duration // of a rate in minutes or hours
	days  int           // of a rate in days
	cron  cron
	at    time.Time // in no zone: its fields count
}

// maxExpression bounds an expression, in bytes.
const maxExpression = 256

// Parse reads an expression.
func Parse(s string, d Dialect) (*Expression, error) {
	name, rest, ok := strings.Cut(s, "(")
	inside, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed || len(s) > maxExpression {
		return nil, fmt.Errorf("parse %.300q: %w", s, ErrSyntax)
	}
	e := &Expression{}
	switch {
	case name == "rate":
		ok = e.rate(inside, d)
	case name == "cron":
		e.kind = Cron
		e.cron, ok = parseCron(inside)
	case name == "at" && d == Scheduler:
		e.kind = At
		var err error
		e.at, err = time.Parse("2006-01-02T15:04:05", inside)
		ok = err == nil
	default:
		ok = false
	}
	if !ok {
		return nil, fmt.Errorf("parse %.300q: %w", s, ErrSyntax)
	}
	return e, nil
}

// rate reads "5 minutes".
func (e *Expression) rate(s string, d Dialect) bool {
	value, unit, _ := strings.Cut(s, " ")
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || n == 0 || value[0] == '0' {
		return false
	}
	single, plural := strings.CutSuffix(unit, "s")
	if d == Rules && plural == (n == 1) {
		return false
	}
	switch single {
	case "minute":
		e.every = time.Duration(n) * time.Minute
	case "hour":
		e.every = time.Duration(n) * time.Hour
	case "day":
		e.days = int(n)
	default:
		return false
	}
	return n <= maxRate
}

// maxRate keeps times representable: more than 200 years of hours.
const maxRate = 2_000_000

// Kind says which of the three it is.
func (e *Expression) Kind() Kind { return e.kind }

// Next is the first time after a moment that the expression is due, in UTC; the zero
// time where there is none. Rates count from start, which is when they are due first;
// the clock of the others is that of zone, and they are not due before start.
func (e *Expression) Next(after, start time.Time, zone *time.Location) time.Time {
	if after.Before(start) {
		after = start.Add(-1)
	}
	switch {
	case e.kind == At:
		at, ok := moment(e.at, zone)
		if !ok || !at.After(after) {
			return time.Time{}
		}
		return at.UTC()
	case e.kind == Cron:
		return e.cron.next(after, zone)
	case after.Before(start):
		return start.UTC()
	case e.days > 0:
		return e.nextDay(after, start, zone)
	}
	return start.Add((after.Sub(start)/e.every + 1) * e.every).UTC()
}

// nextDay is Next of a rate in days, after its start.
func (e *Expression) nextDay(after, start time.Time, zone *time.Location) time.Time {
	local := start.In(zone)
	n := max(int(after.Sub(start)/(24*time.Hour))/e.days-1, 0)
	for {
		if at := local.AddDate(0, 0, n*e.days); at.After(after) {
			return at.UTC()
		}
		n++
	}
}

// moment is the first time at which a clock in the zone shows what wall shows; false where
// it never does.
func moment(wall time.Time, zone *time.Location) (time.Time, bool) {
	const clock = "2006-01-02 15:04:05"
	shows := wall.Format(clock)
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	if t.Format(clock) != shows {
		return t, false
	}
	for _, back := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		if earlier := t.Add(-back); earlier.Format(clock) == shows {
			return earlier, true
		}
	}
	return t, true
}
