package runtime_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/agent/frame"
)

func TestPythonHandlers(t *testing.T) {
	letters := `"\u00e9"` // as Lambda answered until 3.12
	if python >= "python3.12" && python != "python3.9" {
		letters = `"é"`
	}
	py := func(text string) map[string]string { return map[string]string{"app.py": text} }
	runCases(t, python, []handlerCase{
		{name: "function", files: py("def handler(event, context):\n return {'hello': event['name']}"), handler: "app.handler", want: `{"hello": "Ada"}`},
		{name: "nothing", files: py("def handler(event, context): pass"), handler: "app.handler", want: `null`},
		{name: "package", files: map[string]string{"pkg/__init__.py": "", "pkg/mod.py": "def f(e, c): return 1"}, handler: "pkg.mod.f", want: `1`},
		{name: "folder with a slash", files: map[string]string{"src/mod.py": "def f(e, c): return 1"}, handler: "src/mod.f", want: `1`},
		{name: "class", files: py("class H:\n def __call__(self, e, c): return 'called'\nhandler = H()"), handler: "app.handler", want: `"called"`},
		{name: "own module", files: map[string]string{"app.py": "import context, logs\ndef handler(e, c): return [context.x, logs.y]", "context.py": "x = 1", "logs.py": "y = 2"}, handler: "app.handler", want: `[1, 2]`},
		{name: "bytes", files: py("def handler(e, c): return b'raw'"), handler: "app.handler", want: `raw`},
		{name: "decimals", files: py("from decimal import Decimal\ndef handler(e, c): return [Decimal('1.10'), Decimal(3), {'a': Decimal('12345678901234567890.5')}]"), handler: "app.handler", want: `[1.10, 3, {"a": 12345678901234567890.5}]`},
		{name: "letters", files: py("def handler(e, c): return e"), handler: "app.handler", event: `"é"`, want: letters},
		{name: "environment and folder", files: py("import os, ctypes\nlibc = ctypes.CDLL(None)\nlibc.getenv.restype = ctypes.c_char_p\ndef handler(e, c): return [os.environ['GREETING'], libc.getenv(b'GREETING').decode(), os.getcwd() == os.path.dirname(__file__), '_LAMBDA_TELEMETRY_LOG_FD' in os.environ]"), handler: "app.handler", want: `["hi", "hi", true, false]`},
		{name: "trace", files: py("import os\ndef handler(e, c): return os.environ['_X_AMZN_TRACE_ID'][:6]"), handler: "app.handler", want: `"Root=1"`},
		{name: "path", files: py("import sys, os\ndef handler(e, c): return sys.path[0] == os.getcwd() and sys.path[1:3]"), handler: "app.handler", want: `["/opt/python/lib/` + python + `/site-packages", "/opt/python"]`},
		{name: "system packages are hidden", files: py("import importlib.util\ndef handler(e, c): return importlib.util.find_spec('apt') is None"), handler: "app.handler", want: `true`},
		{name: "boto3 that finds the node", files: botocore(""), handler: "app.handler", want: `["http://node", "http://own", "http://db", "us-east-1"]`},
		{name: "boto3 that finds it by itself", files: botocore("class ConfiguredEndpointProvider: pass\n"), handler: "app.handler", want: `[null, "http://own", null, "us-east-1"]`},
		{name: "large event", files: py("def handler(e, c): return len(e)"), handler: "app.handler", event: `"` + strings.Repeat("x", 6<<20) + `"`, want: `6291456`},

		{name: "exception", files: py("def handler(e, c): raise ValueError('bad')"), handler: "app.handler", wantErr: `ValueError: bad`},
		{name: "answer is no JSON", files: py("def handler(e, c): return {1, 2}"), handler: "app.handler", wantErr: `Runtime.MarshalError: Unable to marshal response: Object of type set is not JSON serializable`},
		{name: "event is no JSON", files: py("def handler(e, c): return 1"), handler: "app.handler", event: `{`, wantErr: `Runtime.UnmarshalError: Unable to unmarshal input: `},
		{name: "answer too large", files: py("def handler(e, c): return 'x' * 6291556"), handler: "app.handler", wantErr: `Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size (6291556 bytes).`},

		{name: "module not found", handler: "app.handler", initErr: `Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'`},
		{name: "dependency not found", files: py("import nowhere"), handler: "app.handler", initErr: `Runtime.ImportModuleError: Unable to import module 'app': No module named 'nowhere'`},
		{name: "handler not found", files: py("x = 1"), handler: "app.handler", initErr: `Runtime.HandlerNotFound: Handler 'handler' missing on module 'app'`},
		{name: "syntax error", files: py("def handler(:"), handler: "app.handler", initErr: `Runtime.UserCodeSyntaxError: Syntax error in module 'app': invalid syntax (app.py, line 1)`},
		{name: "malformed name", handler: "app", initErr: `Runtime.MalformedHandlerName: Bad handler 'app': not enough values to unpack (expected 2, got 1)`},
		{name: "built-in module", handler: "sys.exit", initErr: `Runtime.BuiltInModuleConflict: Cannot use built-in module sys as a handler module`},
		{name: "error while loading", files: py("raise KeyError('at load')"), handler: "app.handler", initErr: `KeyError: 'at load'`},
	})
}

