package runtime

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed nodejs/*.js nodejs/*.mjs python/*.py java/*.java java/core/*.java
var sources embed.FS

// Folders of the node's runtime folder.
const (
	bootFolder  = "bootstrap" // unpacked bootstraps, one folder per version of them
	addedFolder = "added"     // languages, one folder per runtime
	sdkFolder   = "sdk"       // AWS SDKs, one folder per language
)

// version names the embedded bootstraps: another build of Mayfly unpacks beside
// this one's, under whose feet nothing changes.
var version = digestSources()

func digestSources() string {
	h := sha256.New()
	err := fs.WalkDir(sources, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := sources.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(b))
		h.Write(b)
		return err
	})
	if err != nil {
		panic("embedded bootstraps: " + err.Error())
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

func bootstrapDir(dir string, f family) string {
	return filepath.Join(dir, bootFolder, version, string(f))
}

// unpack writes the bootstraps where sandboxes can mount them, once: a folder
// that is there is whole.
func unpack(dir string) error {
	root := filepath.Join(dir, bootFolder)
	target := filepath.Join(root, version)
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("make bootstrap folder: %w", err)
	}
	tmp, err := os.MkdirTemp(root, ".new-*")
	if err != nil {
		return fmt.Errorf("make bootstrap folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := unpackInto(tmp); err != nil {
		return fmt.Errorf("unpack bootstraps: %w", err)
	}
	if err := os.Rename(tmp, target); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, serr := os.Stat(target); serr != nil {
			return fmt.Errorf("unpack bootstraps: %w", err)
		}
	}
	return nil
}

// unpackInto lays the folders out as a sandbox sees them at /var/runtime. The
// empty ones are where SDKs are mounted.
func unpackInto(dir string) error {
	for _, d := range []string{"nodejs/node_modules", "python/bootstrap", "python/sdk", "java/" + javaCore} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	return fs.WalkDir(sources, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := sources.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Dir(path) == string(python) {
			path = filepath.Join(string(python), "bootstrap", filepath.Base(path))
		}
		return os.WriteFile(filepath.Join(dir, path), b, 0o644)
	})
}
