package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/mayfly-cloud/mayfly/test/database"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// soon is how long what one node was told may take to reach the other.
const soon = 5 * time.Second

// Two nodes are one cloud: what is created, changed and deleted at one is so at the
// other, and what one accepted the other runs when that one is dead.
func TestTwoNodesServeOneAccount(t *testing.T) {
	d := database.Start(t)
	first := node.StartOn(t, d.URL("postgres"))
	second := first.Another()
	if first.Account != second.Account || first.AccessKey != second.AccessKey {
		t.Fatalf("accounts %s and %s", first.Account, second.Account)
	}

	first.CreateJS("greet", `exports.handler = async (event) => 'hello ' + event.name`)
	if got := second.Invoke("greet", `{"name":"Ada"}`); got.Payload != `"hello Ada"` {
		t.Errorf("a function of the other node answers %s", got.Payload)
	}
	update(t, first, "greet", `exports.handler = async (event) => 'good day ' + event.name`)
	node.Eventually(t, soon, "the other node runs the new code", func() bool {
		return second.Invoke("greet", `{"name":"Ada"}`).Payload == `"good day Ada"`
	})
	if _, err := second.Lambda().DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("greet")}); err != nil {
		t.Fatal(err)
	}
	node.Eventually(t, soon, "the function is gone from the first node, too", func() bool {
		_, err := first.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("greet")})
		var gone *types.ResourceNotFoundException
		return errors.As(err, &gone)
	})

	// Each event is claimed by the node that accepted it; the claims of a dead one
	// are good for a minute at most.
	first.CreateJS("slow", `exports.handler = async (event) => { await new Promise(r => setTimeout(r, event.ms)); return event.n }`)
	accepted := map[string]bool{}
	for i := range 20 {
		accepted[event(t, first, "slow", fmt.Sprintf(`{"n":%d,"ms":%d}`, i, 20000*(i%2)))] = true
	}
	first.Kill()
	for i := range 5 { // the other goes on meanwhile
		accepted[event(t, second, "slow", fmt.Sprintf(`{"n":%d,"ms":0}`, 100+i))] = true
	}
	node.Eventually(t, 2*time.Minute, "the second node has run what the first accepted", func() bool {
		time.Sleep(200 * time.Millisecond) // reading the bill is work for the node, too
		billed := second.Billed("slow")
		for id := range accepted {
			if billed[id] > 1 {
				t.Fatalf("event %s is on the bill %d times", id, billed[id])
			}
			if billed[id] == 0 {
				return false
			}
		}
		return true
	})
}

func update(t *testing.T, n *node.Node, name, source string) {
	t.Helper()
	_, err := n.Lambda().UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{
		FunctionName: &name, ZipFile: node.Zip(t, map[string]string{"index.js": source})})
	if err != nil {
		t.Fatal(err)
	}
}

// event has a node accept an event and gives its id.
func event(t *testing.T, n *node.Node, function, payload string) string {
	t.Helper()
	out, err := n.Lambda().Invoke(context.Background(), &lambda.InvokeInput{FunctionName: &function,
		InvocationType: types.InvocationTypeEvent, Payload: []byte(payload)})
	if err != nil {
		t.Fatal(err)
	}
	id, ok := middleware.GetRequestIDMetadata(out.ResultMetadata)
	if !ok {
		t.Fatal("an acknowledgement without a request id")
	}
	return id
}

// A node that has not the account's keys, or whose folder another one uses, does not
// start, and says what to do.
func TestStrangersStayOut(t *testing.T) {
	d := database.Start(t)
	d.Must(t, "postgres", "CREATE ROLE cloud LOGIN PASSWORD 'confidential'")
	d.Must(t, "postgres", "CREATE DATABASE cloud OWNER cloud")
	address := strings.Replace(d.URL("cloud"), "postgres@", "cloud:confidential@", 1)
	n := node.StartOn(t, address)
	for _, text := range []string{n.Log(), arguments(t, n.Pid())} {
		if strings.Contains(text, "confidential") {
			t.Errorf("the password is in %s", text)
		}
	}
	if want := "store      cloud at 127.0.0.1:" + d.Port + " as cloud"; !strings.Contains(n.Log(), want) {
		t.Errorf("the greeting lacks %q:\n%s", want, n.Log())
	}

	foreign := t.TempDir()
	copied := t.TempDir()
	for name, from := range map[string]string{"root.json": n.Data} { // and no node.key
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		data, env string
		args      []string
		want      string
	}{
		"another account":   {data: foreign, env: address, want: "Copy root.json and node.key"},
		"another key":       {data: copied, env: address, want: "another node.key"},
		"a folder in use":   {data: n.Data, env: address, want: "another node is using " + n.Data},
		"no such database":  {data: foreign, env: strings.Replace(address, "/cloud?", "/clod?", 1), want: "mayfly doctor"},
		"another database":  {data: foreign, env: "mysql://cloud:confidential@localhost/cloud", want: "does not begin with postgres://"},
		"a typed password":  {data: foreign, args: []string{"--store", address}, want: "MAYFLY_STORE"},
		"a typed parameter": {data: foreign, args: []string{"--store=postgres://localhost/cloud?password=confidential"}, want: "MAYFLY_STORE"},
	} {
		said := up(t, tt.data, tt.env, tt.args...)
		if !strings.Contains(said, tt.want) || strings.Contains(said, "confidential") {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// up starts a node that is not to start, and gives what it said.
func up(t *testing.T, data, store string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, node.Binary(t), append([]string{"up", "--data", data, "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), "MAYFLY_STORE="+store)
	if store == "" {
		cmd.Env = os.Environ()
	}
	out, err := cmd.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Errorf("a node started: %s", out)
	}
	return string(out)
}

// arguments are what everybody may read of a process.
func arguments(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Doctor says what it found of the database, and what is to be done.
func TestDoctorLooksAtTheDatabase(t *testing.T) {
	d := database.Start(t)
	d.Must(t, "postgres", "CREATE ROLE guest LOGIN PASSWORD 'confidential'")
	d.Must(t, "postgres", "REVOKE CREATE ON SCHEMA public FROM public")
	guest := strings.Replace(d.URL("postgres"), "postgres@", "guest:confidential@", 1)
	for name, tt := range map[string]struct{ address, state, want string }{
		"works":         {d.URL("postgres"), "warn", "fsync = off"},
		"no privileges": {guest, "fail", "grant it CREATE"},
		"nobody there":  {"postgres://" + url.QueryEscape("u") + ":confidential@127.0.0.1:1/x", "fail", "connect"},
	} {
		cmd := exec.CommandContext(t.Context(), node.Binary(t), "doctor", "--json", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
		cmd.Env = append(os.Environ(), "MAYFLY_STORE="+tt.address)
		out, _ := cmd.Output() // it fails where the database does
		var checks []struct{ Name, State, Finding, Advice string }
		if err := json.Unmarshal(out, &checks); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		found := false
		for _, c := range checks {
			if c.Name != "store" {
				continue
			}
			found = true
			if said := c.Finding + " " + c.Advice; c.State != tt.state || !strings.Contains(said, tt.want) || strings.Contains(said, "confidential") {
				t.Errorf("%s: %+v, want %s, %s", name, c, tt.state, tt.want)
			}
		}
		if !found {
			t.Errorf("%s: no check of the store", name)
		}
	}
}
