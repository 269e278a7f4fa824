package function_test

import (
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/function"
)

func TestParseForms(t *testing.T) {
	w := newWorld(t)
	hello := func(q string) function.Name { return function.Name{Function: "hello", Qualifier: q} }
	tests := []struct {
		function, qualifier string
		want                function.Name
	}{
		{"hello", "", hello("")},
		{"hello", "$LATEST", hello("$LATEST")},
		{"hello:live", "", hello("live")},
		{"hello:$LATEST", "", hello("$LATEST")},
		{"hello:7", "7", hello("7")},
		{account + ":function:hello", "", hello("")},
		{account + ":function:hello:live", "", hello("live")},
		{account + ":hello", "", hello("")},
		{"function:hello", "", hello("")},
		{region + ":" + account + ":function:hello", "", hello("")},
		{prefix + "function:hello", "live", hello("live")},
		{prefix + "function:hello:live", "live", hello("live")},
		{"A-b_9", "", function.Name{Function: "A-b_9"}},
	}
	for _, tt := range tests {
		got, err := w.Parse(tt.function, tt.qualifier)
		if err != nil || got != tt.want {
			t.Errorf("Parse(%q, %q) = %+v, %v; want %+v", tt.function, tt.qualifier, got, err, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	w := newWorld(t)
	tests := []struct{ function, qualifier, code, says string }{
		{"", "", "ValidationException", "regular expression"},
		{"he llo", "", "ValidationException", "'functionName'"},
		{"hello/../x", "", "ValidationException", "'functionName'"},
		{strings.Repeat("a", 65), "", "ValidationException", "less than or equal to 64"},
		{strings.Repeat("a", 171), "", "ValidationException", "less than or equal to 170"},
		{"hello", "a b", "ValidationException", "'qualifier'"},
		{"hello", strings.Repeat("a", 129), "ValidationException", "less than or equal to 128"},
		{"hello:live", "test", "InvalidParameterValueException", "derived qualifier"},
		{"arn:aws:lambda:us-east-1:" + account + ":function:hello", "", "ResourceNotFoundException", "Functions from 'us-east-1' are not reachable in this region ('eu-central-1')"},
		{"arn:aws:lambda:" + region + ":999999999999:function:hello", "", "AccessDeniedException", "999999999999"},
		{"arn:aws:sqs:" + region + ":" + account + ":hello", "", "ValidationException", "'functionName'"},
	}
	for _, tt := range tests {
		_, err := w.Parse(tt.function, tt.qualifier)
		t.Run(tt.function, func(t *testing.T) { refused(t, err, tt.code, tt.says) })
	}
}
