package functions_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// Functions of a node that may make no networks reach it all the same, with the
// SDK they have and the address they are given, and what the node allows them;
// and nothing else of the host.
func TestFunctionsOfAnOrdinaryUsersNodeReachIt(t *testing.T) {
	for _, isolation := range []string{"process", "gvisor"} {
		t.Run(isolation, func(t *testing.T) { reachesItsNode(t, isolation) })
	}
}

func reachesItsNode(t *testing.T, isolation string) {
	allowed, refused := hello(t), hello(t)
	n := node.StartAsNobody(t, "--sandbox", isolation, "--allow", allowed)

	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-o", bootstrap, "./testdata/lookup")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build function: %v: %s", err, out)
	}
	program, err := os.ReadFile(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	n.Create("go", types.RuntimeProvidedal2023, node.Zip(t, map[string]string{"bootstrap!": string(program)}), nil)
	n.Create("python", types.RuntimePython311, node.Zip(t, map[string]string{"index.py": `
import boto3, botocore, os
client = boto3.client('lambda')
def handler(event, context):
    try:
        client.get_function(FunctionName=context.function_name)
    except botocore.exceptions.ClientError as e:
        return e.response['Error']['Code']`}), nil)
	for _, name := range []string{"go", "python"} {
		for range 2 {
			if got := n.Invoke(name, `{}`); got.Payload != `"AccessDeniedException"` {
				t.Errorf("%s answered %s %s; want the node's refusal", name, got.Payload, got.Error)
			}
		}
	}

	n.Create("reach", types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": `
		const net = require('net');
		exports.handler = ({ host, port }) => new Promise((done) => {
			let said = '';
			net.connect(port, host).on('data', (d) => said += d).on('close', () => done(said)).on('error', () => {});
		});`}), func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(10) })
	for _, tt := range []struct{ host, address, want string }{
		{"127.0.0.1", allowed, `"hello"`},
		{"host.mayfly.internal", allowed, `"hello"`},
		{"127.0.0.1", refused, `""`},
		{"host.mayfly.internal", refused, `""`},
	} {
		_, port, _ := net.SplitHostPort(tt.address)
		if got := n.Invoke("reach", fmt.Sprintf(`{"host":%q,"port":%s}`, tt.host, port)); got.Payload != tt.want {
			t.Errorf("%s:%s said %s %s, want %s", tt.host, port, got.Payload, got.Error, tt.want)
		}
	}

	// What a call ends with is told as it is elsewhere.
	n.CreateJS("exits", `exports.handler = async () => process.exit(3)`)
	if got := n.Invoke("exits", `{}`); got.Error == "" || !strings.Contains(got.Payload, "Runtime exited with error: exit status 3") {
		t.Errorf("exits: %s", got.Payload)
	}

	n.Kill() // and its sockets lie about
	n.Restart()
	if got := n.Invoke("go", `{}`); got.Payload != `"AccessDeniedException"` {
		t.Errorf("after a restart: %s", got.Payload)
	}
}

// hello is an address of this machine that says hello to who connects.
func hello(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "hello")
			c.Close()
		}
	}()
	return l.Addr().String()
}
