package guest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/agent/guest"
)

const (
	register  = "/2020-01-01/extension/register"
	event     = "/2020-01-01/extension/event/next"
	telemetry = "/2022-07-01/telemetry"
)

// registers registers an extension and gives the header that identifies it.
func (w *world) registers(name string, events ...string) string {
	w.t.Helper()
	body, _ := json.Marshal(map[string][]string{"events": events})
	r := w.do("POST", register, string(body), "Lambda-Extension-Name: "+name)
	if r.status != 200 {
		w.t.Fatalf("register %s got %+v", name, r)
	}
	return "Lambda-Extension-Identifier: " + r.header.Get("Lambda-Extension-Identifier")
}

// extended is a world with one external extension, which has registered, and
// the runtime's process.
func extended(t *testing.T, events ...string) (w *world, ext, rt *proc, self string) {
	t.Helper()
	w = begin(t, frame.InitBody{
		TaskRoot: "/var/task", Extensions: []string{"/opt/extensions/one"},
		Env:          map[string]string{"_HANDLER": "h", "A": "1"},
		FunctionName: "f", FunctionVersion: "$LATEST", AccountID: "123456789012", Handler: "h", MemoryMiB: 128,
	})
	ext = w.started()
	self = w.registers("one", events...)
	return w, ext, w.started(), self
}

func TestExtensionsLife(t *testing.T) {
	w := begin(t, frame.InitBody{
		Extensions: []string{"/opt/extensions/one"}, Env: map[string]string{"_HANDLER": "h", "A": "1"},
		FunctionName: "f", FunctionVersion: "7", AccountID: "123456789012", Handler: "h",
	})
	ext := w.started()
	if got := strings.Join(ext.cmd.Env, " "); strings.Contains(got, "_HANDLER") || !strings.Contains(got, "A=1") {
		t.Errorf("the extension's environment is %q", got)
	}
	select {
	case p := <-w.procs:
		t.Fatalf("%v started before the extension registered", p.cmd.Args)
	case <-time.After(50 * time.Millisecond):
	}
	r := w.do("POST", register, `{"events":["INVOKE","SHUTDOWN"]}`, "Lambda-Extension-Name: one", "Lambda-Extension-Accept-Feature: accountId")
	var got map[string]string
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"functionName": "f", "functionVersion": "7", "handler": "h", "accountId": "123456789012"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	self := "Lambda-Extension-Identifier: " + r.header.Get("Lambda-Extension-Identifier")
	rt := w.started()
	call := w.later("GET", next, "")
	w.silent() // the extension is not ready
	told := w.later("GET", event, "", self)
	if body := w.expect(frame.Ready); body != `{"idle":true}` {
		t.Errorf("Ready says %q", body)
	}

	w.invoke(id1, "1", frame.Call{ARN: "arn:f", DeadlineMs: 99, TraceID: "Root=1"})
	w.get(call)
	r = w.get(told)
	if want := `{"eventType":"INVOKE","deadlineMs":99,"requestId":"` + id1 + `","invokedFunctionArn":"arn:f","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}}`; r.body != want {
		t.Errorf("the event is %s", r.body)
	}
	w.do("POST", response, "done")
	w.expect(frame.Result)
	w.later("GET", next, "")
	w.silent() // the extension still works
	told = w.later("GET", event, "", self)
	w.expect(frame.Idle)

	w.send(frame.Shutdown, frame.ShutdownBody{Reason: "spindown", TimeoutMs: 2000})
	if s := <-rt.signals; s != syscall.SIGTERM {
		t.Errorf("the runtime got %v", s)
	}
	rt.end(guest.Exit{})
	r = w.get(told)
	if !strings.HasPrefix(r.body, `{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":`) {
		t.Errorf("the last event is %s", r.body)
	}
	ext.end(guest.Exit{})
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
	w.ended <- nil
	select {
	case s := <-ext.signals:
		t.Errorf("the extension got %v", s)
	default:
	}
}

func TestShutdownOfWhatDoesNotListen(t *testing.T) {
	w, ext, rt, self := extended(t, "INVOKE", "SHUTDOWN")
	w.later("GET", next, "")
	told := w.later("GET", event, "", self)
	w.expect(frame.Ready)
	begun := time.Now()
	w.send(frame.Shutdown, frame.ShutdownBody{Reason: "failure", TimeoutMs: 400})
	for _, want := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if s := <-rt.signals; s != want {
			t.Errorf("the runtime got %v, want %v", s, want)
		}
	}
	w.get(told)
	if s := <-ext.signals; s != syscall.SIGKILL {
		t.Errorf("the extension got %v", s)
	}
	err := <-w.ended
	w.ended <- err
	if took := time.Since(begun); err != nil || took < 400*time.Millisecond || took > 5*time.Second {
		t.Errorf("the shutdown took %v, %v", took, err)
	}
}

