package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// packed is a folder made into a code package.
type packed struct {
	zip     []byte
	files   int
	family  string // "nodejs", "python", "java", "provided"
	handler string // guessed; "" where that was not possible
}

// pack turns a folder into a zip, after building it where its language is
// compiled: Go to a static bootstrap, Java to classes.
func pack(ctx context.Context, dir string, say *steps) (*packed, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, hint(fmt.Errorf("read folder: %w", err), "Name a folder that holds the function's code.")
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	p := &packed{}
	switch {
	case names["bootstrap"]:
		p.family, p.handler = "provided", "bootstrap"
	case matches(entries, ".go"):
		return packGo(ctx, dir, say)
	case matches(entries, ".java"):
		return packJava(ctx, dir, entries, say)
	case names["index.mjs"] || names["index.js"] || names["index.cjs"]:
		p.family, p.handler = "nodejs", "index.handler"
	case names["lambda_function.py"]:
		p.family, p.handler = "python", pythonHandler(filepath.Join(dir, "lambda_function.py"))
	case matches(entries, ".py"):
		p.family = "python"
	case names["package.json"]:
		p.family = "nodejs"
	default:
		return nil, hint(fmt.Errorf("nothing in %s that Mayfly knows how to run", dir),
			"It looks for index.mjs, index.js, lambda_function.py, *.go, *.java or an executable called bootstrap.")
	}
	if err := p.add(dir); err != nil {
		return nil, err
	}
	return p, nil
}

func matches(entries []os.DirEntry, suffix string) bool {
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), suffix) && !strings.HasSuffix(e.Name(), "_test.go") {
			return true
		}
	}
	return false
}

var pythonDef = regexp.MustCompile(`(?m)^(?:async )?def (lambda_handler|handler)\(`)

// pythonHandler finds which of the two usual names the file defines.
func pythonHandler(path string) string {
	b, err := os.ReadFile(path)
	if m := pythonDef.FindSubmatch(b); err == nil && m != nil {
		return "lambda_function." + string(m[1])
	}
	return "lambda_function.lambda_handler" // AWS's default
}

func packGo(ctx context.Context, dir string, say *steps) (*packed, error) {
	say.say("building %s with go", dir)
	out, err := os.MkdirTemp("", "mayfly-build-")
	if err != nil {
		return nil, fmt.Errorf("make build folder: %w", err)
	}
	defer os.RemoveAll(out)
	env := append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if err := build(ctx, dir, env, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(out, "bootstrap"), "."); err != nil {
		return nil, err
	}
	p := &packed{family: "provided", handler: "bootstrap"}
	return p, p.add(out)
}

func packJava(ctx context.Context, dir string, entries []os.DirEntry, say *steps) (*packed, error) {
	say.say("compiling %s with javac", dir)
	out, err := os.MkdirTemp("", "mayfly-build-")
	if err != nil {
		return nil, fmt.Errorf("make build folder: %w", err)
	}
	defer os.RemoveAll(out)
	// Classes for the oldest runtime run on all of them.
	args := []string{"--release", "17", "-parameters", "-d", out, "-cp", "lib/*"}
	p := &packed{family: "java"}
	for _, e := range entries {
		if class, ok := strings.CutSuffix(e.Name(), ".java"); ok {
			args = append(args, e.Name())
			if p.handler == "" {
				p.handler = class + "::handle"
			}
		}
	}
	if err := build(ctx, dir, os.Environ(), "javac", args...); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "lib")); err == nil {
		if err := os.CopyFS(filepath.Join(out, "lib"), os.DirFS(filepath.Join(dir, "lib"))); err != nil {
			return nil, fmt.Errorf("copy libraries: %w", err)
		}
	}
	return p, p.add(out)
}

func build(ctx context.Context, dir string, env []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = dir, env
	out, err := c.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return hint(fmt.Errorf("%s is not installed here", name), "Install it, or deploy a folder that is built already.")
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// Lambda's limit on an uploaded zip, in bytes.
const maxZip = 50 << 20

// add zips dir. Entries come in the file system's sorted order with no times,
// so the same folder makes the same package and the same digest.
func (p *packed) add(dir string) error {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "__pycache__") {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err // links are followed by nobody: a package is what the folder holds
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		p.files++
		return addFile(z, path, filepath.ToSlash(rel), info.Mode())
	})
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", dir, err)
	}
	if buf.Len() > maxZip {
		return hint(fmt.Errorf("%s packs to %s; a package may have %s", dir, bytesText(int64(buf.Len())), bytesText(maxZip)),
			"Leave out what the function does not need, or move libraries to a layer.")
	}
	p.zip = buf.Bytes()
	return nil
}

func addFile(z *zip.Writer, path, name string, mode fs.FileMode) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(mode.Perm()&0o755 | 0o444)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
