package functions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/mayfly-cloud/mayfly/test/node"
	"golang.org/x/sync/errgroup"
)

// Every event that was acknowledged runs, and is on the bill exactly once, though
// the node is killed in the middle of a thousand of them, twice.
func TestKilledNodeLosesNoAcknowledgedEvent(t *testing.T) {
	n := node.Start(t, "--concurrency", "8")
	n.CreateJS("note", `exports.handler = async (event) => event.n`)

	var mu sync.Mutex
	accepted := map[string]bool{} // request ids
	send := func(from, to int) {
		var g errgroup.Group
		g.SetLimit(32)
		for i := from; i < to; i++ {
			g.Go(func() error {
				out, err := n.Lambda().Invoke(context.Background(), &lambda.InvokeInput{FunctionName: aws.String("note"),
					InvocationType: types.InvocationTypeEvent, Payload: fmt.Appendf(nil, `{"n":%d}`, i)})
				if err != nil {
					return nil // without an acknowledgement nothing is promised
				}
				id, ok := middleware.GetRequestIDMetadata(out.ResultMetadata)
				if !ok {
					return errors.New("an acknowledgement without a request id")
				}
				mu.Lock()
				defer mu.Unlock()
				accepted[id] = true
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}
	for round := range 2 {
		done := make(chan struct{})
		go func() { defer close(done); send(round*500, (round+1)*500) }()
		before := len(accepted)
		node.Eventually(t, 30*time.Second, "many of the events are accepted", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(accepted) > before+200
		})
		n.Kill()
		<-done
		n.Restart()
	}
	node.Eventually(t, 90*time.Second, "all accepted events are on the bill", func() bool {
		billed := n.Billed("note")
		for id := range accepted {
			switch {
			case billed[id] > 1:
				t.Fatalf("event %s is on the bill %d times", id, billed[id])
			case billed[id] == 0:
				time.Sleep(200 * time.Millisecond) // reading the bill is work for the node, too
				return false
			}
		}
		return true
	})
}

func TestKilledNodeFindsItsStateAgain(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("keep", `exports.handler = async () => 'kept'`)
	if got := n.Invoke("keep", `{}`); got.Payload != `"kept"` {
		t.Fatalf("answer %s", got.Payload)
	}
	before := descendantsOf(t, n.Pid())
	n.Kill()
	node.Eventually(t, 10*time.Second, "the sandboxes have died with their node", func() bool {
		for _, pid := range before {
			if alive(pid) {
				return false
			}
		}
		return true
	})
	n.Restart()
	if got := n.Invoke("keep", `{}`); got.Payload != `"kept"` {
		t.Errorf("after the restart: %s", got.Payload)
	}
}

// descendantsOf gives the processes below pid.
func descendantsOf(t *testing.T, pid int) []int {
	t.Helper()
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		var p, parent int
		fmt.Sscan(string(text), &p)
		fmt.Sscanf(string(text[strings.LastIndexByte(string(text), ')')+4:]), "%d", &parent)
		children[parent] = append(children[parent], p)
	}
	all := children[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	if len(all) < 2 {
		t.Fatalf("the node has %d processes below it; a sandbox has more", len(all))
	}
	return all
}

func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ")
}