func TestExtensionFailures(t *testing.T) {
	nilText := "RequestId: " + frame.NilID + " Error: "
	for name, c := range map[string]struct {
		fail func(w *world, ext *proc, self string)
		want frame.ErrorBody
	}{
		"ends":    {func(w *world, ext *proc, self string) { ext.end(guest.Exit{}) }, frame.ErrorBody{Type: "Extension.Crash", Message: nilText + "exit code 0"}},
		"crashes": {func(w *world, ext *proc, self string) { ext.end(guest.Exit{Code: 2}) }, frame.ErrorBody{Type: "Extension.Crash", Message: nilText + "exit status 2"}},
		"says so": {func(w *world, ext *proc, self string) {
			r := w.do("POST", "/2020-01-01/extension/init/error", `{"errorMessage":"no key","errorType":"X"}`, self, "Lambda-Extension-Function-Error-Type: X")
			if r.status != 202 {
				w.t.Errorf("init/error got %+v", r)
			}
		}, frame.ErrorBody{Type: "Extension.InitError", Message: nilText + "one: no key"}},
	} {
		t.Run(name, func(t *testing.T) {
			w, ext, _, self := extended(t, "INVOKE")
			c.fail(w, ext, self)
			if diff := cmp.Diff(c.want, w.failed(frame.NilID)); diff != "" {
				t.Error(diff)
			}
			w.silent()
		})
	}
}

func TestExtensionCrashesInACall(t *testing.T) {
	for _, answered := range []bool{false, true} {
		w, ext, _, self := extended(t, "INVOKE")
		call := w.later("GET", next, "")
		w.later("GET", event, "", self)
		w.expect(frame.Ready)
		w.invoke(id1, "1", frame.Call{})
		w.get(call)
		if answered {
			w.do("POST", response, "x")
			w.expect(frame.Result)
		}
		ext.end(guest.Exit{Code: 1})
		if !answered {
			if e := w.failed(id1); e.Type != "Extension.Crash" {
				t.Errorf("got %+v", e)
			}
		}
		w.expect(frame.Idle)
		w.invoke(id2, "2", frame.Call{})
		if e := w.failed(id2); e.Type != "Extension.Crash" {
			t.Errorf("got %+v", e)
		}
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	w := begin(t, frame.InitBody{Extensions: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}})
	if e := w.failed(frame.NilID); e.Type != "Extension.LaunchError" {
		t.Errorf("got %+v", e)
	}
}

func TestInternalExtension(t *testing.T) {
	w := begin(t, frame.InitBody{})
	w.started()
	if r := w.do("POST", register, `{"events":["SHUTDOWN"]}`, "Lambda-Extension-Name: inside"); r.status != 403 || !strings.Contains(r.body, "Extension.InvalidEventType") {
		t.Errorf("an internal extension may not register for SHUTDOWN: %+v", r)
	}
	self := w.registers("inside", "INVOKE")
	call := w.later("GET", next, "")
	told := w.later("GET", event, "", self)
	w.expect(frame.Ready)
	if r := w.do("POST", register, `{"events":[]}`, "Lambda-Extension-Name: late"); !strings.Contains(r.body, "Extension.RegistrationClosed") {
		t.Errorf("registered after the init: %+v", r)
	}
	w.invoke(id1, "1", frame.Call{})
	w.get(call)
	w.get(told)
	w.do("POST", response, "")
	w.expect(frame.Result)
	w.later("GET", event, "", self)
	w.silent()
	w.later("GET", next, "")
	w.expect(frame.Idle)
}

func TestRegistrationRefusals(t *testing.T) {
	w, _, _, self := extended(t, "INVOKE")
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
		kind               string
	}{
		{"POST", register, `{"events":[]}`, nil, 403, "Extension.InvalidExtensionName"},
		{"POST", register, `{`, []string{"Lambda-Extension-Name: a"}, 403, "InvalidRequestFormat"},
		{"POST", register, `{"events":["OTHER"]}`, []string{"Lambda-Extension-Name: a"}, 403, "Extension.InvalidEventType"},
		{"POST", register, `{"events":[]}`, []string{"Lambda-Extension-Name: one"}, 403, "Extension.InvalidExtensionState"},
		{"POST", register, strings.Repeat(" ", 5000), []string{"Lambda-Extension-Name: a"}, 413, "RequestEntityTooLarge"},
		{"GET", event, "", nil, 403, "Extension.MissingExtensionIdentifier"},
		{"GET", event, "", []string{"Lambda-Extension-Identifier: x"}, 403, "Extension.InvalidExtensionIdentifier"},
		{"GET", event, "", []string{"Lambda-Extension-Identifier: " + id1}, 403, "Extension.UnknownExtensionIdentifier"},
		{"POST", "/2020-01-01/extension/init/error", "", []string{self}, 403, "Extension.MissingHeader"},
		{"POST", event, "", nil, 405, "MethodNotAllowed"},
		{"GET", "/2020-01-01/extension/other", "", nil, 404, "NotFound"},
		{"PUT", telemetry, "", nil, 403, "Extension.MissingExtensionIdentifier"},
		{"PUT", telemetry, "{", []string{self}, 400, "ValidationError"},
		{"PUT", telemetry, `{"schemaVersion":"1","types":["function"]}`, []string{self}, 400, "ValidationError"},
		{"PUT", telemetry, `{"schemaVersion":"2022-12-13","types":["function"],"destination":{"protocol":"HTTP","URI":"http://example.com/"}}`, []string{self}, 400, "sandbox.localdomain"},
		{"PUT", telemetry, `{"schemaVersion":"2022-12-13","types":["function"],"buffering":{"maxItems":5},"destination":{"protocol":"HTTP","URI":"http://sandbox:80/"}}`, []string{self}, 400, "maxItems"},
	} {
		r := w.do(c.method, c.path, c.body, c.headers...)
		if r.status != c.status || !strings.Contains(r.body, c.kind) {
			t.Errorf("%s %s %s: %+v, want %d %s", c.method, c.path, c.body, r, c.status, c.kind)
		}
	}
	for i := range 9 {
		w.registers(fmt.Sprint("more", i))
	}
	if r := w.do("POST", register, `{"events":[]}`, "Lambda-Extension-Name: eleventh"); !strings.Contains(r.body, "Extension.TooManyExtensions") {
		t.Errorf("the eleventh extension got %+v", r)
	}
}

