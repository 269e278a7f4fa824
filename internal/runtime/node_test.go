package runtime_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

func js(text string) map[string]string { return map[string]string{"index.js": text} }

func TestNodeHandlers(t *testing.T) {
	mjs := func(text string) map[string]string { return map[string]string{"index.mjs": text} }
	runCases(t, node, []handlerCase{
		{name: "async", files: js(`exports.handler = async (e) => ({ hello: e.name })`), handler: "index.handler", want: `{"hello":"Ada"}`},
		{name: "promise", files: js(`exports.handler = (e) => Promise.resolve(e.name)`), handler: "index.handler", want: `"Ada"`},
		{name: "nothing", files: js(`exports.handler = async () => {}`), handler: "index.handler", want: `null`},
		{name: "folder and nested name", files: map[string]string{"src/app.js": `exports.a = { b: { c: async () => 'deep' } }`}, handler: "src/app.a.b.c", want: `"deep"`},
		{name: "own module", files: map[string]string{"index.js": `const x = require('x'); exports.handler = async () => x`, "node_modules/x/index.js": `module.exports = 7`}, handler: "index.handler", want: `7`},
		{name: "ES module", files: mjs(`export const handler = async (e) => e.name`), handler: "index.handler", want: `"Ada"`},
		{name: "ES module by package.json", files: map[string]string{"index.js": `export const handler = async () => import.meta.url.slice(-8)`, "package.json": `{"type":"module"}`}, handler: "index.handler", want: `"index.js"`},
		{name: "CommonJS in a module package", files: map[string]string{"index.cjs": `exports.handler = async () => 1`, "package.json": `{"type":"module"}`}, handler: "index.handler", want: `1`},
		{name: "top-level await", files: mjs(`const v = await new Promise((r) => setTimeout(() => r(5), 5)); export const handler = async () => v`), handler: "index.handler", want: `5`},
		{name: "environment and folder", files: js(`exports.handler = async () => [process.env.GREETING, process.cwd() === __dirname, '_LAMBDA_TELEMETRY_LOG_FD' in process.env]`), handler: "index.handler", want: `["hi",true,false]`},
		{name: "trace", files: js(`exports.handler = async () => process.env._X_AMZN_TRACE_ID.slice(0, 6)`), handler: "index.handler", want: `"Root=1"`},

		{name: "thrown error", files: js(`exports.handler = async () => { throw new RangeError('far') }`), handler: "index.handler", wantErr: `RangeError: far`},
		{name: "thrown from a sync handler", files: js(`exports.handler = () => { throw new Error('sync') }`), handler: "index.handler", wantErr: `Error: sync`},
		{name: "thrown text", files: js(`exports.handler = async () => { throw 'text' }`), handler: "index.handler", wantErr: `string: text`},
		{name: "event is no JSON", files: js(`exports.handler = async () => 1`), handler: "index.handler", event: `{`, wantErr: `SyntaxError: `},
		{name: "answer too large", files: js(`exports.handler = async () => 'x'.repeat(6291556)`), handler: "index.handler", wantErr: `Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size (6291556 bytes).`},
		{name: "largest answer", files: js(`exports.handler = async () => 'x'.repeat(6291554)`), handler: "index.handler", want: `"` + strings.Repeat("x", 6291554) + `"`},
		{name: "large event", files: js(`exports.handler = async (e) => e.length`), handler: "index.handler", event: `"` + strings.Repeat("x", 6<<20) + `"`, want: `6291456`},
		{name: "loop runs empty", files: js(`exports.handler = async () => new Promise(() => {})`), handler: "index.handler", wantErr: `Runtime.NodeJsExit`},

		{name: "module not found", handler: "index.handler", initErr: `Runtime.ImportModuleError: Error: Cannot find module 'index'`},
		{name: "dependency not found", files: js(`require('nowhere')`), handler: "index.handler", initErr: `Runtime.ImportModuleError: Error: Cannot find module 'nowhere'`},
		{name: "handler not found", files: js(`exports.other = 1`), handler: "index.handler", initErr: `Runtime.HandlerNotFound: index.handler is undefined or not exported`},
		{name: "handler is no function", files: js(`exports.handler = 1`), handler: "index.handler", initErr: `Runtime.HandlerNotFound: index.handler is not a function`},
		{name: "syntax error", files: js(`exports.handler = async ( => 1`), handler: "index.handler", initErr: `Runtime.UserCodeSyntaxError: SyntaxError: `},
		{name: "malformed name", files: js(``), handler: "index", initErr: `Runtime.MalformedHandlerName: Bad handler`},
		{name: "name leads out", files: js(``), handler: "../index.handler", initErr: `Runtime.MalformedHandlerName: '../index.handler' is not a valid handler name.`},
		{name: "error while loading", files: js(`throw new Error('at load')`), handler: "index.handler", initErr: `Error: at load`},
		{name: "rejection while loading", files: js(`Promise.reject(new Error('lost')); exports.handler = async () => new Promise((r) => setTimeout(r, 1000))`), handler: "index.handler", initErr: `Runtime.UnhandledPromiseRejection: Error: lost`},
	})
}

