package examples_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestPostgresConnectionIsReusedWhileWarm(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: only root's sandboxes have networks")
	}
	d := startDatabase(t)
	n := node.Start(t, "--allow", d.Address)
	dir := filepath.Join(t.TempDir(), "postgres-node")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(node.Root(t), "examples", "postgres-node"))); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	n.Must("deploy", dir, "--memory", "256", "--timeout", "30", "--env", "DATABASE_URL=postgres://shop:secret@host.mayfly.internal:"+d.Port+"/shop")

	// One call after the other is served by one environment, on one connection.
	var first visited
	for i := range 10 {
		got := count(t, n.Must("invoke", "-q", "postgres-node"))
		if i == 0 {
			first = got
		}
		if got.Visits != i+1 || got.Connection != first.Connection {
			t.Errorf("call %d: %+v, want the connection of %+v", i+1, got, first)
		}
	}
	if pids, _ := d.connections(); !slices.Equal(pids, []int{first.Connection}) {
		t.Errorf("PostgreSQL has the connections %v, want %d alone", pids, first.Connection)
	}

	// Calls at once, held inside their queries, need an environment each.
	const atOnce = 3
	var calls sync.WaitGroup
	t.Cleanup(calls.Wait)
	release := d.lock("visits")
	answers := make(chan visited, atOnce)
	for range atOnce {
		calls.Go(func() {
			out, errs, err := n.Run("invoke", "-q", "postgres-node")
			if err != nil {
				t.Errorf("invoke: %v\n%s%s", err, out, errs)
				out = "{}"
			}
			answers <- count(t, out)
		})
	}
	var pids []int
	node.Eventually(t, 25*time.Second, "every call waits in its query", func() bool {
		var waiting int
		pids, waiting = d.connections()
		return waiting == atOnce
	})
	release()
	var used []int
	for range atOnce {
		used = append(used, (<-answers).Connection)
	}
	slices.Sort(used)
	if diff := cmp.Diff(pids, used); diff != "" || len(used) != atOnce || !slices.Contains(used, first.Connection) {
		t.Errorf("%d calls at once used the connections %v; PostgreSQL has (-) %v:\n%s", atOnce, used, pids, diff)
	}
}

// visited is the example's answer.
type visited struct{ Visits, Connection int }

func count(t *testing.T, text string) visited {
	t.Helper()
	var v visited
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Errorf("decode %q: %v", text, err)
	}
	return v
}
