package gvisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerdictIsRemembered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "verdict")
	v := verdict{file: file, exe: "/programs/sandbox-1"}
	if got := v.read(); got != "" {
		t.Errorf("before any: %q", got)
	}
	if err := v.write(systrap); err != nil {
		t.Fatal(err)
	}
	if got := v.read(); got != systrap {
		t.Errorf("remembered %q", got)
	}
	if got := (verdict{file: file, exe: "/programs/sandbox-2"}).read(); got != "" {
		t.Errorf("of another program: %q", got)
	}
}

func TestVerdictOfOtherTimesIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "verdict")
	v := verdict{file: file, exe: "sandbox"}
	if err := v.write(kvm); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	now, ok := v.now()
	if !ok {
		t.Fatal("the machine has no boot id")
	}
	for name, text := range map[string]string{
		"another boot":     strings.Replace(string(good), now.Boot, "another", 1),
		"unknown platform": strings.Replace(string(good), kvm, "ptrace", 1),
		"garbage":          "{",
		"nothing":          "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := v.read(); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWithoutFileNothingIsRemembered(t *testing.T) {
	v := verdict{exe: "sandbox"}
	if err := v.write(systrap); err != nil {
		t.Fatal(err)
	}
	if got := v.read(); got != "" {
		t.Errorf("remembered %q", got)
	}
}
