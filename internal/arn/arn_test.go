package arn_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

func TestParse(t *testing.T) {
	tests := map[string]arn.ARN{
		"arn:aws:lambda:us-east-1:123456789012:function:hello:live": {"aws", "lambda", "us-east-1", "123456789012", "function:hello:live"},
		"arn:aws:iam::123456789012:role/service/r":                  {"aws", "iam", "", "123456789012", "role/service/r"},
		"arn:aws:s3:::bucket/a key: with/colons":                    {"aws", "s3", "", "", "bucket/a key: with/colons"},
		"arn:aws-cn:logs:cn-north-1:1:log-group:/g:*":               {"aws-cn", "logs", "cn-north-1", "1", "log-group:/g:*"},
	}
	for s, want := range tests {
		got, err := arn.Parse(s)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", s, err, diff)
		}
		if got.String() != s || !arn.Is(s) {
			t.Errorf("%s is printed %s", s, got)
		}
	}
	for _, s := range []string{"", "arn", "arn:", "arn:aws:lambda:r:a", "arn:aws:lambda:r:a:", "arn::lambda:r:a:x", "arn:aws::r:a:x", "urn:aws:lambda:r:a:x", "arn:aws:lambda:r:a:" + strings.Repeat("x", 2048)} {
		if got, err := arn.Parse(s); err == nil {
			t.Errorf("%.60q was parsed as %+v", s, got)
		}
	}
	if got := arn.New("logs", "us-east-1", "123456789012", "log-group:g").String(); got != "arn:aws:logs:us-east-1:123456789012:log-group:g" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:lambda:us-east-1:123456789012:function:hello")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := arn.Parse(s); err == nil && a.String() != s {
			t.Errorf("%q is printed %q", s, a)
		}
	})
}
