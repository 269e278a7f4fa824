package auth_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/auth"
)

func TestNodeKeyDerives(t *testing.T) {
	dir := t.TempDir()
	derive := func(purpose string) []byte {
		t.Helper()
		k, err := auth.OpenNodeKey(dir)
		if err != nil {
			t.Fatal(err)
		}
		b, err := k.Derive(purpose)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, again, other := derive("one"), derive("one"), derive("other")
	if len(one) != 32 || !bytes.Equal(one, again) || bytes.Equal(one, other) {
		t.Errorf("%d bytes; the same after opening again: %v; of another purpose: %v", len(one), bytes.Equal(one, again), bytes.Equal(one, other))
	}
	raw, err := os.ReadFile(filepath.Join(dir, "node.key"))
	if err != nil || bytes.Equal(raw, one) {
		t.Errorf("a derived key is the node's own, or %v", err)
	}
}

func TestNodeKeyIsNotPrinted(t *testing.T) {
	dir := t.TempDir()
	raw := bytes.Repeat([]byte("k"), 32)
	if err := os.WriteFile(filepath.Join(dir, "node.key"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := auth.OpenNodeKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(verb, k); strings.Contains(s, "kkk") || strings.Contains(s, "107") {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}

func TestNodeKeyRefused(t *testing.T) {
	for name, write := range map[string]struct {
		size int
		mode os.FileMode
	}{"short": {31, 0o600}, "long": {33, 0o600}, "readable by others": {32, 0o644}} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "node.key"), make([]byte, write.size), write.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.OpenNodeKey(dir); err == nil {
			t.Errorf("a key that is %s was opened", name)
		}
	}
}
