package cli_test

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/test/node"
)

const shout = `export const handler = async (event) => {
	console.log('shouting', event.word);
	if (!event.word) throw new TypeError('no word');
	return event.word.toUpperCase() + (process.env.MARK ?? '');
};`

func TestDeployCreatesAndUpdates(t *testing.T) {
	n := node.Start(t)
	dir := folder(t, "shout", "index.mjs", shout)

	var made struct {
		Name, ARN, Runtime, URL string
		Created                 bool
	}
	first := at(t, n, "deploy", dir, "--memory", "256", "--timeout", "9", "--env", "MARK=!", "--json")
	first.decode(t, &made)
	if made.Name != "shout" || !strings.HasPrefix(made.Runtime, "nodejs") || !strings.HasPrefix(made.URL, "http://") || !made.Created {
		t.Errorf("deployed %+v", made)
	}
	first.check(t, 0, made.ARN, "shout is ready")
	at(t, n, "invoke", "-q", "shout", `{"word":"hi"}`).check(t, 0, "\"HI!\"\n", "")

	// When only the code changes, the settings stay.
	write(t, dir, "index.mjs", strings.Replace(shout, "toUpperCase()", "toUpperCase() + '?'", 1))
	url := made.URL
	at(t, n, "deploy", dir, "--json").decode(t, &made)
	if made.Created || made.URL != url {
		t.Errorf("the update gave %+v, want the same URL", made)
	}
	at(t, n, "invoke", "-q", "shout", `{"word":"hi"}`).check(t, 0, "\"HI?!\"\n", "")
	var list []struct {
		Name                      string
		MemoryMiB, TimeoutSeconds int
	}
	at(t, n, "ls", "--json").decode(t, &list)
	if len(list) != 1 || list[0].MemoryMiB != 256 || list[0].TimeoutSeconds != 9 {
		t.Errorf("after an update of the code: %+v, want 256 MiB and 9 s", list)
	}
	at(t, n, "ls").check(t, 0, "256 MB", "")

	at(t, n, "deploy", dir, "--memory", "128").check(t, 0, url, "updating shout")
	at(t, n, "ls").check(t, 0, "128 MB", "")
	at(t, n, "rm", "whisper", "shout").check(t, 1, "", "deleted shout\n")
	at(t, n, "ls").check(t, 0, "", "mayfly deploy DIR")
	at(t, n, "rm", "shout").check(t, 1, "", "mayfly ls")
}

// A URL is open or asks for signatures, as the last deployment that said so has it.
func TestDeployClosesAndOpensURL(t *testing.T) {
	n := node.Start(t)
	dir := folder(t, "shout", "index.mjs", shout)
	url := strings.TrimSpace(at(t, n, "deploy", dir).stdout)
	get := func() int {
		res, err := n.Browser().Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if got := get(); got != 502 { // without a word it fails
		t.Errorf("an open URL answers %d", got)
	}
	at(t, n, "deploy", dir, "--private").check(t, 0, url, "closed the URL to all but signed requests")
	if got := get(); got != 403 {
		t.Errorf("a closed URL answers %d", got)
	}
	if got := at(t, n, "deploy", dir); strings.Contains(got.stderr, "URL") || get() != 403 {
		t.Errorf("a deployment that didn't speak of the URL changed it: %s", got.stderr)
	}
	at(t, n, "deploy", dir, "--private=false").check(t, 0, url, "opened the URL to everybody")
	if got := get(); got != 502 {
		t.Errorf("an opened URL answers %d", got)
	}
}

func TestDeployHelpsWithFoldersItCannotRead(t *testing.T) {
	n := node.Start(t)
	at(t, n, "deploy", filepath.Join(t.TempDir(), "none")).check(t, 1, "", "Name a folder")
	at(t, n, "deploy", folder(t, "text", "README.txt", "?")).check(t, 1, "", "It looks for index.mjs")
	at(t, n, "deploy", folder(t, "py", "app.py", "def main(e, c): pass")).check(t, 1, "", "--handler FILE.FUNCTION")
	at(t, n, "deploy", folder(t, "java", "Broken.java", "class {")).check(t, 1, "", "Broken.java:1:")
	at(t, n, "ls").check(t, 0, "", "no functions yet")
}

func TestInvokePrintsAnswerAndLogApart(t *testing.T) {
	n := node.Start(t)
	at(t, n, "deploy", folder(t, "shout", "index.mjs", shout)).check(t, 0, "http://", "ready")
	env := []string{"MAYFLY_DATA=" + n.Data, "MAYFLY_LISTEN=" + n.Listen}

	got := at(t, n, "invoke", "shout", `{"word":"one"}`)
	got.check(t, 0, "\"ONE\"\n", "shouting one")
	for _, want := range []string{"START RequestId: ", "REPORT RequestId: ", "Init Duration: ", "Start: ", "Sandbox: ", "User Init: "} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("the log lacks %q:\n%s", want, got.stderr)
		}
	}
	command{args: []string{"invoke", "-q", "shout", "-"}, env: env, stdin: `{"word":"two"}`}.run(t).check(t, 0, "\"TWO\"\n", "")
	failed := at(t, n, "invoke", "shout")
	failed.check(t, 1, `"errorType":"TypeError","errorMessage":"no word"`, "mayfly: the function answered with an error")
	at(t, n, "invoke", "nobody").check(t, 1, "", "See what is there: mayfly ls")
	at(t, n, "invoke", "shout", "{").check(t, 1, "", "InvalidRequestContentException")
	at(t, n, "invoke", "--qualifier", "7", "shout").check(t, 1, "", "ResourceNotFoundException")

	at(t, n, "invoke", "--async", "shout", `{"word":"three"}`).check(t, 0, "", "mayfly logs shout")
	node.Eventually(t, 20*time.Second, "the queued call has run", func() bool {
		return strings.Contains(at(t, n, "logs", "--filter", "shouting", "shout").stdout, "shouting three")
	})
	if only := at(t, n, "logs", "--filter", "shouting", "shout").stdout; strings.Contains(only, "REPORT") || strings.Count(only, "\n") != 4 {
		t.Errorf("filtered log:\n%s\nwant the four lines that were shouted", only)
	}
	at(t, n, "logs", "nobody").check(t, 1, "", "mayfly ls")
	checkBill(t, n)
}

