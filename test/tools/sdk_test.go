package tools_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// handlers is a package for the SDK for JavaScript, which can't make one itself.
const handlers = `
	exports.echo = async (event) => event;
	exports.fail = async () => { throw new RangeError('too far'); };
	exports.stream = awslambda.streamifyResponse(async (event, out) => {
		for (const part of ['one ', 'two ', 'three']) {
			out.write(part);
			await new Promise((done) => setTimeout(done, 50));
		}
		out.end();
	});`

func TestSDKForJavaScript(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("js/node_modules/@aws-sdk/client-lambda"); err != nil {
		t.Fatalf("the SDK is not installed: %v; run test/setup.sh first", err)
	}
	n := node.Start(t)
	code := filepath.Join(t.TempDir(), "code.zip")
	if err := os.WriteFile(code, node.Zip(t, map[string]string{"index.js": handlers}), 0o600); err != nil {
		t.Fatal(err)
	}
	runSuite(t, append(n.Env(), "ROLE="+n.Role, "CODE="+code, "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true"),
		"node", "--test", "--test-reporter=spec", "js/sdk.test.mjs")
}

func TestBoto3(t *testing.T) {
	t.Parallel()
	n := node.Start(t)
	runSuite(t, append(n.Env(), "ROLE="+n.Role, "PYTHONDONTWRITEBYTECODE=1"), "/usr/bin/python3", "python/test_sdk.py", "-v")
}

// runSuite runs a suite of another language's, whose failures are this test's.
func runSuite(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	t.Logf("%s", out)
}
