package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// javaCompileTimeout bounds the one compilation of the Java bootstrap.
const javaCompileTimeout = 2 * time.Minute

// javaCore is the folder of our aws-lambda-java-core in the sources.
const javaCore = "core"

var errNoCompiler = errors.New("it is a JRE: a JDK is needed, to compile Mayfly's bootstrap once")

// javaDir is where the bootstrap compiled for one Java version lives.
func javaDir(dir string, f facts) string {
	return filepath.Join(dir, bootFolder, version+"-java"+majorOf(java, f.Version))
}

// ready compiles the bootstrap of a Java runtime unless that was done.
func (s *Set) ready(r Runtime) error {
	s.compiling.Lock()
	defer s.compiling.Unlock()
	if err, done := s.compiled[r.bootstrap]; done {
		return err
	}
	if _, err := os.Stat(r.bootstrap); err == nil {
		s.compiled[r.bootstrap] = nil
		return nil
	}
	if !r.jdk {
		return errNoCompiler
	}
	ctx, cancel := context.WithTimeout(context.Background(), javaCompileTimeout)
	defer cancel()
	err := compileJava(ctx, s.dir, r)
	s.compiled[r.bootstrap] = err
	return err
}

// compileJava makes bootstrap.jar; core.jar, the interfaces of handlers, for
// functions that don't package them; and beside them the certificates that the
// system keeps where a sandbox can't see them.
func compileJava(ctx context.Context, dir string, r Runtime) error {
	tmp, err := os.MkdirTemp(filepath.Join(dir, bootFolder), ".java-*")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	var files []string
	for _, folder := range []string{".", javaCore} {
		some, err := filepath.Glob(filepath.Join(bootstrapDir(dir, java), folder, "*.java"))
		if err != nil {
			return fmt.Errorf("list sources: %w", err)
		}
		files = append(files, some...)
	}
	bin := filepath.Dir(r.Path)
	classes, out := filepath.Join(tmp, "classes"), filepath.Join(tmp, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	args := append([]string{"--release", "17", "-nowarn", "-g:source,lines", "-d", classes}, files...)
	if b, err := exec.CommandContext(ctx, filepath.Join(bin, "javac"), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("compile bootstrap: %w: %s", err, firstLine(b))
	}
	for name, root := range map[string]string{"bootstrap.jar": "mayfly", "core.jar": "com"} {
		jar := exec.CommandContext(ctx, filepath.Join(bin, "jar"), "--create", "--no-compress", "--file", filepath.Join(out, name), "-C", classes, root)
		if b, err := jar.CombinedOutput(); err != nil {
			return fmt.Errorf("pack %s: %w: %s", name, err, firstLine(b))
		}
	}
	if err := copyCerts(filepath.Join(filepath.Dir(bin), "lib", "security", "cacerts"), out); err != nil {
		return err
	}
	if err := os.Rename(out, r.bootstrap); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep bootstrap: %w", err)
	}
	return nil
}

// copyCerts copies the trusted certificates, if there are any.
func copyCerts(from, dir string) error {
	b, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read certificates: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cacerts"), b, 0o644); err != nil {
		return fmt.Errorf("copy certificates: %w", err)
	}
	return nil
}

// javaArgs are the JVM's: collectors and compilers as AWS's runtimes choose them,
// the heap bounded so that the rest of the process fits in the function's memory.
func javaArgs(memoryMiB int) []string {
	return []string{
		"-Xmx" + strconv.Itoa(heapMiB(memoryMiB)) + "m",
		"-Xshare:auto", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-Djavax.net.ssl.trustStore=" + runtimeDir + "/cacerts",
		"--add-opens=java.base/java.util=ALL-UNNAMED",
		"--add-opens=java.base/java.lang=ALL-UNNAMED",
		"--add-opens=java.base/java.io=ALL-UNNAMED",
		"-cp", runtimeDir + "/bootstrap.jar", "mayfly.runtime.Main",
	}
}

// heapMiB leaves a JVM's own needs, about 48 MiB, or a seventh where memory is
// plenty.
func heapMiB(memoryMiB int) int {
	return max(32, memoryMiB-max(48, memoryMiB/7))
}

func firstLine(b []byte) string {
	for i, c := range b {
		if c == '\n' {
			return string(b[:i])
		}
	}
	return string(b)
}