// TestNodeCallbacks has what Lambda gave up with Node.js 24.
func TestNodeCallbacks(t *testing.T) {
	if node == "nodejs24.x" {
		runCases(t, node, []handlerCase{
			{name: "callback", files: js(`exports.handler = (e, ctx, cb) => cb(null, 1)`), handler: "index.handler", initErr: `Runtime.CallbackHandlerDeprecated: `},
			{name: "sync", files: js(`exports.handler = () => 42`), handler: "index.handler", want: `42`},
			{name: "answer is no JSON", files: js(`exports.handler = async () => 1n`), handler: "index.handler", wantErr: `Runtime.JSONStringifyError: Unable to stringify response body`},
		})
		return
	}
	runCases(t, node, []handlerCase{
		{name: "callback", files: js(`exports.handler = (e, ctx, cb) => setTimeout(() => cb(null, 'late ' + e.name), 5)`), handler: "index.handler", want: `"late Ada"`},
		{name: "callback error", files: js(`exports.handler = (e, ctx, cb) => cb(new TypeError('no'))`), handler: "index.handler", wantErr: `TypeError: no`},
		{name: "callback waits for the loop to empty", files: js(`let n = 0; exports.handler = (e, ctx, cb) => { setTimeout(() => { n = 1 }, 20); cb(null, { get n() { return n } }) }`), handler: "index.handler", want: `{"n":1}`},
		{name: "callback does not wait if told so", files: js(`exports.handler = (e, ctx, cb) => { ctx.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60000); cb(null, 1) }`), handler: "index.handler", want: `1`},
		{name: "sync handler's value is ignored", files: js(`exports.handler = () => 42`), handler: "index.handler", want: `null`},
		{name: "succeed", files: js(`exports.handler = (e, ctx) => { ctx.succeed(1); ctx.succeed(2) }`), handler: "index.handler", want: `1`},
		{name: "fail", files: js(`exports.handler = (e, ctx) => ctx.fail(new Error('failed'))`), handler: "index.handler", wantErr: `Error: failed`},
		{name: "done", files: js(`exports.handler = (e, ctx) => ctx.done(null, 'done')`), handler: "index.handler", want: `"done"`},
		{name: "answer is no JSON", files: js(`exports.handler = async () => 1n`), handler: "index.handler", wantErr: `Error: Unable to stringify response body`},
	})
}

func TestNodeContext(t *testing.T) {
	c := boot(t, node)
	c.files(map[string]string{"index.js": `exports.handler = async (e, ctx) => {
		const left = ctx.getRemainingTimeInMillis(); return { ...ctx, left: left > 50000 && left <= 60000 } }`})
	c.ready("index.handler")
	_, got := c.invoke(`{}`, func(call *frame.Call) {
		call.Client, call.Identity = `{"custom":{"a":1}}`, `{"cognitoIdentityId":"i"}`
	})
	want := map[string]any{
		"callbackWaitsForEmptyEventLoop": true,
		"functionName":                   "hello", "functionVersion": "$LATEST", "memoryLimitInMB": "256",
		"logGroupName": "/aws/lambda/hello", "logStreamName": "2026/11/23/[$LATEST]0",
		"invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:hello",
		"awsRequestId":       testID, "left": true,
		"clientContext": map[string]any{"custom": map[string]any{"a": 1.0}},
		"identity":      map[string]any{"cognitoIdentityId": "i"},
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(got), &m); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, m); d != "" {
		t.Error(d)
	}
}

