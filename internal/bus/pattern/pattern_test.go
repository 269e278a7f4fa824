package pattern_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/mayfly-cloud/mayfly/internal/bus/pattern"
)

var dialects = map[string]pattern.Dialect{
	"": pattern.EventBridge, "topic-attributes": pattern.TopicAttributes, "topic-body": pattern.TopicBody, "mapping": pattern.Mapping,
}

// TestLanguage runs testdata. "pattern" reads one, and prints why it is none; "events"
// matches it against one event a line. An index that holds it among others must agree.
func TestLanguage(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var p *pattern.Pattern
		var record string
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "pattern":
				var name string
				if d.HasArg("dialect") {
					d.ScanArgs(t, "dialect", &name)
				}
				record = ""
				if d.HasArg("record") {
					d.ScanArgs(t, "record", &record)
				}
				var err error
				if p, err = pattern.Parse([]byte(d.Input), dialects[name]); err != nil {
					return err.Error()
				}
				return "ok"
			case "events":
				var out strings.Builder
				for _, line := range strings.Split(d.Input, "\n") {
					fmt.Fprintln(&out, answer(t, p, record, line))
				}
				return out.String()
			case "attributes":
				attributes := map[string]pattern.Attribute{}
				for _, line := range strings.Split(d.Input, "\n") {
					parts := strings.SplitN(line, " ", 3)
					attributes[parts[0]] = pattern.Attribute{Type: parts[1], Value: parts[2]}
				}
				return both(t, p, pattern.AttributesEvent(attributes))
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func answer(t *testing.T, p *pattern.Pattern, record, line string) string {
	var e pattern.Event
	var err error
	if record == "" {
		e, err = pattern.ReadEvent([]byte(line))
	} else {
		e, err = pattern.RecordEvent([]byte(line), record)
	}
	if err != nil {
		return err.Error()
	}
	return both(t, p, e)
}

// both matches a pattern alone and in an index.
func both(t *testing.T, p *pattern.Pattern, e pattern.Event) string {
	var x pattern.Index[string]
	x.Add("it", p)
	alone := slices.Contains(x.Match(e), "it")
	for i := range 20 {
		x.Add(fmt.Sprint("other", i), parse(t, fmt.Sprintf(`{"source":["nobody%d"],"detail":{"x":[%d]}}`, i, i)))
	}
	x.Add("again", p)
	got := p.Match(e)
	if found := x.Match(e); slices.Contains(found, "it") != got || slices.Contains(found, "again") != got || alone != got {
		t.Errorf("alone %v, in an index %v", got, found)
	}
	if got {
		return "yes"
	}
	return "no"
}

func parse(t testing.TB, text string) *pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse([]byte(text), pattern.EventBridge)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func event(t testing.TB, text string) pattern.Event {
	t.Helper()
	e, err := pattern.ReadEvent([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func TestErrorsHaveAReasonOfTheirOwn(t *testing.T) {
	_, err := pattern.Parse([]byte(`{"source": "aws.s3"}`), pattern.EventBridge)
	var e *pattern.Error
	if !errors.As(err, &e) || e.Reason != `"source" must be an object or an array` || e.Line != 1 || e.Column != 13 {
		t.Errorf("got %+v", err)
	}
	_, err = pattern.Parse([]byte(`{"source": "`+strings.Repeat("x", 1000)+`"}`), pattern.EventBridge)
	if !errors.As(err, &e) || len(e.Text) > 600 {
		t.Errorf("got %+v", err)
	}
}

func TestLimits(t *testing.T) {
	long := `{"a":["` + strings.Repeat("x", 4086) + `"]}`
	for text, d := range map[string]pattern.Dialect{
		long + " ": pattern.EventBridge,
		`{"a":["` + strings.Repeat("x", 256<<10) + `"]}`:                           pattern.TopicBody,
		`{` + strings.Repeat(`"$or":[{"a":[1]},{"b":[1]}],`, 11) + `"c":[1]}`:      pattern.EventBridge,
		`{"$or":[` + strings.Repeat(`{"a":[1]},`, 400) + `{"b":[1]}],"a":[` + `[[`: pattern.EventBridge,
		strings.Repeat(`{"a":`, 2000) + `[1]` + strings.Repeat("}", 2000):          pattern.EventBridge,
		`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`:                        pattern.TopicAttributes,
		`{"a":[` + strings.Repeat("1,", 150) + `1]}`:                               pattern.TopicAttributes,
		`{"a":{"b":{"c":[1,2,3,4]}},"d":{"e":[1,2,3]},"f":[1,2,3]}`:                pattern.TopicBody,
		`{"a":{"b":[1]}}`: pattern.TopicAttributes,
	} {
		if _, err := pattern.Parse([]byte(text), d); err == nil {
			t.Errorf("%.60s: no error in %s", text, d)
		}
	}
	if _, err := pattern.Parse([]byte(long), pattern.EventBridge); err != nil {
		t.Error(err)
	}
	if _, err := pattern.Parse([]byte(`{"a":[`+strings.Repeat("1,", 149)+`1]}`), pattern.TopicAttributes); err != nil {
		t.Error(err)
	}
}