// record is an event as a subscriber gets it.
type record struct {
	Time   time.Time
	Type   string
	Record json.RawMessage
}

func TestTelemetry(t *testing.T) {
	w, ext, rt, self := extended(t, "INVOKE")
	records := make(chan record, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var batch []record
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Error(err)
		}
		for _, one := range batch {
			records <- one
		}
	}))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	fmt.Fprint(ext.out, "from the extension\n")
	r := w.do("PUT", telemetry, `{"schemaVersion":"2022-12-13","types":["platform","function","extension"],"buffering":{"maxItems":1000,"maxBytes":262144,"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:`+port+`/x"}}`, self)
	if r.status != 200 || r.body != `"OK"` {
		t.Fatalf("subscribe got %+v", r)
	}
	fmt.Fprint(rt.out, "from the function\nhalf a ")
	call := w.later("GET", next, "")
	w.later("GET", event, "", self)
	w.expect(frame.Ready)
	if r := w.do("PUT", telemetry, `{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"TCP","port":1}}`, self); !strings.Contains(r.body, "Telemetry.SubscriptionClosed") {
		t.Errorf("subscribed after the init: %+v", r)
	}
	w.invoke(id1, "1", frame.Call{TraceID: "Root=1"})
	w.get(call)
	fmt.Fprint(rt.out, "line\n")
	w.do("POST", response, "four")
	w.expect(frame.Result)
	w.later("GET", next, "")
	w.later("GET", event, "", self)
	w.expect(frame.Idle)

	got := map[string]string{}
	for len(got) < 10 {
		select {
		case r := <-records:
			if time.Since(r.Time).Abs() > time.Minute {
				t.Errorf("%s at %v", r.Type, r.Time)
			}
			got[r.Type] = strings.TrimPrefix(got[r.Type]+"|"+string(r.Record), "|")
		case <-time.After(10 * time.Second):
			t.Fatalf("events came only of %v", got)
		}
	}
	for kind, want := range map[string]string{
		"platform.initStart":             `"phase":"init"`,
		"platform.telemetrySubscription": `{"name":"one","state":"Subscribed","types":["platform","function","extension"]}`,
		"platform.extension":             `{"events":["INVOKE"],"name":"one","state":"Ready"}`,
		"platform.initRuntimeDone":       `"status":"success"`,
		"platform.initReport":            `"durationMs":`,
		"platform.start":                 `"requestId":"` + id1 + `"`,
		"platform.runtimeDone":           `"producedBytes":4`,
		"platform.report":                `"memorySizeMB":128`,
		"extension":                      `"from the extension"`,
		"function":                       `"from the function"`,
	} {
		if !strings.Contains(got[kind], want) {
			t.Errorf("%s is %s, want %s", kind, got[kind], want)
		}
	}
	logs := make([]byte, 0, 64)
	for !strings.Contains(string(logs), "half a line") || !strings.Contains(string(logs), "from the extension\n") {
		n, err := w.logs.Read(logs[len(logs):cap(logs)])
		if err != nil {
			t.Fatal(err)
		}
		logs = logs[:len(logs)+n]
	}
}

func TestSlowSubscriberIsToldWhatItMissed(t *testing.T) {
	w, _, rt, self := extended(t)
	release, kinds := make(chan struct{}), make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		<-release
		if strings.Contains(string(body), "platform.logsDropped") {
			kinds <- string(body)
		}
	}))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	w.do("PUT", "/2020-08-15/logs", `{"schemaVersion":"2021-03-18","types":["function","platform"],"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox:`+port+`"}}`, self)
	go io.Copy(io.Discard, w.logs)
	line := strings.Repeat("x", 1000) + "\n"
	for range 2000 {
		fmt.Fprint(rt.out, line)
	}
	close(release)
	select {
	case <-kinds:
	case <-time.After(20 * time.Second):
		t.Error("no platform.logsDropped came")
	}
}
