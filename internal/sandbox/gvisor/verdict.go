package gvisor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// verdict remembers in a file which platform was proved to work here. It holds
// for one boot of the machine, one program and one user; anything else, a file that
// can't be read among it, is no verdict. Without a file nothing is remembered.
type verdict struct{ file, exe string }

// found is what the file holds.
type found struct {
	Boot, Program string
	User          int
	Platform      string
}

// now is a verdict's circumstances; false where the machine doesn't tell them.
func (v verdict) now() (found, bool) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || v.file == "" {
		return found{}, false
	}
	return found{Boot: strings.TrimSpace(string(boot)), Program: filepath.Base(v.exe), User: os.Geteuid()}, true
}

// read gives the platform, or "".
func (v verdict) read() string {
	now, ok := v.now()
	if !ok {
		return ""
	}
	b, err := os.ReadFile(v.file)
	if err != nil {
		return ""
	}
	var f found
	if json.Unmarshal(b, &f) != nil {
		return ""
	}
	platform := f.Platform
	if f.Platform = ""; f != now || platform != kvm && platform != systrap {
		return ""
	}
	return platform
}

func (v verdict) write(platform string) error {
	f, ok := v.now()
	if !ok {
		return nil
	}
	f.Platform = platform
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode verdict: %w", err)
	}
	if err := os.WriteFile(v.file, b, 0o600); err != nil {
		return fmt.Errorf("keep verdict: %w", err)
	}
	return nil
}
