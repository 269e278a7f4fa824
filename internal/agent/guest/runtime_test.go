package guest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
	"github.com/mayfly-cloud/mayfly/internal/agent/guest"
)

const (
	next     = "/2018-06-01/runtime/invocation/next"
	response = "/2018-06-01/runtime/invocation/" + id1 + "/response"
	failure  = "/2018-06-01/runtime/invocation/" + id1 + "/error"
	initErr  = "/2018-06-01/runtime/init/error"
)

// inCall is a world in the middle of a call of id1.
func inCall(t *testing.T, c frame.Call) (*world, *proc) {
	t.Helper()
	w := begin(t, frame.InitBody{TaskRoot: "/var/task"})
	p := w.started()
	got := w.later("GET", next, "")
	w.expect(frame.Ready)
	w.invoke(id1, `{"a":1}`, c)
	if r := w.get(got); r.status != 200 || r.body != `{"a":1}` {
		t.Fatalf("next gave %+v", r)
	}
	return w, p
}

func TestRuntimeIsStartedWithItsEnvironment(t *testing.T) {
	w := begin(t, frame.InitBody{
		TaskRoot: "/var/task", Args: []string{"/var/task/bootstrap", "x"},
		Env: map[string]string{"B": "2", "A": "1", "AWS_LAMBDA_RUNTIME_API": "elsewhere"},
	})
	p := w.started()
	p.cmd.Files = nil
	want := guest.Command{
		Args: []string{"/var/task/bootstrap", "x"}, Dir: "/var/task",
		Env: []string{"A=1", "B=2", "AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(w.base, "http://")},
	}
	if diff := cmp.Diff(want, p.cmd); diff != "" {
		t.Error(diff)
	}
	w.silent() // no Ready before next
	w.end()
}

func TestCallCarriesItsContext(t *testing.T) {
	w := begin(t, frame.InitBody{})
	w.started()
	got := w.later("GET", next, "")
	if body := w.expect(frame.Ready); body != "{}" {
		t.Errorf("Ready says %q", body)
	}
	w.invoke(id1, `[1]`, frame.Call{ARN: "arn:f:1", DeadlineMs: 1234567, TraceID: "Root=1-2", Client: "{\"a\":\n1}", Identity: `{"i":2}`})
	r := w.get(got)
	want := http.Header{
		"Content-Type":                        {"application/json"},
		"Content-Length":                      {"3"},
		"Lambda-Runtime-Aws-Request-Id":       {id1},
		"Lambda-Runtime-Deadline-Ms":          {"1234567"},
		"Lambda-Runtime-Invoked-Function-Arn": {"arn:f:1"},
		"Lambda-Runtime-Trace-Id":             {"Root=1-2"},
		"Lambda-Runtime-Client-Context":       {`{"a": 1}`},
		"Lambda-Runtime-Cognito-Identity":     {`{"i":2}`},
	}
	if diff := cmp.Diff(want, r.header); diff != "" || r.body != "[1]" {
		t.Errorf("%q %s", r.body, diff)
	}
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		headers    []string
		stream     bool
		status     int
		kind       frame.Kind
		want       string
	}{
		"response":           {response, "hello", nil, false, 202, frame.Result, id1 + "hello"},
		"empty response":     {response, "", nil, false, 202, frame.Result, id1},
		"streamed, unwanted": {response, "hello", []string{"Lambda-Runtime-Function-Response-Mode: streaming"}, false, 202, frame.Result, id1 + "hello"},
		"whole, to a stream": {response, "hello", nil, true, 202, frame.Result, id1 + "hello"},
		"error":              {failure, `{"errorMessage":"m","errorType":"T","stackTrace":[{"line":1}]}`, nil, false, 202, frame.Failed, id1 + `{"errorMessage":"m","errorType":"T","stackTrace":[{"line":1}]}`},
		"error that isn't JSON": {failure, "oops", []string{"Lambda-Runtime-Function-Error-Type: Runtime.Bad"}, false, 202, frame.Failed,
			id1 + `{"errorMessage":"oops","errorType":"Runtime.Bad"}`},
		"unknown mode": {response, "hello", []string{"Lambda-Runtime-Function-Response-Mode: loud"}, false, 400, frame.Failed,
			id1 + `{"errorMessage":"RequestId: ` + id1 + ` Error: Runtime.InvalidResponseModeHeader","errorType":"Runtime.InvalidResponseModeHeader"}`},
		"too large": {response, strings.Repeat("x", 6<<20+101), nil, false, 413, frame.Failed,
			id1 + `{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}`},
		"as large as allowed": {response, strings.Repeat("x", 6<<20+100), nil, false, 202, frame.Result, id1 + strings.Repeat("x", 6<<20+100)},
		"error too large":     {failure, strings.Repeat("x", 256<<10+1), nil, false, 413, frame.Failed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := inCall(t, frame.Call{Stream: c.stream})
			got := w.later("POST", c.path, c.body, c.headers...)
			if body := w.expect(c.kind); c.want != "" && body != c.want {
				t.Errorf("the worker got %.200q, want %.200q", body, c.want)
			}
			r := w.get(got)
			if r.status != c.status || c.status == 202 && r.body != `{"status":"OK"}` {
				t.Errorf("the runtime got %+v, want %d", r, c.status)
			}
			// The runtime goes on, whatever it did.
			again := w.later("GET", next, "")
			w.invoke(id2, "2", frame.Call{})
			if r := w.get(again); r.body != "2" {
				t.Errorf("the next call gave %+v", r)
			}
		})
	}
}

func TestStreamedAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		trailer http.Header
		end     string
	}{
		"whole": {nil, ""},
		"broken": {http.Header{
			"Lambda-Runtime-Function-Error-Type": {"MyError"},
			"Lambda-Runtime-Function-Error-Body": {"eyJlcnJvck1lc3NhZ2UiOiJtIiwiZXJyb3JUeXBlIjoiTXlFcnJvciJ9"},
		}, `{"errorMessage":"m","errorType":"MyError"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := inCall(t, frame.Call{Stream: true})
			body, feed := io.Pipe()
			req, err := http.NewRequest("POST", w.base+response, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
			req.Header.Set("Content-Type", "application/vnd.awslambda.http-integration-response")
			req.Trailer = c.trailer
			done := make(chan int, 1)
			go func() {
				resp, err := w.client.Do(req)
				if err != nil {
					done <- 0
					return
				}
				resp.Body.Close()
				done <- resp.StatusCode
			}()
			_, _ = io.WriteString(feed, "one")
			if got := w.expect(frame.Begin); got != id1+`{"contentType":"application/vnd.awslambda.http-integration-response"}` {
				t.Errorf("Begin says %q", got)
			}
			if got := w.expect(frame.Chunk); got != "one" {
				t.Errorf("first chunk %q", got)
			}
			_, _ = io.WriteString(feed, "two")
			if got := w.expect(frame.Chunk); got != "two" {
				t.Errorf("second chunk %q", got)
			}
			feed.Close()
			if got := w.expect(frame.End); got != c.end {
				t.Errorf("End says %q, want %q", got, c.end)
			}
			if got := <-done; got != 202 {
				t.Errorf("status %d", got)
			}
		})
	}
}

func TestStreamCutShort(t *testing.T) {
	w, p := inCall(t, frame.Call{Stream: true})
	c, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", response)
	w.expect(frame.Begin)
	w.expect(frame.Chunk)
	c.Close()
	if got := w.expect(frame.End); !strings.Contains(got, "Runtime.TruncatedResponse") {
		t.Errorf("End says %q", got)
	}
	p.end(guest.Exit{Code: 1})
	w.silent()
}

func TestRefusals(t *testing.T) {
	const other = "/2018-06-01/runtime/invocation/" + id2 + "/response"
	w, _ := inCall(t, frame.Call{})
	for _, c := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{"POST", other, 400, "InvalidRequestID"},
		{"POST", "/2018-06-01/runtime/invocation/x/error", 400, "InvalidRequestID"},
		{"GET", next, 403, "InvalidStateTransition"},
		{"POST", initErr, 403, "InvalidStateTransition"},
		{"GET", response, 405, "MethodNotAllowed"},
		{"POST", next, 405, "MethodNotAllowed"},
		{"GET", "/2018-06-01/runtime/restore/next", 404, "NotFound"},
		{"GET", "/2018-06-01/nowhere", 404, "NotFound"},
		{"GET", "/", 404, "NotFound"},
		{"POST", "/2018-06-01/runtime/invocation/" + id1 + "/other", 404, "NotFound"},
		{"GET", "/2020-01-01/extension/event/next", 403, "Extension.MissingExtensionIdentifier"},
	} {
		r := w.do(c.method, c.path, "x")
		if r.status != c.status || !strings.Contains(r.body, `"errorType":"`+c.kind+`"`) {
			t.Errorf("%s %s: %+v, want %d %s", c.method, c.path, r, c.status, c.kind)
		}
	}
	w.silent()
	if r := w.do("POST", response, "ok"); r.status != 202 {
		t.Errorf("the answer got %+v", r)
	}
	w.expect(frame.Result)
	if r := w.do("POST", response, "again"); r.status != 403 {
		t.Errorf("the second answer got %+v", r)
	}
	if r := w.do("POST", failure, "{}"); r.status != 403 {
		t.Errorf("the error after the answer got %+v", r)
	}
	w.silent()
}

func TestInitFailures(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(w *world, p *proc)
		want frame.ErrorBody
	}{
		"exits":       {func(w *world, p *proc) { p.end(guest.Exit{Code: 1}) }, frame.ErrorBody{Type: "Runtime.ExitError", Message: "RequestId: " + frame.NilID + " Error: Runtime exited with error: exit status 1"}},
		"is killed":   {func(w *world, p *proc) { p.end(guest.Exit{Signal: syscall.SIGKILL}) }, frame.ErrorBody{Type: "Runtime.ExitError", Message: "RequestId: " + frame.NilID + " Error: Runtime exited with error: signal: killed"}},
		"just leaves": {func(w *world, p *proc) { p.end(guest.Exit{}) }, frame.ErrorBody{Type: "Runtime.ExitError", Message: "RequestId: " + frame.NilID + " Error: Runtime exited without providing a reason"}},
		"says why": {func(w *world, p *proc) {
			if r := w.do("POST", initErr, `{"errorMessage":"no module","errorType":"Runtime.ImportModuleError"}`); r.status != 202 {
				w.t.Errorf("init/error got %+v", r)
			}
			p.end(guest.Exit{Code: 1})
		}, frame.ErrorBody{Type: "Runtime.ImportModuleError", Message: "no module"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, frame.InitBody{})
			c.fail(w, w.started())
			if diff := cmp.Diff(c.want, w.failed(frame.NilID)); diff != "" {
				t.Error(diff)
			}
			if r := w.do("GET", next, ""); r.status != 403 {
				t.Errorf("next got %+v", r)
			}
			w.silent()
			w.end()
		})
	}
}

func TestRuntimeEndsDuringACall(t *testing.T) {
	w, p := inCall(t, frame.Call{})
	p.end(guest.Exit{Code: 3})
	want := frame.ErrorBody{Type: "Runtime.ExitError", Message: "RequestId: " + id1 + " Error: Runtime exited with error: exit status 3"}
	if diff := cmp.Diff(want, w.failed(id1)); diff != "" {
		t.Error(diff)
	}
	w.invoke(id2, "{}", frame.Call{})
	w.failed(id2)
	w.end()
}

func TestRuntimeEndsBetweenCalls(t *testing.T) {
	w, p := inCall(t, frame.Call{})
	w.do("POST", response, "1")
	w.expect(frame.Result)
	w.later("GET", next, "")
	p.end(guest.Exit{Signal: syscall.SIGSEGV})
	w.silent()
	w.invoke(id2, "{}", frame.Call{})
	if e := w.failed(id2); e.Type != "Runtime.ExitError" || !strings.Contains(e.Message, "signal: segmentation fault") {
		t.Errorf("got %+v", e)
	}
}

func TestCallThatTakesLongCanBeShutDown(t *testing.T) {
	w, _ := inCall(t, frame.Call{})
	w.end()
}

func TestManyCallsFastAndSlow(t *testing.T) {
	w, _ := inCall(t, frame.Call{})
	id := id1
	for i := range 60 {
		if i%20 == 19 {
			time.Sleep(120 * time.Millisecond) // longer than the agent leaves the worker unheard
		}
		w.do("POST", "/2018-06-01/runtime/invocation/"+id+"/response", "x")
		w.expect(frame.Result)
		got := w.later("GET", next, "")
		id = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		w.invoke(id, fmt.Sprint(i), frame.Call{})
		if r := w.get(got); r.body != fmt.Sprint(i) {
			t.Fatalf("call %d: %+v", i, r)
		}
	}
	w.end()
}

func TestCallBeforeTheRuntimeAsks(t *testing.T) {
	w, _ := inCall(t, frame.Call{})
	w.do("POST", response, "1")
	w.expect(frame.Result)
	w.invoke(id2, "early", frame.Call{})
	if r := w.do("GET", next, ""); r.body != "early" {
		t.Errorf("next gave %+v", r)
	}
}

func TestLaterNextTakesTheEarlierOnesPlace(t *testing.T) {
	w := begin(t, frame.InitBody{})
	w.started()
	raw, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	fmt.Fprintf(raw, "GET %s HTTP/1.1\r\n\r\n", next)
	w.expect(frame.Ready)
	got := w.later("GET", next, "")
	if _, err := bufio.NewReader(raw).ReadByte(); err != io.EOF {
		t.Errorf("the earlier next got %v", err)
	}
	w.invoke(id1, "1", frame.Call{})
	if r := w.get(got); r.body != "1" {
		t.Errorf("the later next got %+v", r)
	}
}

func TestUndeliveredCallIsGivenAgain(t *testing.T) {
	w, _ := inCall(t, frame.Call{})
	w.do("POST", response, "1")
	w.expect(frame.Result)
	raw, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(raw, "GET %s HTTP/1.1\r\n\r\n", next)
	w.until("Ready") // it waits in next, and is cut off there
	raw.Close()
	w.invoke(id2, "2", frame.Call{})
	if r := w.do("GET", next, ""); r.body != "2" {
		t.Errorf("next gave %+v", r)
	}
}

func TestGarbageHarmsNothing(t *testing.T) {
	w, _ := inCall(t, frame.Call{})
	for _, in := range []string{"\x00\x01\x02\r\n\r\n", "GET / HTTP/9\r\n\r\n", "POST " + response + " HTTP/1.1\r\nContent-Length: x\r\n\r\n"} {
		raw, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(raw, in)
		resp, err := http.ReadResponse(bufio.NewReader(raw), nil)
		if err != nil || resp.StatusCode != 400 {
			t.Errorf("%q: %v", in, err)
		}
		raw.Close()
	}
	if r := w.do("POST", response, "ok"); r.status != 202 {
		t.Errorf("the answer got %+v", r)
	}
	w.expect(frame.Result)
}

func TestConnectionsAreBounded(t *testing.T) {
	w, _ := inCall(t, frame.Call{})
	var open []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	last := open[len(open)-1]
	if err := last.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := last.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the hundredth connection got %v, want its end", err)
	}
}

func TestWorkerThatBreaksTheRulesEndsTheAgent(t *testing.T) {
	for name, b := range map[string][]byte{
		"second Init":    frame.Append(nil, frame.Init, []byte("{}")),
		"unknown kind":   frame.Append(nil, 'Q'),
		"bad Invoke":     frame.Append(nil, frame.Invoke, []byte("x")),
		"program's kind": frame.Append(nil, frame.Result),
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, frame.InitBody{})
			w.started()
			w.write(b)
			err := <-w.ended
			w.ended <- err
			if err == nil {
				t.Error("the agent ended without an error")
			}
		})
	}
}