// checkBill expects four calls of shout on the bill.
func checkBill(t *testing.T, n *node.Node) {
	t.Helper()
	type line struct {
		Function                                  string
		Invocations, ColdStarts, Errors, BilledMs int64
	}
	var bill struct {
		Lines []line
		Total line
	}
	node.Eventually(t, 20*time.Second, "four calls are on the bill", func() bool {
		at(t, n, "bill", "--json").decode(t, &bill)
		return bill.Total.Invocations == 4
	})
	var sum line
	for _, l := range bill.Lines {
		if !strings.HasSuffix(l.Function, "shout") {
			t.Errorf("a line for %q", l.Function)
		}
		sum.Invocations += l.Invocations
		sum.ColdStarts += l.ColdStarts
		sum.Errors += l.Errors
		sum.BilledMs += l.BilledMs
	}
	if diff := cmp.Diff(sum, bill.Total); diff != "" || sum.Errors != 1 || sum.BilledMs == 0 {
		t.Errorf("the total is not the sum of %d lines with one error (-sum +total):\n%s", len(bill.Lines), diff)
	}
	at(t, n, "bill").check(t, 0, "total", "")
}

func TestLogsFollows(t *testing.T) {
	n := node.Start(t)
	at(t, n, "deploy", folder(t, "shout", "index.mjs", shout)).check(t, 0, "http://", "ready")
	at(t, n, "logs", "shout").check(t, 0, "", "shout has logged nothing yet\n")

	cmd := exec.CommandContext(t.Context(), node.Binary(t), "logs", "-f", "shout", "--data", n.Data, "--listen", n.Listen)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := follow(out)
	for _, word := range []string{"one", "two"} {
		at(t, n, "invoke", "shout", `{"word":"`+word+`"}`).check(t, 0, strings.ToUpper(word), "REPORT")
		expect(t, lines, "shouting "+word)
	}

	cmd.Process.Signal(syscall.SIGINT)
	for range lines { // until it has ended
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ended with %v", err)
	}
}

// follow gives the lines that a command prints, until it ends.
func follow(out io.Reader) <-chan string {
	lines := make(chan string, 100)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()
	return lines
}

// expect waits for a line with the text.
func expect(t *testing.T, lines <-chan string, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case line, ok := <-lines:
			if strings.Contains(line, text) {
				return
			}
			if !ok {
				t.Fatalf("it ended before %q", text)
			}
		case <-deadline:
			t.Fatalf("waited in vain for %q", text)
		}
	}
}

// A deployment whose settings are refused has changed nothing; one that goes
// through says what it changed, without the values of variables.
func TestDeployChangesAllOrNothing(t *testing.T) {
	n := node.Start(t)
	dir := folder(t, "shout", "index.mjs", shout)
	at(t, n, "deploy", dir).check(t, 0, "http://", "ready")

	write(t, dir, "index.mjs", strings.Replace(shout, "toUpperCase()", "toUpperCase() + '?'", 1))
	for _, bad := range [][]string{{"--memory", "7"}, {"--timeout", "1000"}, {"--env", "AWS_REGION=mars"}, {"--runtime", "cobol"}} {
		at(t, n, append([]string{"deploy", dir, "--timeout", "9"}, bad...)...).check(t, 1, "", "nothing was changed")
	}
	at(t, n, "invoke", "-q", "shout", `{"word":"hi"}`).check(t, 0, "\"HI\"\n", "")
	var list []struct{ TimeoutSeconds int }
	at(t, n, "ls", "--json").decode(t, &list)
	if len(list) != 1 || list[0].TimeoutSeconds != 3 {
		t.Errorf("after refused settings: %+v, want the old timeout", list)
	}

	got := at(t, n, "deploy", dir, "--timeout", "9", "--env", "MARK=secret")
	got.check(t, 0, "http://", "changed timeout from 3 to 9, variables MARK\n")
	if !strings.Contains(got.stderr, "changed the code\n") || strings.Contains(got.stderr, "secret") {
		t.Errorf("it said %q", got.stderr)
	}
	at(t, n, "invoke", "-q", "shout", `{"word":"hi"}`).check(t, 0, "\"HI?secret\"\n", "")
	at(t, n, "deploy", dir, "--timeout", "9").check(t, 0, "http://", "the code is the same\n")
}
