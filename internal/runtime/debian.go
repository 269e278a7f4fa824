package runtime

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// packages are the Debian packages a language needs beside what every system
// has: its program and its standard library.
func (e entry) packages() []string {
	v := e.version
	if e.family == python {
		return []string{"python" + v, "python" + v + "-minimal", "libpython" + v + "-minimal", "libpython" + v + "-stdlib"}
	}
	return []string{"openjdk-" + v + "-jdk-headless", "openjdk-" + v + "-jre-headless"}
}

// pythonSDK are boto3 and what it imports, as Debian packages it.
var pythonSDK = []string{
	"python3-boto3", "python3-botocore", "python3-s3transfer", "python3-jmespath",
	"python3-dateutil", "python3-urllib3", "python3-six", "python3-requests",
	"python3-certifi", "python3-charset-normalizer", "python3-chardet", "python3-idna",
}

// debian fetches packages and unpacks them, uninstalled, as one tree.
func (f fetch) debian(ctx context.Context, target string, packages []string, fix func(root string) error) error {
	return f.place(target, func(tmp string) (string, error) {
		root := filepath.Join(tmp, "root")
		if err := f.unpackDebian(ctx, tmp, root, packages); err != nil {
			return "", err
		}
		return root, fix(root)
	})
}

func (f fetch) debianSDK(ctx context.Context, target string) error {
	return f.place(target, func(tmp string) (string, error) {
		root := filepath.Join(tmp, "root")
		if err := f.unpackDebian(ctx, tmp, root, pythonSDK); err != nil {
			return "", err
		}
		return filepath.Join(root, "usr", "lib", "python3", "dist-packages"), nil
	})
}

func (f fetch) unpackDebian(ctx context.Context, tmp, root string, packages []string) error {
	for _, p := range packages {
		out, err := f.run(ctx, tmp, "apt-cache", "policy", p)
		if err != nil {
			return err
		}
		if candidate := valueOf(string(out), "Candidate:"); candidate == "" || candidate == "(none)" {
			return fmt.Errorf("%s: %w", p, errNoPackage)
		}
	}
	f.progress("fetching " + strings.Join(packages, ", ") + " from Debian")
	if _, err := f.run(ctx, tmp, "apt-get", append([]string{"download", "-q"}, packages...)...); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(archives) < len(packages) {
		return fmt.Errorf("apt-get brought %d of %d packages: %w", len(archives), len(packages), fs.ErrNotExist)
	}
	for _, a := range archives {
		if _, err := f.run(ctx, tmp, "dpkg", "-x", a, root); err != nil {
			return err
		}
	}
	return nil
}

// valueOf is what follows a label on its line.
func valueOf(text, label string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), label); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// fixLinks makes links to absolute paths of the unpacked tree lead there: Java's
// configuration is in its /etc.
func fixLinks(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		to, err := os.Readlink(path)
		if err != nil || !filepath.IsAbs(to) {
			return err
		}
		inside := filepath.Join(root, to)
		if _, err := os.Lstat(inside); err != nil {
			return nil
		}
		rel, err := filepath.Rel(filepath.Dir(path), inside)
		if err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.Symlink(rel, path)
	})
}
