package page_test

import (
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/page"
)

func TestToken(t *testing.T) {
	for _, key := range []string{"", "hello", "a\x00b", "日本", strings.Repeat("k", 1000)} {
		got, err := page.After("ListFunctions", page.Token("ListFunctions", key))
		if err != nil || got != key {
			t.Errorf("%q came back as %q, %v", key, got, err)
		}
	}
	if got, err := page.After("ListFunctions", ""); got != "" || err != nil {
		t.Errorf("the first page: %q, %v", got, err)
	}
}

func TestTokenRefused(t *testing.T) {
	for name, token := range map[string]string{
		"another listing":     page.Token("ListLayers", "a"),
		"a listing's prefix":  page.Token("List", "a"),
		"not base64":          "!",
		"no listing":          "aGVsbG8",
		"padding":             page.Token("ListFunctions", "ab") + "=",
		"longer than allowed": page.Token("ListFunctions", strings.Repeat("k", 2000)),
	} {
		if got, err := page.After("ListFunctions", token); err != page.ErrInvalid {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func FuzzAfter(f *testing.F) {
	f.Add(page.Token("ListFunctions", "a"))
	f.Fuzz(func(t *testing.T, token string) {
		key, err := page.After("ListFunctions", token)
		if err != nil || token == "" {
			return
		}
		if again, err := page.After("ListFunctions", page.Token("ListFunctions", key)); err != nil || again != key {
			t.Errorf("%q gives %q, which comes back as %q, %v", token, key, again, err)
		}
	})
}
