package tools_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/test/node"
)

const greet = `exports.handler = async (event) => {
	console.log('greeting', event.name);
	return { text: process.env.GREETING + ', ' + event.name };
};`

func TestCommandLineTakesAFunctionThroughItsLife(t *testing.T) {
	c := newCLI(t)
	first := node.Zip(t, map[string]string{"index.js": greet})
	c.write("first.zip", first)
	c.write("event.json", []byte(`{"name":"Ada"}`))

	var made struct{ FunctionArn, State, CodeSha256, Version string }
	c.must(&made, "lambda", "create-function", "--function-name", "greet", "--runtime", "nodejs20.x", "--handler", "index.handler",
		"--role", c.node.Role, "--zip-file", "fileb://first.zip", "--environment", "Variables={GREETING=Hello}", "--tags", "team=core")
	if want := "arn:aws:lambda:us-east-1:" + c.node.Account + ":function:greet"; made.FunctionArn != want || made.CodeSha256 != sum(first) {
		t.Errorf("created %+v; want ARN %s and sum %s", made, want, sum(first))
	}
	c.must(nil, "lambda", "wait", "function-active-v2", "--function-name", "greet")

	var called struct {
		StatusCode                 int
		LogResult, ExecutedVersion string
	}
	c.must(&called, "lambda", "invoke", "--function-name", "greet", "--payload", "fileb://event.json", "--log-type", "Tail", "answer.json")
	if got, want := c.read("answer.json"), `{"text":"Hello, Ada"}`; got != want || called.StatusCode != 200 || called.ExecutedVersion != "$LATEST" {
		t.Errorf("answer %s with %+v, want %s", got, called, want)
	}
	if log, err := base64.StdEncoding.DecodeString(called.LogResult); err != nil || !strings.Contains(string(log), "greeting Ada") {
		t.Errorf("tail of the log: %s, %v", log, err)
	}

	var listed []string
	c.must(&listed, "lambda", "list-functions", "--query", "Functions[].FunctionName")
	if diff := cmp.Diff([]string{"greet"}, listed); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	var got struct {
		Code struct{ Location string }
		Tags map[string]string
	}
	c.must(&got, "lambda", "get-function", "--function-name", "greet")
	if code := download(t, got.Code.Location); sum(code) != made.CodeSha256 || got.Tags["team"] != "core" {
		t.Errorf("downloaded code with sum %s and tags %v, want sum %s and team=core", sum(code), got.Tags, made.CodeSha256)
	}

	second := node.Zip(t, map[string]string{"index.js": strings.Replace(greet, "', '", "' to you, '", 1)})
	c.write("second.zip", second)
	c.must(nil, "lambda", "publish-version", "--function-name", "greet")
	c.must(nil, "lambda", "update-function-code", "--function-name", "greet", "--zip-file", "fileb://second.zip")
	c.must(nil, "lambda", "wait", "function-updated-v2", "--function-name", "greet")
	c.must(nil, "lambda", "update-function-configuration", "--function-name", "greet", "--memory-size", "256",
		"--environment", "Variables={GREETING=Good day}")
	var two struct {
		Version, CodeSha256 string
		MemorySize          int
	}
	c.must(nil, "lambda", "wait", "function-updated-v2", "--function-name", "greet")
	c.must(&two, "lambda", "publish-version", "--function-name", "greet")
	if two.Version != "2" || two.CodeSha256 != sum(second) || two.MemorySize != 256 {
		t.Errorf("published %+v, want version 2 of the new code with 256 MB", two)
	}
	c.must(nil, "lambda", "create-alias", "--function-name", "greet", "--name", "live", "--function-version", "1",
		"--routing-config", "AdditionalVersionWeights={2=1}")
	c.must(&called, "lambda", "invoke", "--function-name", "greet:live", "--cli-binary-format", "raw-in-base64-out",
		"--payload", `{"name":"Grace"}`, "answer.json")
	if got, want := c.read("answer.json"), `{"text":"Good day to you, Grace"}`; got != want || called.ExecutedVersion != "2" {
		t.Errorf("all of the alias's weight: version %s answered %s, want version 2 and %s", called.ExecutedVersion, got, want)
	}

	c.must(nil, "lambda", "delete-function", "--function-name", "greet")
	text, err := c.run("lambda", "get-function", "--function-name", "greet")
	if err == nil || !strings.Contains(text, "(ResourceNotFoundException) when calling the GetFunction operation") ||
		!strings.Contains(text, ": Function not found: "+made.FunctionArn) {
		t.Errorf("the deleted function: %v\n%s", err, text)
	}
}

