package cli_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// commands are all that mayfly has.
var commands = []string{"up", "env", "deploy", "invoke", "logs", "ls", "rm", "bill", "runtime", "runtime ls", "runtime add", "doctor", "demo", "audit", "why-denied"}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, name := range commands {
		t.Run(name, func(t *testing.T) {
			got := command{args: append(strings.Fields(name), "--help")}.run(t)
			got.check(t, 0, "\nExamples:\n", "")
			if !strings.Contains(got.stdout, "  mayfly "+strings.Fields(name)[0]) && name != "env" {
				t.Errorf("no example types mayfly %s:\n%s", name, got.stdout)
			}
		})
	}
	all := command{args: []string{"--help"}}.run(t)
	for _, name := range commands {
		if name = strings.Fields(name)[0]; !regexp.MustCompile(`(?m)^  ` + name + ` +[A-Z]`).MatchString(all.stdout) {
			t.Errorf("mayfly --help does not list %s:\n%s", name, all.stdout)
		}
	}
}

func TestEveryTypedFlagIsAVariable(t *testing.T) {
	flags := regexp.MustCompile(`(?m)^  (?:-\w, |    )--([a-z-]+) (int|int32|duration|stringToString) `)
	seen := 0
	for _, name := range []string{"up", "deploy", "logs", "bill"} {
		help := command{args: []string{name, "--help"}}.run(t).stdout
		for _, m := range flags.FindAllStringSubmatch(help, -1) {
			variable := "MAYFLY_" + strings.ToUpper(strings.ReplaceAll(m[1], "-", "_"))
			args := []string{name, "x"}
			if name == "up" || name == "bill" {
				args = args[:1]
			}
			got := command{args: args, env: []string{variable + "=nonsense", "MAYFLY_DATA=" + t.TempDir()}}.run(t)
			got.check(t, 1, "", "read "+variable+" from the environment")
			seen++
		}
	}
	if seen < 8 {
		t.Errorf("found %d flags with a type, expected more: did the help change?", seen)
	}
}

func TestErrorsSayWhatToDoNext(t *testing.T) {
	empty := t.TempDir()
	n := node.Start(t)
	stranger := []string{"MAYFLY_LISTEN=" + n.Listen, "AWS_ACCESS_KEY_ID=AKIAABCDEFGHIJKLMNOP", "AWS_SECRET_ACCESS_KEY=x"}
	gone := []string{"MAYFLY_DATA=" + n.Data, "MAYFLY_LISTEN=127.0.0.1:1"}
	for _, tt := range []struct {
		name       string
		command    command
		want, hint string
	}{
		{"no credentials", command{args: []string{"ls", "--data", empty}}, "no credentials in " + empty, "mayfly up"},
		{"no node", command{args: []string{"ls"}, env: gone}, "no node answers at http://127.0.0.1:1", "mayfly up"},
		{"no node for a page", command{args: []string{"bill"}, env: gone}, "no node answers at http://127.0.0.1:1", "--listen"},
		{"no node to follow", command{args: []string{"logs", "-f", "f"}, env: gone}, "no node answers at http://127.0.0.1:1", "mayfly up"},
		{"no node where the shell says", command{args: []string{"ls"}, env: append(gone, "AWS_ENDPOINT_URL=http://127.0.0.1:2")}, "no node answers at http://127.0.0.1:2", "this shell's AWS_ENDPOINT_URL"},
		{"no address", command{args: []string{"bill"}, env: append(gone, "AWS_ENDPOINT_URL=node")}, "the node at node can't be talked to", "--listen"},
		{"an address typed over the shell's", command{args: []string{"ls", "--listen", "127.0.0.1:1"}, env: append(gone, "AWS_ENDPOINT_URL="+n.URL())}, "no node answers at http://127.0.0.1:1", "--listen"},
		{"another node's credentials", command{args: []string{"ls"}, env: stranger}, "is invalid", `unset AWS_ACCESS_KEY_ID; eval "$(mayfly env)"`},
		{"another node's credentials for a page", command{args: []string{"bill"}, env: stranger}, "is invalid", `unset AWS_ACCESS_KEY_ID; eval "$(mayfly env)"`},
		{"no such command", command{args: []string{"deplyo"}}, `unknown command "deplyo": did you mean deploy?`, "mayfly --help"},
		{"no such command of a group", command{args: []string{"runtime", "list"}}, `unknown command "list"`, "mayfly runtime --help"},
		{"no such flag", command{args: []string{"ls", "--all"}}, "unknown flag: --all", "mayfly ls --help"},
		{"no argument", command{args: []string{"deploy"}}, "deploy takes DIR", "mayfly deploy --help"},
		{"no such runtime", command{args: []string{"runtime", "add", "cobol85"}, env: []string{"MAYFLY_DATA=" + n.Data, "MAYFLY_LISTEN=" + n.Listen}},
			"cobol85", "must be one of nodejs18.x"},
		{"address taken", command{args: []string{"up", "--data", empty, "--listen", n.Listen}}, "address already in use", "--listen"},
		{"no such network", command{args: []string{"up", "--data", empty, "--listen", "127.0.0.1:0", "--allow-net", "10.1.2.3/16"}}, `read network "10.1.2.3/16"`, "it starts at 10.1.0.0/16"},
		{"no such region", command{args: []string{"up", "--data", empty, "--listen", "127.0.0.1:0", "--region", "mars"}}, `region "mars"`, "such as us-east-1"},
		{"folder taken", command{args: []string{"up", "--data", n.Data, "--listen", "127.0.0.1:0"}}, n.Data, "another"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.command.run(t)
			got.check(t, 1, "", "mayfly: ")
			if !strings.Contains(got.stderr, tt.want) || !strings.Contains(got.stderr, tt.hint) {
				t.Errorf("said\n%s\nwant %q, and then what to do: %q", got.stderr, tt.want, tt.hint)
			}
		})
	}
}

func TestCompletionWorksInBash(t *testing.T) {
	script := command{args: []string{"completion", "bash"}}.run(t)
	check := exec.CommandContext(t.Context(), "bash", "-n")
	check.Stdin = strings.NewReader(script.stdout)
	if out, err := check.CombinedOutput(); err != nil || script.status != 0 {
		t.Errorf("the script: %v\n%s", err, out)
	}
	command{args: []string{"__complete", "de"}}.run(t).check(t, 0, "deploy\tCreate or update a function", "directive")
}

func TestCompletionNamesFunctions(t *testing.T) {
	n := node.Start(t)
	at(t, n, "deploy", folder(t, "shout", "index.mjs", shout)).check(t, 0, "http://", "ready")
	for _, line := range [][]string{{"invoke", ""}, {"logs", "-f", "sh"}, {"rm", "other", ""}} {
		at(t, n, append([]string{"__complete"}, line...)...).check(t, 0, "shout\n", "NoFileComp")
	}
	if got := at(t, n, "__complete", "rm", "shout", ""); strings.Contains(got.stdout, "shout") {
		t.Errorf("a name is offered twice: %s", got.stdout)
	}
	command{args: []string{"__complete", "invoke", ""}, env: []string{"MAYFLY_DATA=" + n.Data, "MAYFLY_LISTEN=127.0.0.1:1"}}.run(t).check(t, 0, ":4\n", "NoFileComp")
}
