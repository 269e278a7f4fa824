package input_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/mayfly-cloud/mayfly/internal/bus/input"
)

var variables = input.Variables{
	RuleARN: "arn:aws:events:us-east-2:123456789012:rule/example", RuleName: "example", Ingested: time.Date(2015, 11, 11, 21, 30, 0, 1, time.UTC),
}

// TestInputs runs testdata: "event" is what the others are about, "path" finds parts of
// it, one a line, and "template" fills one whose variables are its arguments.
func TestInputs(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var event []byte
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "event":
				event = []byte(d.Input)
				return fmt.Sprint(json.Valid(event))
			case "path":
				var out strings.Builder
				for _, line := range strings.Split(d.Input, "\n") {
					fmt.Fprintln(&out, find(event, line))
				}
				return out.String()
			case "template":
				paths := map[string]string{}
				for _, arg := range d.CmdArgs {
					paths[arg.Key] = strings.Join(arg.Vals, ",")
				}
				tmpl, err := input.ParseTemplate(d.Input, paths)
				if err != nil {
					return err.Error()
				}
				return string(tmpl.Fill(event, variables))
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func find(event []byte, text string) string {
	p, err := input.ParsePath(text)
	if err != nil {
		return err.Error()
	}
	if found, ok := p.Find(event); ok {
		return string(found)
	}
	return "nothing"
}

func TestLimits(t *testing.T) {
	if _, err := input.ParsePath("$." + strings.Repeat("x", 255)); !errors.Is(err, input.ErrPath) {
		t.Errorf("got %v", err)
	}
	many := map[string]string{}
	for i := range 101 {
		many[fmt.Sprint("v", i)] = "$.x"
	}
	for what, test := range map[string]struct {
		text  string
		paths map[string]string
		want  error
	}{
		"empty":     {"", nil, input.ErrLength},
		"long":      {`"` + strings.Repeat("x", 8192) + `"`, nil, input.ErrLength},
		"many":      {`"x"`, many, input.ErrNames},
		"name":      {`"x"`, map[string]string{"a.b": "$"}, input.ErrNames},
		"other":     {`"x"`, map[string]string{"ä": "$"}, input.ErrNames},
		"long name": {`"x"`, map[string]string{strings.Repeat("n", 257): "$"}, input.ErrNames},
		"path":      {`"x"`, map[string]string{"a": "detail"}, input.ErrPath},
	} {
		if _, err := input.ParseTemplate(test.text, test.paths); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	// A path that multiplies what it finds ends.
	p, err := input.ParsePath("$.*.*.*")
	if err != nil {
		t.Fatal(err)
	}
	wide := "[" + strings.Repeat("["+strings.Repeat("[1],", 200)+"[1]],", 200) + "[[1]]]"
	if _, ok := p.Find([]byte(wide)); ok {
		t.Error("found without end")
	}
}

// FuzzTemplate: any template is filled or refused, and a path finds valid JSON.
func FuzzTemplate(f *testing.F) {
	f.Add(`{"a":<x>,"b":"<x>"}`, "$.detail['x'][0].*", `{"detail":{"x":[{"y":"\"q\""}]}}`)
	f.Add(`"<aws.events.event.json>"`, "$", `{}`)
	f.Fuzz(func(t *testing.T, template, path, event string) {
		if !json.Valid([]byte(event)) {
			return
		}
		if p, err := input.ParsePath(path); err == nil {
			if found, ok := p.Find([]byte(event)); ok && !json.Valid(found) {
				t.Errorf("%s in %s: %s", path, event, found)
			}
		}
		if tmpl, err := input.ParseTemplate(template, map[string]string{"x": path}); err == nil {
			tmpl.Fill([]byte(event), variables)
		}
	})
}
