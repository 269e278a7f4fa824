package runtime_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/runtime"
)

// leanCode uses what AWS's image provides and packages none of it.
const leanCode = `package lean;
import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.*;
import java.util.*;

public class Lean implements RequestHandler<Map<String, Object>, List<Object>> {
	public List<Object> handleRequest(Map<String, Object> in, Context c) {
		c.getLogger().log("from the context", LogLevel.INFO);
		LambdaRuntime.getLogger().log("from anywhere\n");
		return Arrays.asList(in.get("n"), c.getFunctionName(), c.getTenantId(), c.getClientContext());
	}
	public static class Bytes implements RequestStreamHandler {
		public void handleRequest(InputStream in, OutputStream out, Context c) throws IOException { in.transferTo(out); }
	}
}
`

// bootstrapOf is the folder of a runtime's bootstrap on this machine.
func bootstrapOf(t *testing.T, r runtime.Runtime) string {
	t.Helper()
	for _, m := range r.Boot(256).Mounts {
		if m.Inside == "/var/runtime" {
			return m.Host
		}
	}
	t.Fatal("no bootstrap")
	return ""
}

// compileTo compiles sources, by file name, into dir.
func compileTo(t *testing.T, dir, classPath string, sources map[string]string) {
	t.Helper()
	src := t.TempDir()
	args := []string{"-d", dir, "-cp", classPath}
	for name, text := range sources {
		path := filepath.Join(src, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	tool(t, "javac", args...)
}

// tool runs a program of the JDK that is tested.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(filepath.Dir(lookup(t, java).Path), name), args...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, b)
	}
}

// A package need not have aws-lambda-java-core in it, and if it does, in its
// classes or as a jar, its copy is the one that counts.
func TestJavaCore(t *testing.T) {
	core := filepath.Join(bootstrapOf(t, lookup(t, java)), "core.jar")
	none := t.TempDir()
	compileTo(t, none, core, map[string]string{"Lean.java": leanCode})

	own := t.TempDir()
	sources := map[string]string{}
	for name, text := range javaCore {
		sources[name+".java"] = "package com.amazonaws.services.lambda.runtime;\n" + text
	}
	sources["Context.java"] = "package com.amazonaws.services.lambda.runtime;\n" +
		"public interface Context { String getFunctionName(); default String getTenantId() { return \"its own\"; }\n" +
		"default ClientContext getClientContext() { return null; } LambdaLogger getLogger(); }"
	sources["LambdaLogger.java"] = "package com.amazonaws.services.lambda.runtime;\n" +
		"public interface LambdaLogger { void log(String m); void log(byte[] m); default void log(String m, com.amazonaws.services.lambda.runtime.logging.LogLevel l) { log(m); } }"
	compileTo(t, own, core, sources)
	jarred, fat := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(jarred, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	tool(t, "jar", "--create", "--file", filepath.Join(jarred, "lib", "aws-lambda-java-core.jar"), "-C", own, "com")
	for dir, parts := range map[string][]string{jarred: {none}, fat: {none, own}} {
		for _, p := range parts {
			if err := os.CopyFS(dir, os.DirFS(p)); err != nil {
				t.Fatal(err)
			}
		}
	}

	for _, tt := range []struct{ name, root, want string }{
		{"none", none, `[1,"hello",null,null]`},
		{"jar", jarred, `[1,"hello","its own",null]`},
		{"fat jar", fat, `[1,"hello","its own",null]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := boot(t, java)
			c.root = tt.root
			c.ready("lean.Lean")
			if _, got := c.invoke(`{"n":1}`); got != tt.want {
				t.Errorf("answered %s, want %s", got, tt.want)
			}
			c.printed("from anywhere\n")
			if l := c.logged(1); l[0].Text != "from the context" {
				t.Errorf("logged %+v", l)
			}
			s := boot(t, java)
			s.root = tt.root
			s.ready("lean.Lean$Bytes")
			if _, got := s.invoke(`{"n":2}`); got != `{"n":2}` {
				t.Errorf("answered %s", got)
			}
		})
	}
}
