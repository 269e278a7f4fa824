package runtime_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

// javaCore stands for aws-lambda-java-core, which functions bring themselves.
var javaCore = map[string]string{
	"Context": `public interface Context { String getAwsRequestId(); String getLogGroupName(); String getLogStreamName();
		String getFunctionName(); String getFunctionVersion(); String getInvokedFunctionArn(); CognitoIdentity getIdentity();
		ClientContext getClientContext(); int getRemainingTimeInMillis(); int getMemoryLimitInMB(); LambdaLogger getLogger();
		default String getTenantId() { return null; } }`,
	"CognitoIdentity":      `public interface CognitoIdentity { String getIdentityId(); String getIdentityPoolId(); }`,
	"ClientContext":        `public interface ClientContext { Client getClient(); java.util.Map<String, String> getCustom(); java.util.Map<String, String> getEnvironment(); }`,
	"Client":               `public interface Client { String getInstallationId(); String getAppTitle(); String getAppVersionName(); String getAppVersionCode(); String getAppPackageName(); }`,
	"LambdaLogger":         `public interface LambdaLogger { void log(String m); void log(byte[] m); default void log(String m, Level l) { log(m); } enum Level { DEBUG, ERROR } }`,
	"RequestHandler":       `public interface RequestHandler<I, O> { O handleRequest(I in, Context c); }`,
	"RequestStreamHandler": `public interface RequestStreamHandler { void handleRequest(java.io.InputStream in, java.io.OutputStream out, Context c) throws java.io.IOException; }`,
}

// javaCode is every handler of these tests, compiled once.
const javaCode = `package app;
import com.amazonaws.services.lambda.runtime.*;
import java.io.*;
import java.util.*;

public class App {
	public enum Colour { RED, GREEN }
	public record Point(int x, double y, List<String> tags) {}
	public static class Bean {
		private String name; private Map<String, Integer> counts; private Colour colour; public boolean open; private Bean next;
		public String getName() { return name; } public void setName(String v) { name = v; }
		public Map<String, Integer> getCounts() { return counts; } public void setCounts(Map<String, Integer> v) { counts = v; }
		public Colour getColour() { return colour; } public void setColour(Colour v) { colour = v; }
		public Bean getNext() { return next; } public void setNext(Bean v) { next = v; }
	}
	public static class Event { private List<Bean> records; public List<Bean> getRecords() { return records; } public void setRecords(List<Bean> v) { records = v; } }

	public static class OnMap implements RequestHandler<Map<String, Object>, Map<String, Object>> {
		public Map<String, Object> handleRequest(Map<String, Object> in, Context c) { in.put("seen", in.get("n").getClass().getSimpleName()); return in; }
	}
	static abstract class Base<T> implements RequestHandler<T, String> { public String handleRequest(T in, Context c) { return in.getClass().getSimpleName(); } }
	public static class OnGeneric extends Base<Bean> {}
	public static class OnStream implements RequestStreamHandler {
		public void handleRequest(InputStream in, OutputStream out, Context c) throws IOException { out.write('<'); in.transferTo(out); out.write('>'); }
	}
	public static class Broken implements RequestHandler<String, String> {
		public Broken() { throw new IllegalStateException("in constructor"); }
		public String handleRequest(String in, Context c) { return in; }
	}
	public static class NoDefault { public NoDefault(int x) {} public String run(String s) { return s; } }

	public Bean bean(Bean b) { return b; }
	public Point point(Point p) { return p; }
	public String records(Event e) { return e.getRecords().get(0).getName(); }
	public int add(List<Integer> l) { int n = 0; for (int i : l) n += i; return n; }
	public static String upper(String s) { return s.toUpperCase(); }
	public void nothing(String s) {}
	public String none() { return "none"; }
	public String overloaded(String s) { return "short"; }
	public String overloaded(String s, Context c) { return "long"; }
	public void pipe(InputStream in, OutputStream out) throws IOException { in.transferTo(out); }
	public String fails(Object o) { throw new IllegalArgumentException("bad news"); }
	public String large(int n) { return "x".repeat(n); }
	public Object self(Object o) { return this; }
	public List<Object> env(Object o) throws Exception {
		ProcessBuilder b = new ProcessBuilder("sh", "-c", "echo $GREETING"); b.environment().put("OTHER", "x"); Process p = b.start();
		return Arrays.asList(System.getenv("GREETING"), System.getenv().get("GREETING"), new String(p.getInputStream().readAllBytes()).trim(),
			System.getenv("_X_AMZN_TRACE_ID").substring(0, 6), System.getenv("_LAMBDA_TELEMETRY_LOG_FD"));
	}
	public List<Object> context(Object o, Context c) {
		c.getLogger().log("two\nlines"); c.getLogger().log("low", LambdaLogger.Level.DEBUG); c.getLogger().log("high", LambdaLogger.Level.ERROR);
		System.out.println("printed");
		int left = c.getRemainingTimeInMillis();
		return Arrays.asList(c.getFunctionName(), c.getFunctionVersion(), c.getMemoryLimitInMB(), c.getLogGroupName(), c.getLogStreamName(),
			c.getInvokedFunctionArn(), c.getAwsRequestId(), left > 50000 && left <= 60000, c.getIdentity().getIdentityId(),
			c.getClientContext().getCustom(), c.getClientContext().getClient().getAppTitle(), c.getTenantId());
	}
	public void exit(Object o) { System.exit(7); }
	public void memory(Object o) { throw new OutOfMemoryError("Java heap space"); }
}
`

