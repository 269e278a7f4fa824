package expression_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/cockroachdb/datadriven"

	"github.com/mayfly-cloud/mayfly/internal/schedule/expression"
)

// TestExpressions runs testdata: "next" prints the first times of each expression, one a
// line, after a moment and in a zone; "rules" says which EventBridge's rules take.
func TestExpressions(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			for _, line := range strings.Split(d.Input, "\n") {
				switch d.Cmd {
				case "next":
					fmt.Fprintf(&out, "%s: %s\n", line, next(t, d, line))
				case "rules":
					_, err := expression.Parse(strings.Trim(line, `"`), expression.Rules)
					fmt.Fprintf(&out, "%s: %v\n", line, err == nil)
				}
			}
			return out.String()
		})
	})
}

func next(t *testing.T, d *datadriven.TestData, line string) string {
	after, start, zone, n := "", "", "UTC", 4
	d.ScanArgs(t, "after", &after)
	for name, to := range map[string]any{"start": &start, "zone": &zone, "n": &n} {
		if d.HasArg(name) {
			d.ScanArgs(t, name, to)
		}
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at := stamp(t, after, loc)
	from := at.Add(1)
	if start != "" {
		from = stamp(t, start, loc)
	}
	e, err := expression.Parse(line, expression.Scheduler)
	if err != nil {
		return err.Error()
	}
	var list []string
	for range n {
		if at = e.Next(at, from, loc); at.IsZero() {
			list = append(list, "never")
			break
		}
		list = append(list, at.In(loc).Format("Mon 2006-01-02 15:04:05 -0700"))
	}
	return strings.Join(list, ", ")
}

func stamp(t *testing.T, s string, loc *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02T15:04:05", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestNothingIsDueBeforeItsStart(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"rate(1 day)":             start,
		"rate(7 minutes)":         start,
		"cron(0 12 * * ? *)":      start,
		"cron(0 11 * * ? *)":      start.Add(23 * time.Hour),
		"at(2026-05-04T12:00:00)": start,
		"at(2026-05-04T11:59:59)": {},
	} {
		e, err := expression.Parse(text, expression.Scheduler)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Next(start.AddDate(-1, 0, 0), start, time.UTC); !got.Equal(want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// FuzzParse: any text is an expression or ErrSyntax, and what is next is later.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"rate(5 minutes)", "cron(0/5 8-17 3W,L * ? 2026/3)", "cron(* * ? FEB SUN#5,6L *)", "at(2026-05-04T12:00:00)", "cron(0 0 31 2 ? *)"} {
		f.Add(s)
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 3, 8, 0, 0, 0, 0, zone)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := expression.Parse(s, expression.Scheduler)
		if err != nil {
			if !errors.Is(err, expression.ErrSyntax) {
				t.Error(err)
			}
			return
		}
		if next := e.Next(now, now.Add(1), zone); !next.IsZero() && !next.After(now) {
			t.Errorf("%s: %s", s, next)
		}
	})
}
