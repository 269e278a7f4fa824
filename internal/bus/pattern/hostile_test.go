package pattern_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/bus/pattern"
)

// soon fails a test whose work takes out of all proportion to what it is given.
func soon(t *testing.T, what string, work func()) {
	t.Helper()
	start := time.Now()
	work()
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("%s took %s", what, d)
	}
}

func TestHostileWildcardsAreLinear(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for _, w := range []string{strings.Repeat("a*", 1000) + "b", "*" + strings.Repeat("a*", 1000) + "b*", strings.Repeat("*aaaaaaaaab", 100), "*" + strings.Repeat("a", 2000) + "b*"} {
		for _, form := range []string{`{"x":[{"wildcard":"` + w + `"}]}`, `{"x":[{"anything-but":{"wildcard":"` + w + `"}}]}`} {
			p := parse(t, form)
			e := event(t, `{"x":"`+long+`"}`)
			var x pattern.Index[int]
			for i := range 50 {
				x.Add(i, p)
			}
			soon(t, form[:40], func() {
				p.Match(e)
				x.Match(e)
			})
		}
	}
}

// Fields in arrays that never go together, so that trying every choice would take
// longer than the universe has.
func TestHostileArraysAreLinear(t *testing.T) {
	n := 10000
	half := strings.Repeat(`{"a":1,"b":1,"c":1,"d":1},`, n)
	e := event(t, `{"p":[`+half+`{"e":1}],"q":[`+half+`{"e":1}],"r":[[[`+half+`{"e":1}]]]}`)
	for _, text := range []string{
		`{"p":{"a":[1],"b":[1],"c":[1],"e":[1]},"q":{"a":[1],"e":[1]}}`,
		`{"p":{"a":[1],"b":[1]},"q":{"a":[1],"b":[1]},"r":{"a":[1],"b":[1],"e":[1]}}`,
	} {
		p := parse(t, text)
		soon(t, text, func() {
			if p.Match(e) {
				t.Errorf("%s matches", text)
			}
		})
	}
}

func TestHostileEvents(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000)
	nested := `{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}"
	long := `{"` + strings.Repeat("k.", 200000) + `":1}`
	many := `{` + strings.Repeat(`"a":1,`, 100000) + `"a":1}`
	escapes := `{"a":"` + strings.Repeat(`\u0061\"`, 100000) + `"}`
	p := parse(t, `{"a":[2,{"wildcard":"*b*"}],"k":{"k":{"k":[1]}}}`)
	for _, text := range []string{deep, nested, long, many, escapes} {
		soon(t, text[:20], func() { p.Match(event(t, text)) })
	}
	if _, err := pattern.ReadEvent([]byte(strings.Repeat(`{"a":`, 100000))); !errors.Is(err, pattern.ErrNotObject) {
		t.Errorf("got %v", err)
	}
}

func TestHostilePatterns(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 9000) + "[1]" + strings.Repeat("}", 9000)
	soon(t, "deep", func() {
		if _, err := pattern.Parse([]byte(deep), pattern.TopicBody); err == nil {
			t.Error("150 combinations, and 9000 levels")
		}
	})
	many := `{"a":[` + strings.Repeat(`{"wildcard":"*a*b*"},`, 10000) + `1]}`
	soon(t, "many", func() {
		if _, err := pattern.Parse([]byte(many), pattern.TopicBody); err == nil {
			t.Error("10000 values")
		}
	})
}

// FuzzPattern: any text is a pattern or an *Error, and what it matches alone it matches
// in an index.
func FuzzPattern(f *testing.F) {
	m := maker{rand.New(rand.NewPCG(7, 8))}
	for range 100 {
		f.Add(m.pattern(2), m.event(3))
	}
	for _, s := range []string{`{"a":[{"numeric":[">",1e999999999]}]}`, `{"a":[{"cidr":"::1%x/3"}]}`, `{"$or":[{"a":[1]},{"$or":[]}]}`, `{"":[""]}`, `{".":[1]}`} {
		f.Add(s, `{"":{"":1},"a":[[],{},-0.0e-0]}`)
	}
	f.Fuzz(func(t *testing.T, text, object string) {
		p, err := pattern.Parse([]byte(text), pattern.EventBridge)
		var e *pattern.Error
		if err != nil {
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		ev, err := pattern.ReadEvent([]byte(object))
		if err != nil {
			return
		}
		var x pattern.Index[int]
		x.Add(1, p)
		for i := range 10 {
			x.Add(2+i, parse(t, `{"source":["a`+strings.Repeat("a", i)+`"],"x":[1]}`))
		}
		x.Add(20, p)
		if want, got := p.Match(ev), x.Match(ev); slices.Contains(got, 1) != want || slices.Contains(got, 20) != want {
			t.Fatalf("%s in %s: alone %v, in an index %v", text, object, want, got)
		}
	})
}

// FuzzRecord: any record is an event or refused.
func FuzzRecord(f *testing.F) {
	f.Add(`{"body":"{\"a\":1}"}`, "body", "String.Array", `["x"]`)
	f.Add(`{"a":1,"body":"[1] "}`, "body", "Number", `1e5`)
	f.Fuzz(func(t *testing.T, record, member, kind, value string) {
		p := parse(t, `{"body":{"a":[1]},"a":[{"exists":false}]}`)
		if e, err := pattern.RecordEvent([]byte(record), member); err == nil {
			p.Match(e)
		}
		p.Match(pattern.AttributesEvent(map[string]pattern.Attribute{member: {Type: kind, Value: value}}))
	})
}
