package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// samples are the times of many calls.
type samples []time.Duration

// at gives the quantile q of 0 to 1.
func (s samples) at(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(float64(len(sorted)-1)*q)]
}

// report is a table being filled.
type report struct {
	header []string
	rows   [][]string
}

func newReport(header ...string) *report { return &report{header: header} }

// timesReport is a report of latencies.
func timesReport() *report { return newReport("what", "n", "p50", "p99", "max") }

func (r *report) add(cells ...string) { r.rows = append(r.rows, cells) }

func (r *report) times(what string, s samples) {
	r.add(what, fmt.Sprint(len(s)), text(s.at(.5)), text(s.at(.99)), text(s.at(1)))
}

// print writes the report as a Markdown table.
func (r *report) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 1, ' ', 0)
	row := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, "\t| ")) }
	row(r.header)
	rule := make([]string, len(r.header))
	for i := range rule {
		rule[i] = "---"
	}
	row(rule)
	for _, cells := range r.rows {
		row(cells)
	}
	w.Flush()
}

// text prints a duration with three digits in a fitting unit.
func text(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%d us", d.Microseconds())
}
