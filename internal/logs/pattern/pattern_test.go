package pattern_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/mayfly-cloud/mayfly/internal/logs/pattern"
)

// TestPatterns runs testdata: a pattern in the command's line, messages below it,
// and the answer "+" or "-" before each.
//
//	match
//	PATTERN
//	MESSAGE...
//	----
//	+ MESSAGE
func TestPatterns(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			text, messages, _ := strings.Cut(d.Input, "\n")
			p, err := pattern.Parse(text)
			if err != nil {
				return "refused: " + err.Error() + "\n"
			}
			var b strings.Builder
			for _, m := range strings.Split(messages, "\n") {
				sign := "-"
				if p.Match(m) {
					sign = "+"
				}
				fmt.Fprintln(&b, sign, m)
			}
			return b.String()
		})
	})
}

func TestTooLong(t *testing.T) {
	if _, err := pattern.Parse(strings.Repeat("a", pattern.MaxLen)); err != nil {
		t.Error(err)
	}
	if _, err := pattern.Parse(strings.Repeat("a", pattern.MaxLen+1)); err == nil {
		t.Error("a pattern over the limit was taken")
	}
	if _, err := pattern.Parse("{" + strings.Repeat("(", 500) + "$.a = 1" + strings.Repeat(")", 500) + "}"); err == nil {
		t.Error("500 levels of parentheses were taken")
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{`?a -"b c" %d+%`, `{ ($.a.b[0] != 4* || $['x'].* NOT EXISTS) && $.c IS NULL }`, `[a, b != 4*, ..., c >= 1e3]`} {
		f.Add(s, `{"a":{"b":[1,"x"]},"c":null} [x y] "z`)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := pattern.Parse(text)
		if (p == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v", p, err)
		}
		if err == nil {
			p.Match(message)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	message := `{"time":"2026-01-01T00:00:00Z","level":"ERROR","message":"no route","user":{"id":7,"roles":["a","b"]}}`
	for name, text := range map[string]string{"term": "ERROR", "object": `{ $.level = "ERROR" && $.user.id > 5 }`, "words": "[..., last]"} {
		b.Run(name, func(b *testing.B) {
			p, err := pattern.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				p.Match(message)
			}
		})
	}
}
