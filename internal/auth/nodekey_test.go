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

func TestNodeKeySeals(t *testing.T) {
	dir := t.TempDir()
	open := func(dir string) auth.NodeKey {
		t.Helper()
		k, err := auth.OpenNodeKey(dir)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	plain := []byte("correct horse battery staple")
	sealed, err := open(dir).Seal("key 1", plain)
	if err != nil || bytes.Contains(sealed, plain[:8]) {
		t.Fatalf("sealed as %q, %v", sealed, err)
	}
	if got, err := open(dir).Unseal("key 1", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened as %q, %v", got, err)
	}
	if again, err := open(dir).Seal("key 1", plain); err != nil || bytes.Equal(sealed, again) {
		t.Errorf("sealed the same way twice, %v", err)
	}
	for what, unseal := range map[string]func() ([]byte, error){
		"another label":    func() ([]byte, error) { return open(dir).Unseal("key 2", sealed) },
		"another node":     func() ([]byte, error) { return open(t.TempDir()).Unseal("key 1", sealed) },
		"nothing":          func() ([]byte, error) { return open(dir).Unseal("key 1", nil) },
		"another version":  func() ([]byte, error) { return open(dir).Unseal("key 1", append([]byte{2}, sealed[1:]...)) },
		"cut off":          func() ([]byte, error) { return open(dir).Unseal("key 1", sealed[:len(sealed)-1]) },
		"version and none": func() ([]byte, error) { return open(dir).Unseal("key 1", []byte{1}) },
	} {
		if got, err := unseal(); err == nil || got != nil {
			t.Errorf("%s: opened as %q", what, got)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 0x10
		if got, err := open(dir).Unseal("key 1", changed); err == nil {
			t.Errorf("with byte %d changed: %q", i, got)
		}
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