// compiled is the folder with the classes of javaCode.
var compiled = sync.OnceValues(func() (string, error) {
	s, err := set()
	if err != nil {
		return "", err
	}
	r, err := s.Lookup(java)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(setDir, "test-*")
	if err != nil {
		return "", err
	}
	sources := map[string]string{"App": javaCode}
	for name, text := range javaCore {
		sources[name] = "package com.amazonaws.services.lambda.runtime;\n" + text
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	args := []string{"-d", filepath.Join(dir, "classes")}
	for name, text := range sources {
		args = append(args, filepath.Join(dir, name+".java"))
		if err := os.WriteFile(args[len(args)-1], []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	if b, err := exec.Command(filepath.Join(filepath.Dir(r.Path), "javac"), args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile: %w: %s", err, b)
	}
	return args[1], nil
})

func javaClasses(t testing.TB) string {
	t.Helper()
	dir, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestJavaHandlers(t *testing.T) {
	classes := javaClasses(t)
	cases := []handlerCase{
		{name: "map", handler: "app.App$OnMap", event: `{"n":1,"l":[1.5,true,null]}`, want: `{"n":1,"l":[1.5,true,null],"seen":"Integer"}`},
		{name: "large number", handler: "app.App$OnMap", event: `{"n":12345678901}`, want: `{"n":12345678901,"seen":"Long"}`},
		{name: "generic superclass", handler: "app.App$OnGeneric", event: `{}`, want: `"Bean"`},
		{name: "stream handler", handler: "app.App$OnStream", event: `{"a": 1}`, want: `<{"a": 1}>`},
		{name: "bean", handler: "app.App::bean", event: `{"name":"Ada","counts":{"a":1},"colour":"GREEN","open":true,"next":{"name":"B"},"more":0}`,
			want: `{"name":"Ada","counts":{"a":1},"colour":"GREEN","next":{"name":"B","counts":null,"colour":null,"next":null,"open":false},"open":true}`},
		{name: "record", handler: "app.App::point", event: `{"x":3,"y":2,"tags":["é\u00e9\n"]}`, want: `{"x":3,"y":2.0,"tags":["éé\n"]}`},
		{name: "names in capitals", handler: "app.App::records", event: `{"Records":[{"Name":"Ada"}]}`, want: `"Ada"`},
		{name: "list and number", handler: "app.App::add", event: `[1,2,3]`, want: `6`},
		{name: "static", handler: "app.App::upper", event: `"ada"`, want: `"ADA"`},
		{name: "void", handler: "app.App::nothing", event: `"x"`, want: `null`},
		{name: "no arguments", handler: "app.App::none", want: `"none"`},
		{name: "overloads", handler: "app.App::overloaded", event: `"x"`, want: `"long"`},
		{name: "stream method", handler: "app.App::pipe", event: `[1]`, want: `[1]`},
		{name: "environment", handler: "app.App::env", want: `["hi","hi","hi","Root=1",null]`},
		{name: "large event", handler: "app.App::upper", event: `"` + strings.Repeat("x", 6<<20-2) + `"`, want: `"` + strings.Repeat("X", 6<<20-2) + `"`},

		{name: "exception", handler: "app.App::fails", wantErr: `java.lang.IllegalArgumentException: bad news`},
		{name: "event of another type", handler: "app.App::add", event: `{}`, wantErr: `java.lang.RuntimeException: An error occurred during JSON parsing`},
		{name: "event is no JSON", handler: "app.App::add", event: `[`, wantErr: `java.lang.RuntimeException: An error occurred during JSON parsing`},
		{name: "event too deep", handler: "app.App::fails", event: strings.Repeat("[", 100000), wantErr: `java.lang.RuntimeException: An error occurred during JSON parsing`},
		{name: "answer is no JSON", handler: "app.App::self", wantErr: `java.lang.RuntimeException: An error occurred during JSON serialization of response`},
		{name: "answer too large", handler: "app.App::large", event: `6291556`, wantErr: `Function.ResponseSizeTooLarge: Response payload size exceeded`},

		{name: "class not found", handler: "app.Nowhere", initErr: `java.lang.ClassNotFoundException: Class not found: app.Nowhere`},
		{name: "no handler interface", handler: "app.App", initErr: `: Class does not implement an appropriate handler interface: app.App`},
		{name: "method not found", handler: "app.App::nowhere", initErr: `: No public method named nowhere with appropriate method signature found on class app.App`},
		{name: "malformed name", handler: "app.App::a::b", initErr: ": Invalid handler: `app.App::a::b'"},
		{name: "constructor throws", handler: "app.App$Broken", initErr: `java.lang.IllegalStateException: in constructor`},
		{name: "no default constructor", handler: "app.App$NoDefault::run", initErr: `java.lang.Exception: Class app.App$NoDefault has no public zero-argument constructor`},
	}
	for i := range cases {
		cases[i].root = classes
	}
	runCases(t, java, cases)
}

func TestJavaContext(t *testing.T) {
	classes := javaClasses(t)
	for _, format := range []string{"Text", "JSON"} {
		t.Run(format, func(t *testing.T) {
			c := boot(t, java)
			c.root = classes
			c.ready("app.App::context", func(in *frame.InitBody) {
				if in.LogFormat = format; format == "JSON" {
					in.ApplicationLogLevel = "INFO"
				}
			})
			k, got := c.invoke(`{}`, func(call *frame.Call) {
				call.Client = `{"custom":{"a":"1"},"client":{"app_title":"t"}}`
				call.Identity = `{"cognitoIdentityId":"i"}`
			})
			want := []any{"hello", "$LATEST", 256.0, "/aws/lambda/hello", "2026/11/23/[$LATEST]0",
				"arn:aws:lambda:us-east-1:123456789012:function:hello", testID, true, "i", map[string]any{"a": "1"}, "t", nil}
			var l []any
			if err := json.Unmarshal([]byte(got), &l); err != nil {
				t.Fatalf("%q %s: %v", k, got, err)
			}
			if d := cmp.Diff(want, l); d != "" {
				t.Error(d)
			}
			c.printed("printed\n")
			if format == "Text" {
				logs := c.logged(3)
				if logs[0].Text != "two\nlines" || logs[0].Kind != 0xa55a0003 || logs[2].Kind != 0xa55a0017 {
					t.Errorf("logs are %+v", logs)
				}
				return
			}
			var line struct{ Message, Level, AWSRequestID string }
			logs := c.logged(2)
			if err := json.Unmarshal([]byte(logs[1].Text), &line); err != nil {
				t.Fatal(err)
			}
			if len(logs) != 2 || line.Message != "high" || line.Level != "ERROR" || line.AWSRequestID != testID {
				t.Errorf("logs are %+v", logs)
			}
		})
	}
}

func TestJavaError(t *testing.T) {
	c := boot(t, java)
	c.root = javaClasses(t)
	c.ready("app.App::fails")
	_, body := c.invoke(`{}`)
	var got struct{ StackTrace []string }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.StackTrace) != 1 || !strings.HasPrefix(got.StackTrace[0], "app.App.fails(App.java:") {
		t.Errorf("stack is %q", got.StackTrace)
	}
	if l := c.logged(1)[0].Text; !strings.HasPrefix(l, "bad news: java.lang.IllegalArgumentException\njava.lang.IllegalArgumentException\n\tat app.App.fails(App.java:") {
		t.Errorf("logged %q", l)
	}
}

func TestJavaEnds(t *testing.T) {
	classes := javaClasses(t)
	t.Run("exit", func(t *testing.T) {
		c := boot(t, java)
		c.root = classes
		c.ready("app.App::exit")
		c.send(frame.Invoke, callBytes(t, testID, testCall(), "{}"))
		if st := c.ended(); st.ExitCode() != 7 {
			t.Errorf("ended with %v", st)
		}
	})
	t.Run("out of heap", func(t *testing.T) {
		c := boot(t, java)
		c.root = classes
		c.ready("app.App::memory")
		k, body := c.invoke(`{}`)
		if k != frame.Failed {
			t.Fatalf("answered %q %s", k, body)
		}
		wantError(t, body, "java.lang.OutOfMemoryError: Java heap space")
		if st := c.ended(); st.ExitCode() != 1 {
			t.Errorf("ended with %v", st)
		}
	})
}

func TestJavaGarbage(t *testing.T) { testGarbage(t, java) }

func BenchmarkJava(b *testing.B) {
	classes := javaClasses(b)
	benchmarkEchoAt(b, java, "app.App$OnMap", classes, `{"n":1}`)
}
