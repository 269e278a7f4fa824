package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// candidate is a program that may be a runtime.
type candidate struct {
	family family
	path   string
	stamp  stamp
	facts  facts // zero for a program that has nothing to say
	known  bool  // it was asked
}

// facts are what a program says of itself.
type facts struct {
	Version string // "22.1.0"
	Program string // the real file: version managers put scripts in front
	Prefix  string // what has to be shown in a sandbox where it is not the system's
	Conf    string `json:",omitempty"` // Java: configuration kept outside of Prefix
	JDK     bool   `json:",omitempty"` // Java: has a compiler
}

// stamp tells a program from another at the same path.
type stamp struct{ Size, Modified int64 }

// candidates lists the programs there are, best first.
func (s *Set) candidates() []candidate {
	var list []candidate
	add := func(f family, path string) {
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			list = append(list, candidate{family: f, path: path, stamp: stamp{st.Size(), st.ModTime().UnixNano()}})
		}
	}
	dirs := append([]string{"/usr/bin", "/usr/local/bin"}, s.path...)
	added, _ := filepath.Glob(filepath.Join(s.dir, addedFolder, "*", "bin"))
	packaged, _ := filepath.Glob(filepath.Join(s.dir, addedFolder, "*", "usr", "bin"))
	for _, dir := range append(append(dirs, added...), packaged...) {
		add(nodejs, filepath.Join(dir, "node"))
		for _, e := range catalog {
			switch e.family {
			case nodejs:
				add(nodejs, filepath.Join(dir, "node"+e.version))
			case python:
				add(python, filepath.Join(dir, "python"+e.version))
			}
		}
	}
	homes, _ := filepath.Glob("/usr/lib/jvm/*/bin/java")
	packaged, _ = filepath.Glob(filepath.Join(s.dir, addedFolder, "*", "usr/lib/jvm/*/bin/java"))
	for _, path := range append(homes, packaged...) {
		add(java, path)
	}
	return list
}

// probe asks a program what it is.
func probe(ctx context.Context, f family, path string) (facts, error) {
	switch f {
	case nodejs:
		return probeNode(ctx, path)
	case python:
		return probePython(ctx, path)
	case java:
		return probeJava(path)
	}
	return facts{}, fmt.Errorf("no program in family %s", f)
}

func probeNode(ctx context.Context, path string) (facts, error) {
	out, err := ask(ctx, path, "-p", "process.version+'\\n'+process.execPath")
	if err != nil {
		return facts{}, err
	}
	version, program, _ := strings.Cut(out, "\n")
	return facts{
		Version: strings.TrimPrefix(version, "v"),
		Program: program,
		Prefix:  filepath.Dir(filepath.Dir(program)),
	}, nil
}

func probePython(ctx context.Context, path string) (facts, error) {
	out, err := ask(ctx, path, "-E", "-S", "-c", "import sys;print(sys.version.split()[0]);print(sys.base_prefix);print(sys.executable)")
	if err != nil {
		return facts{}, err
	}
	lines := strings.Split(out, "\n")
	if len(lines) != 3 {
		return facts{}, fmt.Errorf("unexpected answer %q", out)
	}
	f := facts{Version: lines[0], Prefix: lines[1], Program: lines[2]}
	real := filepath.Join(f.Prefix, "bin", "python"+majorOf(python, f.Version))
	if _, err := os.Stat(real); err == nil {
		f.Program = real
	}
	return f, nil
}

// probeJava reads the release file of a Java home: starting a JVM takes longer.
func probeJava(path string) (facts, error) {
	program, err := filepath.EvalSymlinks(path)
	if err != nil {
		return facts{}, fmt.Errorf("resolve program: %w", err)
	}
	home := filepath.Dir(filepath.Dir(program))
	release, err := os.ReadFile(filepath.Join(home, "release"))
	if err != nil {
		return facts{}, fmt.Errorf("read release: %w", err)
	}
	f := facts{Program: program, Prefix: home}
	for line := range strings.Lines(string(release)) {
		if v, ok := strings.CutPrefix(line, "JAVA_VERSION="); ok {
			f.Version = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	if f.Version == "" {
		return facts{}, fmt.Errorf("no version in %s/release", home)
	}
	_, err = os.Stat(filepath.Join(home, "bin", "javac"))
	f.JDK = err == nil
	// Debian keeps the configuration in /etc, which a sandbox doesn't show.
	if conf, err := filepath.EvalSymlinks(filepath.Join(home, "conf", "security", "java.security")); err == nil {
		if dir := filepath.Dir(filepath.Dir(conf)); !strings.HasPrefix(dir, home) {
			f.Conf = dir
		}
	}
	return f, nil
}

// ask runs a program with nothing of our environment but the search path.
func ask(ctx context.Context, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w", path, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// seenFile is what is remembered of a program; seen maps paths to it.
type seenFile struct {
	Stamp stamp
	Facts facts
}

type seen map[string]seenFile

const seenName = "found.json"

// loadSeen reads what earlier starts found; anything wrong with it is as if
// nothing had been found yet.
func loadSeen(dir string) seen {
	known := seen{}
	if b, err := os.ReadFile(filepath.Join(dir, seenName)); err == nil && json.Unmarshal(b, &known) != nil {
		return seen{}
	}
	return known
}

// remember keeps what the candidates have said, and nothing of programs that are
// gone.
func remember(dir string, candidates []candidate) error {
	known := seen{}
	for _, c := range candidates {
		if c.known {
			known[c.path] = seenFile{Stamp: c.stamp, Facts: c.facts}
		}
	}
	b, err := json.MarshalIndent(known, "", "  ")
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return writeFile(filepath.Join(dir, seenName), b, 0o600)
}

// writeFile replaces a file in one step.
func writeFile(path string, b []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
