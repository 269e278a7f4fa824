package tools_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCommandLineIsToldWhatIsNotServed(t *testing.T) {
	c := newCLI(t)
	for _, tt := range []struct {
		name, command string
		want          []string
	}{
		{"an operation", "lambda create-event-source-mapping --function-name f --event-source-arn arn:aws:sqs:us-east-1:1:q",
			[]string{"(UnknownOperationException)", "CreateEventSourceMapping"}},
		{"a service of the JSON protocol", "dynamodb list-tables", []string{"(UnknownOperationException)", `"dynamodb" is not offered`}},
		{"a service of the query protocol", "sns list-topics", []string{"(InvalidAction)", `"sns" is not offered`}},
		{"a service of the XML protocol", "s3 ls", []string{"(NotImplemented)", `"s3" is not offered`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := c.run(strings.Fields(tt.command)...)
			if err == nil {
				t.Errorf("aws %s succeeded:\n%s", tt.command, text)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("aws %s said\n%s\nwhich lacks %s", tt.command, text, want)
				}
			}
		})
	}
}

func TestCommandLineIsRefusedWithWrongCredentials(t *testing.T) {
	c := newCLI(t)
	for _, tt := range []struct{ name, key, secret, region, want string }{
		{"secret", c.node.AccessKey, "wrong", "us-east-1", "(InvalidSignatureException)"},
		{"key", "AKIAIOSFODNN7EXAMPLE", c.node.SecretKey, "us-east-1", "(UnrecognizedClientException)"},
		{"region", c.node.AccessKey, c.node.SecretKey, "eu-west-1", "(InvalidSignatureException)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := *c.node
			n.AccessKey, n.SecretKey = tt.key, tt.secret
			text, err := (&cli{t: t, node: &n, dir: c.dir}).run("--region", tt.region, "lambda", "list-functions")
			if err == nil || !strings.Contains(text, tt.want) || strings.Contains(text, c.node.SecretKey) {
				t.Errorf("%v\n%s\nwant %s", err, text, tt.want)
			}
		})
	}
}

func TestUnsignedRequestsAreRefusedAsOnAWS(t *testing.T) {
	c := newCLI(t)
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"a path of Lambda's", []string{c.node.URL() + "/2015-03-31/functions/"},
			[]string{"HTTP/1.1 403 ", "X-Amzn-Errortype: MissingAuthenticationTokenException", `"Missing Authentication Token"`}},
		{"a target of Logs'", []string{"-H", "X-Amz-Target: Logs_20140328.DescribeLogGroups", "-H", "Content-Type: application/x-amz-json-1.1",
			"-d", "{}", c.node.URL()}, []string{"HTTP/1.1 400 ", `"__type":"MissingAuthenticationTokenException"`}},
		{"a page of the node's", []string{c.node.URL() + "/_mayfly/bill"}, []string{"HTTP/1.1 403 ", "MissingAuthenticationToken"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := curl(t, tt.args...)
			for _, want := range append(tt.want, "X-Amzn-Requestid: ") {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%s\nwhich lacks %s", got, want)
				}
			}
		})
	}
}

// curl gives an answer with its headers.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "curl", append([]string{"-sS", "-i", "--max-time", "30"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