// botocore is a function with a botocore of its own that says which endpoints its
// clients were made with; has is what else its session knows.
func botocore(has string) map[string]string {
	return map[string]string{
		"botocore/__init__.py": "",
		"botocore/session.py": has + "class Session:\n" +
			"    def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None, config=None):\n" +
			"        return region_name if config else endpoint_url\n",
		"app.py": "import os, botocore.session\n" +
			"os.environ.update(AWS_ENDPOINT_URL='http://node', AWS_ENDPOINT_URL_DYNAMODB_STREAMS='http://db')\n" +
			"make = botocore.session.Session().create_client\n" +
			"def handler(e, c):\n" +
			"    return [make('ssm'), make('ssm', endpoint_url='http://own'), make('dynamodb-streams'), make('ssm', 'us-east-1', config=1)]\n",
	}
}

func TestPythonError(t *testing.T) {
	c := boot(t, python)
	c.files(map[string]string{"app.py": "def f():\n    raise ValueError('bad\\nnews')\n\ndef handler(event, context):\n    f()\n"})
	c.ready("app.handler")
	_, body := c.invoke(`{}`)
	var got struct {
		ErrorMessage, ErrorType, RequestID string
		StackTrace                         []string
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := got
	want.ErrorMessage, want.ErrorType, want.RequestID = "bad\nnews", "ValueError", testID
	want.StackTrace = []string{
		`  File "` + c.root + `/app.py", line 5, in handler` + "\n    f()\n",
		`  File "` + c.root + `/app.py", line 2, in f` + "\n    raise ValueError('bad\\nnews')\n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	logged := strings.ReplaceAll(c.logged(1)[0].Text, c.root, "ROOT")
	wantLog := "[ERROR] ValueError: bad\nnews\nTraceback (most recent call last):\n" +
		"\u00a0\u00a0File \"ROOT/app.py\", line 5, in handler\n\u00a0\u00a0\u00a0\u00a0f()\n" +
		"\u00a0\u00a0File \"ROOT/app.py\", line 2, in f\n\u00a0\u00a0\u00a0\u00a0raise ValueError('bad\\nnews')"
	if d := cmp.Diff(wantLog, logged); d != "" {
		t.Error(d)
	}
}

func TestPythonContext(t *testing.T) {
	c := boot(t, python)
	c.files(map[string]string{"app.py": `
def handler(event, ctx):
    left = ctx.get_remaining_time_in_millis()
    ctx.log("said")
    return {
        "names": [ctx.function_name, ctx.function_version, ctx.memory_limit_in_mb, ctx.log_group_name,
                  ctx.log_stream_name, ctx.invoked_function_arn, ctx.aws_request_id],
        "left": 50000 < left <= 60000,
        "client": [ctx.client_context.custom, ctx.client_context.env, ctx.client_context.client.app_title],
        "identity": [ctx.identity.cognito_identity_id, ctx.identity.cognito_identity_pool_id],
        "type": type(ctx).__name__,
    }`})
	c.ready("app.handler")
	_, got := c.invoke(`{}`, func(call *frame.Call) {
		call.Client = `{"custom":{"a":1},"client":{"app_title":"t"}}`
		call.Identity = `{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}`
	})
	want := map[string]any{
		"names": []any{"hello", "$LATEST", "256", "/aws/lambda/hello", "2026/11/23/[$LATEST]0",
			"arn:aws:lambda:us-east-1:123456789012:function:hello", testID},
		"left": true, "type": "LambdaContext",
		"client":   []any{map[string]any{"a": 1.0}, nil, "t"},
		"identity": []any{"i", "p"},
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(got), &m); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, m); d != "" {
		t.Error(d)
	}
	if l := c.logged(1)[0]; l.Text != "said" {
		t.Errorf("logged %+v", l)
	}
}

func TestPythonLogs(t *testing.T) {
	code := map[string]string{"app.py": `
import logging
log = logging.getLogger("mine")
def handler(event, context):
    logging.getLogger().info("quiet")
    log.warning("two\nlines %s", 1)
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("caught", extra={"order": 7})
    print("printed", end="")
`}
	t.Run("text", func(t *testing.T) {
		c := boot(t, python)
		c.files(code)
		c.ready("app.handler")
		c.invoke(`{}`)
		logs := c.logged(2)
		stamp := logs[0].Time.UTC().Format("2006-01-02T15:04:05")
		want := "[WARNING]\t" + stamp + ".000Z\t" + testID + "\ttwo\nlines 1\n"
		got := logs[0].Text
		if len(got) == len(want) {
			got = strings.Replace(got, got[30:33], "000", 1)
		}
		if d := cmp.Diff(want, got); d != "" || logs[0].Kind != 0xa55a0013 {
			t.Errorf("%s, frame %x", d, logs[0].Kind)
		}
		if !strings.Contains(logs[1].Text, "\nZeroDivisionError: division by zero") {
			t.Errorf("logged %q", logs[1].Text)
		}
		c.printed("printed")
	})
	t.Run("JSON", func(t *testing.T) {
		c := boot(t, python)
		c.files(code)
		c.ready("app.handler", func(in *frame.InitBody) { in.LogFormat, in.ApplicationLogLevel = "JSON", "ERROR" })
		c.invoke(`{}`)
		logs := c.logged(1)
		var got map[string]any
		if err := json.Unmarshal([]byte(logs[0].Text), &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{"level": "ERROR", "message": "caught", "logger": "mine", "requestId": testID,
			"errorType": "ZeroDivisionError", "errorMessage": "division by zero", "order": 7.0} {
			if got[name] != want {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
		if len(logs) != 1 || logs[0].Kind != 0xa55a0016 {
			t.Errorf("logs are %+v", logs)
		}
	})
}

func TestPythonEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		code string
		want int
	}{
		"exit in a call":   {"import sys\ndef handler(e, c): sys.exit(7)", 7},
		"exit by name":     {"def handler(e, c): exit(5)", 5},
		"killed by itself": {"import os, signal\ndef handler(e, c): os.kill(os.getpid(), signal.SIGKILL)", -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := boot(t, python)
			c.files(map[string]string{"app.py": tc.code})
			c.ready("app.handler")
			c.send(frame.Invoke, callBytes(t, testID, testCall(), "{}"))
			if st := c.ended(); st.ExitCode() != tc.want {
				t.Errorf("ended with %v, want %d", st, tc.want)
			}
		})
	}
}

func TestPythonGarbage(t *testing.T) { testGarbage(t, python) }

func BenchmarkPython(b *testing.B) {
	benchmarkEcho(b, python, "app.handler", map[string]string{"app.py": "def handler(event, context): return event"})
}
