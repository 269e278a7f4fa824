package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/world"
	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestUpGreets(t *testing.T) {
	n := node.Start(t)
	for _, want := range []string{
		`(?m)^Mayfly \S+ is ready at ` + regexp.QuoteMeta(n.URL()) + ` \(.+s\)$`,
		`(?m)^  account    ` + n.Account + `, us-east-1$`,
		`(?m)^  data       ` + regexp.QuoteMeta(n.Data) + `$`,
		`(?m)^  isolation  \S+: \S`,
		`(?m)^  network    functions reach this node alone; --allow, --allow-net and --internet open more$`,
		`(?m)^  runtimes   .*nodejs20\.x`,
		`(?m)^Next: mayfly deploy DIR`,
	} {
		node.Eventually(t, 10*time.Second, "the greeting has "+want, func() bool { return regexp.MustCompile(want).MatchString(n.Log()) })
	}
	if info, err := os.Stat(n.Data); err != nil || info.Mode().Perm()&0o066 != 0 {
		t.Errorf("others may read the data folder: %v, %v", info.Mode(), err)
	}
}

func TestUpTakesItsSettingsFromVariables(t *testing.T) {
	for name, value := range map[string]string{"REGION": "eu-central-1", "ACCOUNT": "123456789012", "DOMAIN": "mayfly.test",
		"SANDBOX": "gvisor", "POOL": "0", "CONCURRENCY": "7", "MEMORY": "512", "IDLE_TIMEOUT": "1m", "VERBOSE": "true"} {
		t.Setenv("MAYFLY_"+name, value)
	}
	n := node.Start(t)
	at(t, n, "env").check(t, 0, "export AWS_REGION=eu-central-1\n", "")
	node.Eventually(t, 10*time.Second, "the greeting names the account", func() bool { return strings.Contains(n.Log(), "  account    123456789012, eu-central-1\n") })

	got := at(t, n, "deploy", folder(t, "hi", "index.mjs", `export const handler = async () => 'hi'`))
	got.check(t, 0, ".lambda-url.eu-central-1.mayfly.test", "hi is ready")

	list := command{args: []string{"ls"}, env: []string{"MAYFLY_DATA=" + n.Data, "MAYFLY_LISTEN=" + n.Listen, "MAYFLY_JSON=true"}}.run(t)
	var functions []struct{ ARN string }
	list.decode(t, &functions)
	if len(functions) != 1 || functions[0].ARN != "arn:aws:lambda:eu-central-1:123456789012:function:hi" {
		t.Errorf("functions %+v", functions)
	}
	settings, err := n.Lambda().GetAccountSettings(t.Context(), &lambda.GetAccountSettingsInput{},
		func(o *lambda.Options) { o.Region = "eu-central-1" })
	if err != nil || settings.AccountLimit.ConcurrentExecutions != 7 {
		t.Errorf("concurrency of the account: %+v, %v; want 7", settings, err)
	}
}

func TestEnvIsWhatAShellAndAScriptNeed(t *testing.T) {
	n := node.Start(t)
	at(t, n, "env").check(t, 0, "export AWS_ENDPOINT_URL="+n.URL()+"\nexport AWS_ACCESS_KEY_ID="+n.AccessKey+"\n", "")
	var vars map[string]string
	at(t, n, "env", "--json").decode(t, &vars)
	if vars["AWS_ENDPOINT_URL"] != n.URL() || vars["AWS_SECRET_ACCESS_KEY"] != n.SecretKey || vars["AWS_DEFAULT_REGION"] != "us-east-1" {
		t.Errorf("variables %v", vars)
	}
	// A shell prepared so needs nothing else, wherever it stands.
	command{args: []string{"ls"}, env: append(n.Env(), "MAYFLY_DATA=/nonexistent")}.run(t).check(t, 0, "", "mayfly deploy DIR")
}

func TestRuntimeLsNamesWhatIsThereAndHowToAddTheRest(t *testing.T) {
	n := node.Start(t)
	var list []struct {
		Name, Path, Version string
		Found               bool
		Add                 []string
	}
	at(t, n, "runtime", "ls", "--json").decode(t, &list)
	found := map[string]bool{}
	for _, r := range list {
		found[r.Name] = r.Found
		if !r.Found && len(r.Add) == 0 {
			t.Errorf("%s is missing, and nothing says how to add it", r.Name)
		}
	}
	for _, want := range []string{"nodejs20.x", "python3.11", "java17", "provided.al2023"} {
		if !found[want] {
			t.Errorf("%s is not found", want)
		}
	}
	at(t, n, "runtime", "ls").check(t, 0, "NEXT", "")
}

func TestDoctorExaminesTheMachine(t *testing.T) {
	type finding struct{ Name, State, Finding, Advice string }
	data := filepath.Join(t.TempDir(), "data")
	var checks []finding
	command{args: []string{"doctor", "--json", "--data", data, "--listen", "127.0.0.1:0"}}.run(t).decode(t, &checks)
	seen := map[string]string{}
	for _, c := range checks {
		seen[c.Name] = c.State
		if c.Finding == "" || c.State != "ok" && c.Advice == "" {
			t.Errorf("%s: %s, without a finding or an advice", c.Name, c.State)
		}
	}
	for _, want := range []string{"data", "isolation", "limits", "network", "address", "runtimes", "agent"} {
		if seen[want] == "" {
			t.Errorf("%s was not examined", want)
		}
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := command{args: []string{"doctor", "--data", filepath.Join(blocked, "data"), "--listen", "127.0.0.1:0"}}.run(t)
	bad.check(t, 1, "Name another folder with --data or MAYFLY_DATA.", "a node can't work here yet")
}

// A node that is told to let functions out, and can't, says so instead of starting.
func TestLettingFunctionsOutNeedsRoot(t *testing.T) {
	for _, flag := range []string{"--internet", "--allow-net=10.1.2.0/24:5432"} {
		cmd := exec.CommandContext(t.Context(), node.Binary(t), "up", flag, "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0")
		const somebody = 1000
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: somebody, HostID: os.Getuid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "needs root\n  Run the node as root, or without --internet and --allow-net.") {
			t.Errorf("%s: %v, said\n%s", flag, err, out)
		}
	}
}

func TestDoctorSaysWhatFunctionsWouldReach(t *testing.T) {
	if !world.Enter(t) {
		return
	}
	doctor := []string{"doctor", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0"}
	command{args: doctor}.run(t).check(t, 0, "functions reach this node alone, and no names but its own resolve; --internet opens public addresses\n", "")
	command{args: append(doctor, "--allow-net", "10.1.2.0/24:5432")}.run(t).check(t, 0, "functions reach this node, 10.1.2.0/24:5432, and no names but its own resolve;", "")
	command{args: append(doctor, "--allow-net", "10.1.2.3/24")}.run(t).check(t, 1, "Name networks as CIDR or CIDR:PORT.", "a node can't work here yet")
}
