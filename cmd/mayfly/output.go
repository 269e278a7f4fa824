package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"
)

// printJSON prints v for a machine: indented, one value.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// printTable prints rows under a header in aligned columns.
func printTable(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(header, "\t"))
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// onTerminal says whether w shows its output to a person.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// bold and dim decorate on a terminal, and only there.
func bold(w io.Writer, s string) string { return decorate(w, "1", s) }
func dim(w io.Writer, s string) string  { return decorate(w, "2", s) }

func decorate(w io.Writer, code, s string) string {
	if !onTerminal(w) || os.Getenv("NO_COLOR") != "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// steps tells on w what is being done, so that nothing longer than a second is
// silent; a nil *steps is quiet.
type steps struct {
	w     io.Writer
	start time.Time
}

func newSteps(w io.Writer) *steps { return &steps{w, time.Now()} }

func (s *steps) say(format string, args ...any) {
	if s == nil {
		return
	}
	fmt.Fprintf(s.w, "%s %s\n", dim(s.w, fmt.Sprintf("%5.1fs", time.Since(s.start).Seconds())), fmt.Sprintf(format, args...))
}

// bytesText prints a size for a person.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