func TestCommandLineSharesAFunction(t *testing.T) {
	c := newCLI(t)
	c.node.CreateJS("web", `exports.handler = async (event) => ({ statusCode: 418, headers: { 'x-method': event.requestContext.http.method }, body: 'for ' + event.queryStringParameters.who })`)

	c.must(nil, "lambda", "add-permission", "--function-name", "web", "--statement-id", "everyone", "--action", "lambda:InvokeFunctionUrl",
		"--principal", "*", "--function-url-auth-type", "NONE")
	c.must(nil, "lambda", "add-permission", "--function-name", "web", "--statement-id", "function", "--action", "lambda:InvokeFunction", "--principal", "*")
	var policy string
	c.must(&policy, "lambda", "get-policy", "--function-name", "web", "--query", "Policy")
	for _, want := range []string{`"Sid":"everyone"`, `"Action":"lambda:InvokeFunctionUrl"`, `"lambda:FunctionUrlAuthType":"NONE"`} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %s lacks %s", policy, want)
		}
	}
	var url string
	c.must(&url, "lambda", "create-function-url-config", "--function-name", "web", "--auth-type", "NONE", "--query", "FunctionUrl")
	if got := curl(t, url+"?who=Ada"); !strings.HasPrefix(got, "HTTP/1.1 418 ") || !strings.Contains(got, "X-Method: GET\r\n") || !strings.HasSuffix(got, "for Ada") {
		t.Errorf("the URL answered\n%s", got)
	}
	c.must(nil, "lambda", "update-function-url-config", "--function-name", "web", "--auth-type", "AWS_IAM")
	if got := curl(t, url+"?who=Ada"); !strings.HasPrefix(got, "HTTP/1.1 403 ") {
		t.Errorf("a private URL answered an unsigned request\n%s", got)
	}
	signed := curl(t, "--aws-sigv4", "aws:amz:us-east-1:lambda", "--user", c.node.AccessKey+":"+c.node.SecretKey, "-d", "{}", url+"?who=Ada")
	if !strings.HasPrefix(signed, "HTTP/1.1 418 ") || !strings.Contains(signed, "X-Method: POST\r\n") {
		t.Errorf("a private URL answered a signed request\n%s", signed)
	}

	arn := "arn:aws:lambda:us-east-1:" + c.node.Account + ":function:web"
	c.must(nil, "lambda", "tag-resource", "--resource", arn, "--tags", "team=core,stage=test")
	c.must(nil, "lambda", "untag-resource", "--resource", arn, "--tag-keys", "team")
	var tags map[string]string
	c.must(&tags, "lambda", "list-tags", "--resource", arn, "--query", "Tags")
	if diff := cmp.Diff(map[string]string{"stage": "test"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}

	var reserved int
	c.must(&reserved, "lambda", "put-function-concurrency", "--function-name", "web", "--reserved-concurrent-executions", "0",
		"--query", "ReservedConcurrentExecutions")
	text, err := c.run("lambda", "invoke", "--function-name", "web", "answer.json")
	if reserved != 0 || err == nil || !strings.Contains(text, "TooManyRequestsException") {
		t.Errorf("a call with no concurrency: %v\n%s", err, text)
	}
}

// sum is a package's CodeSha256.
func sum(b []byte) string {
	s := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(s[:])
}

func download(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("download: %s, %v", res.Status, err)
	}
	return b
}
