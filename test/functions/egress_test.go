package functions_test

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/nftables"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/world"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// reachJS connects and says what it is told, or why it wasn't.
const reachJS = `
	const net = require('net');
	exports.handler = ({ host, port }) => new Promise((done) => {
		let said = '';
		net.connect({ port, host, family: 4 }).on('data', (d) => said += d).on('close', () => done(said)).on('error', (e) => said = e.code);
	});`

// Functions reach what their node is told to let them, by the names and addresses
// that they would use anywhere, are refused all else at once, and nothing of it is
// left on the machine.
func TestFunctionsReachWhatTheNodeIsTold(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	local := hello(t)
	_, localPort, _ := net.SplitHostPort(local)
	port := strconv.Itoa(world.Port)
	n := node.Start(t, "--internet", "--allow-net", world.Database.String()+":8080", "--allow", local)
	node.Eventually(t, 10*time.Second, "the greeting says what functions reach", func() bool {
		return strings.Contains(n.Log(), "  network    functions reach this node, "+local+" as host.mayfly.internal:"+localPort+", 172.20.0.5:8080, public addresses\n")
	})
	n.Create("reach", types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": reachJS}), func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(10) })
	_, door, _ := net.SplitHostPort(n.Listen)
	reach := func(want string, addresses ...string) {
		t.Helper()
		for _, a := range addresses {
			host, port, err := net.SplitHostPort(a)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if got := n.Invoke("reach", fmt.Sprintf(`{"host":%q,"port":%s}`, host, port)); got.Payload != `"`+want+`"` {
				t.Errorf("%s said %s %s, want %s", a, got.Payload, got.Error, want)
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("%s said so after %v", a, took)
			}
		}
	}
	reach("hello", "public.example:"+port, world.Public.String()+":"+port, world.Database.String()+":"+port, "host.mayfly.internal:"+localPort)
	reach("ECONNREFUSED", world.Database.String()+":5432", world.Private.String()+":"+port, world.Metadata.String()+":"+port,
		world.Router.String()+":"+port, world.Router.String()+":53", world.Machine.String()+":"+door, "host.mayfly.internal:22")
	reach("EAI_AGAIN", "internal.example:"+port, "mixed.example:"+port)
	reach("ENOTFOUND", "nobody.example:"+port)
	if !forwards(t) {
		t.Error("the machine forwards nothing, and functions reach the world")
	}

	// A killed node's filter goes on refusing; the next puts things right.
	n.Kill()
	n.Restart()
	reach("hello", "public.example:"+port)
	n.Stop()
	if forwards(t) {
		t.Error("the machine is left forwarding")
	}
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	left, err := c.ListTables()
	if err != nil || len(left) > 0 {
		t.Errorf("left %d packet filters, %v", len(left), err)
	}

	// Untold, they reach the node alone.
	n = node.Start(t)
	n.Create("reach", types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": reachJS}), func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(10) })
	reach("ECONNREFUSED", world.Public.String()+":"+port, world.Database.String()+":"+port, world.Metadata.String()+":"+port)
	reach("EAI_AGAIN", "public.example:"+port)
	if forwards(t) {
		t.Error("the machine forwards, and nobody asked for it")
	}
}

func forwards(t *testing.T) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/net/ipv4/conf/eth0/forwarding")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) == "1\n"
}