func TestNodeLogs(t *testing.T) {
	code := map[string]string{"index.js": `console.log('at load'); exports.handler = async () => {
		console.log('two\nlines', { a: 1 }); console.debug('d'); console.error(new Error('e').message); console.fatal('f') }`}
	t.Run("text", func(t *testing.T) {
		c := boot(t, node)
		c.files(code)
		c.ready("index.handler")
		c.invoke(`{}`)
		var got []string
		for _, l := range c.logged(5) {
			stamp, rest, _ := strings.Cut(l.Text, "\t")
			if l.Time.UTC().Format("2006-01-02T15:04:05.000Z") != stamp {
				t.Errorf("frame of %v says %s", l.Time, stamp)
			}
			got = append(got, strings.ReplaceAll(rest, testID, "ID"))
		}
		want := []string{"undefined\tINFO\tat load\n", "ID\tINFO\ttwo\nlines { a: 1 }\n", "ID\tDEBUG\td\n", "ID\tERROR\te\n", "ID\tFATAL\tf\n"}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if k := c.logged(5)[1].Kind; k != 0xa55a000f {
			t.Errorf("INFO text is frame %x", k)
		}
	})
	t.Run("JSON above a level", func(t *testing.T) {
		c := boot(t, node)
		c.files(code)
		c.ready("index.handler", func(in *frame.InitBody) { in.LogFormat, in.ApplicationLogLevel = "JSON", "WARN" })
		c.invoke(`{}`)
		logs := c.logged(2)
		var first struct{ Level, Message, RequestID string }
		if err := json.Unmarshal([]byte(logs[0].Text), &first); err != nil {
			t.Fatal(err)
		}
		if len(logs) != 2 || first.Level != "ERROR" || first.Message != "e" || first.RequestID != testID || logs[0].Kind != 0xa55a0016 {
			t.Errorf("logs are %+v", logs)
		}
	})
	t.Run("error of a call", func(t *testing.T) {
		c := boot(t, node)
		c.files(map[string]string{"index.js": `exports.handler = async () => { throw new Error('bad\nnews') }`})
		c.ready("index.handler")
		c.invoke(`{}`)
		l := c.logged(1)[0].Text
		if !strings.Contains(l, "\tERROR\tInvoke Error \t{\"errorType\":\"Error\",\"errorMessage\":\"bad\\nnews\",\"stack\":[\"Error: bad\"") {
			t.Errorf("logged %q", l)
		}
	})
	t.Run("a flood is slow, not lost", func(t *testing.T) {
		c := boot(t, node)
		c.files(map[string]string{"index.js": `exports.handler = async () => { for (let i = 0; i < 2000; i++) console.log('x'.repeat(1000)) }`})
		c.ready("index.handler")
		c.invoke(`{}`)
		if n := len(c.logged(2000)); n != 2000 {
			t.Errorf("%d lines", n)
		}
	})
}

