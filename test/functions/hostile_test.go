package functions_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// A function that misbehaves is reported as what it is, and its neighbour on
// the same node does not notice.
func TestHostileFunctionsHarmNobodyElse(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("neighbour", `exports.handler = async () => 'well'`)
	for _, tt := range []struct {
		name, source string
		wantError    string // in the payload
		wantAnswer   string
	}{
		{name: "fills-tmp", wantAnswer: `ENOSPC`, source: `
			const fs = require('fs');
			exports.handler = async () => {
				const f = fs.openSync('/tmp/big', 'w'), block = Buffer.alloc(4 << 20, 1);
				try { for (let i = 0; i < 1000; i++) fs.writeSync(f, block) } catch (e) { return e.code }
				return 'unbounded';
			}`},
		{name: "kills-runtime", wantError: `Runtime.ExitError`, source: `
			exports.handler = async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}) }`},
		{name: "writes-garbage", wantError: `Runtime.`, source: `
			exports.handler = async () => { require('fs').writeSync(3, Buffer.alloc(64, 0xff)); await new Promise((r) => setTimeout(r, 500)) }`},
		{name: "floods", wantAnswer: `flooded`, source: `
			exports.handler = async () => {
				const line = 'x'.repeat(1000);
				for (let i = 0; i < 20000; i++) console.log(line);
				return 'flooded';
			}`},
		{name: "reads-host", wantAnswer: `{"etc":"ENOENT","root":"`, source: `
			const fs = require('fs');
			const t = (f) => { try { return String(f()) } catch (e) { return e.code } };
			exports.handler = async () => ({ etc: t(() => fs.readFileSync('/etc/shadow')), root: t(() => fs.readdirSync('/root')), write: t(() => fs.writeFileSync('/usr/x', 'x')) })`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n.Create(tt.name, types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": tt.source}),
				func(in *lambda.CreateFunctionInput) { in.Timeout, in.MemorySize = aws.Int32(60), aws.Int32(1024) })
			got := n.Invoke(tt.name, `{}`)
			if tt.wantError != "" && (got.Error == "" || !strings.Contains(got.Payload, tt.wantError)) {
				t.Errorf("got %q with %s, want an error with %q", got.Error, got.Payload, tt.wantError)
			}
			if tt.wantAnswer != "" && (got.Error != "" || !strings.Contains(got.Payload, tt.wantAnswer)) {
				t.Errorf("got %q with %s, want %q", got.Error, got.Payload, tt.wantAnswer)
			}
			if got := n.Invoke("neighbour", `{}`); got.Payload != `"well"` {
				t.Errorf("the neighbour answers %s", got.Payload)
			}
		})
	}
}

func TestForkBombIsBounded(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("neighbour", `exports.handler = async () => 'well'`)
	n.Create("forks", types.RuntimePython311, node.Zip(t, map[string]string{"index.py": `
import os, time
def handler(event, context):
    children = 0
    try:
        while children < 3000:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            children += 1
    except OSError as e:
        return type(e).__name__
    return 'unbounded'
`}), func(in *lambda.CreateFunctionInput) { in.Timeout, in.MemorySize = aws.Int32(120), aws.Int32(3008) })
	got := n.Invoke("forks", `{}`)
	if got.Payload != `"BlockingIOError"` && got.Error == "" {
		t.Errorf("got %q with %s, want a fork to be refused, or the function to be ended", got.Error, got.Payload)
	}
	if got := n.Invoke("neighbour", `{}`); got.Payload != `"well"` {
		t.Errorf("the neighbour answers %s", got.Payload)
	}
}

// The reserved variables are there, the host's environment is not.
func TestFunctionSeesItsOwnEnvironmentOnly(t *testing.T) {
	t.Setenv("HOST_SECRET", "not for functions")
	n := node.Start(t)
	n.Create("env", types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": `exports.handler = async () => process.env`}),
		func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"STAGE": "test"}}
		})
	var env map[string]string
	decode(t, n.Invoke("env", `{}`).Payload, &env)
	for name, want := range map[string]string{
		"STAGE": "test", "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "env", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/env", "_HANDLER": "index.handler",
		"LAMBDA_TASK_ROOT": "/var/task", "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
	} {
		if env[name] != want {
			t.Errorf("%s = %q, want %q", name, env[name], want)
		}
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "_X_AMZN_TRACE_ID"} {
		if env[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	if _, ok := env["HOST_SECRET"]; ok {
		t.Error("the node's environment leaks into the function's")
	}
	if env["AWS_ACCESS_KEY_ID"] == n.AccessKey {
		t.Error("the function has the root's credentials")
	}
}
