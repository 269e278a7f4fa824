package id_test

import (
	"regexp"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/id"
)

func TestForms(t *testing.T) {
	tests := map[string]struct {
		make func() string
		form string
	}{
		"UUID":       {id.UUID, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		"hex":        {func() string { return id.Hex(8) }, `^[0-9a-f]{16}$`},
		"access key": {func() string { return id.Unique("AKIA", 16) }, `^AKIA[A-Z2-7]{16}$`},
	}
	for name, test := range tests {
		form, seen := regexp.MustCompile(test.form), map[string]bool{}
		for range 1000 {
			s := test.make()
			if !form.MatchString(s) || seen[s] {
				t.Fatalf("%s: %q, seen before: %v", name, s, seen[s])
			}
			seen[s] = true
		}
	}
}

func BenchmarkUUID(b *testing.B) {
	for b.Loop() {
		id.UUID()
	}
}