func TestNodeStreams(t *testing.T) {
	stream := func(body string) map[string]string {
		return map[string]string{"index.mjs": `import { setTimeout as wait } from 'timers/promises';
			export const handler = awslambda.streamifyResponse(async (event, out, ctx) => {` + body + `})`}
	}
	big := strings.Repeat("0123456789abcdef", 1<<16)
	cases := []struct {
		name, body string
		kind       string // content type of Begin
		want       string // the bytes
		wantErr    string // of End, or of Failed where nothing was streamed
	}{
		{name: "chunks", body: `out.write('a'); await wait(5); out.write(Buffer.from('b')); out.end('c')`, kind: "application/octet-stream", want: "abc"},
		{name: "objects", body: `out.write({ a: 1 }); out.end()`, kind: "application/octet-stream", want: `{"a":1}`},
		{name: "content type", body: `out.setContentType('text/plain'); out.end('x')`, kind: "text/plain", want: "x"},
		{name: "HTTP prelude", body: `out = awslambda.HttpResponseStream.from(out, { statusCode: 201 }); out.write('hi'); out.end()`,
			kind: "application/vnd.awslambda.http-integration-response", want: "{\"statusCode\":201}\x00\x00\x00\x00\x00\x00\x00\x00hi"},
		{name: "pipeline", body: `const { pipeline } = await import('stream/promises'); const { Readable } = await import('stream');
			await pipeline(Readable.from(['p', 'q']), out)`, kind: "application/octet-stream", want: "pq"},
		{name: "large", body: `for (let i = 0; i < 4; i++) { if (!out.write('0123456789abcdef'.repeat(1 << 14))) await new Promise((r) => out.once('drain', r)) } out.end()`,
			kind: "application/octet-stream", want: big},
		{name: "nothing", body: `out.end()`, kind: "application/octet-stream"},
		{name: "error before the first byte", body: `throw new Error('early')`, wantErr: "Error: early"},
		{name: "error midway", body: `out.write('a'); await wait(5); throw new Error('late')`, kind: "application/octet-stream", want: "a", wantErr: "Error: late"},
		{name: "not ended", body: `out.write('a'); await wait(5)`, kind: "application/octet-stream", want: "a", wantErr: "string: Response stream is not finished."},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := boot(t, node)
			c.files(stream(tc.body))
			c.ready("index.handler")
			for range 2 {
				kind, got, end := c.stream(`{}`)
				if kind != tc.kind || got != tc.want {
					t.Errorf("streamed %s %.80q, want %s %.80q", kind, got, tc.kind, tc.want)
				}
				if (end == "") != (tc.wantErr == "") {
					t.Errorf("ended with %q, want %q", end, tc.wantErr)
				} else if end != "" {
					wantError(t, end, tc.wantErr)
				}
			}
		})
	}
	t.Run("caller takes no stream", func(t *testing.T) {
		c := boot(t, node)
		c.files(stream(`out.write('a'); await wait(5); out.end('b')`))
		c.ready("index.handler")
		if k, got := c.invoke(`{}`); k != frame.Result || got != "ab" {
			t.Errorf("answered %q %q", k, got)
		}
	})
}

// stream makes a call that takes a streamed answer.
func (c *child) stream(payload string) (contentType, got, end string) {
	c.t.Helper()
	k, body := c.invoke(payload, func(call *frame.Call) { call.Stream = true })
	if k == frame.Failed {
		return "", "", body
	}
	var begin struct{ ContentType string }
	if err := json.Unmarshal([]byte(body), &begin); k != frame.Begin || err != nil {
		c.t.Fatalf("answered %q %s (%v)", k, body, err)
	}
	var all bytes.Buffer
	for {
		switch k, b := c.next(); k {
		case frame.Chunk:
			if len(b) > frame.MaxChunk {
				c.t.Errorf("chunk of %d bytes", len(b))
			}
			all.Write(b)
		case frame.End:
			return begin.ContentType, all.String(), string(b)
		default:
			c.t.Fatalf("frame %q %s in a stream", k, b)
		}
	}
}

func TestNodeEnds(t *testing.T) {
	cases := []struct {
		name, code, wantErr string
		wantExit            int
	}{
		{"uncaught", `exports.handler = async () => { setTimeout(() => { throw new Error('later') }, 1); await new Promise((r) => setTimeout(r, 1000)) }`, "Error: later", 129},
		{"rejection", `exports.handler = async () => { Promise.reject('why'); await new Promise((r) => setTimeout(r, 1000)) }`, "Runtime.UnhandledPromiseRejection: why", 128},
		{"exit", `exports.handler = async () => process.exit(7)`, "", 7},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := boot(t, node)
			c.files(map[string]string{"index.js": tc.code})
			c.ready("index.handler")
			if tc.wantErr != "" {
				k, body := c.invoke(`{}`)
				if k != frame.Failed {
					t.Fatalf("answered %q %s", k, body)
				}
				wantError(t, body, tc.wantErr)
			} else {
				c.send(frame.Invoke, callBytes(t, testID, testCall(), "{}"))
			}
			if st := c.ended(); st.ExitCode() != tc.wantExit {
				t.Errorf("ended with %v, want %d", st, tc.wantExit)
			}
		})
	}
}

func TestNodeGarbage(t *testing.T) { testGarbage(t, node) }

func BenchmarkNode(b *testing.B) {
	benchmarkEcho(b, node, "index.handler", map[string]string{"index.js": `exports.handler = async (e) => e`})
}
