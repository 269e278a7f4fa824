package worker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"github.com/mayfly-cloud/mayfly/internal/worker/workertest"
)

// What a handler wrote before it answered belongs to its call: the drain finds
// it without waiting for the log's own reader.
func TestLinesBelongToTheirCall(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		g.Print("out " + string(c.Payload))
		g.Log("log " + string(c.Payload) + "\nsecond line\n")
		fmt.Fprint(g.Output, "no newline")
		return c.Payload, nil
	})})
	v := version("hello")
	var want []string
	for i := range 50 {
		e, err := n.Acquire(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		e.Note(time.Now(), fmt.Sprint("START ", i))
		e.Call(&worker.Call{ID: id.UUID(), Payload: []byte(fmt.Sprint(i))})
		e.Note(time.Now(), fmt.Sprint("END ", i))
		e.Release()
		want = append(want, fmt.Sprint("START ", i), fmt.Sprint("out ", i), fmt.Sprintf("log %d\nsecond line", i), "no newline", fmt.Sprint("END ", i))
	}
	eventually(t, "all lines", func() bool { return len(n.logs.Lines()) >= len(want)+1 })
	got := n.logs.Lines()[1:] // after INIT_START
	for i := 0; i+5 <= len(got); i += 5 {
		slices.Sort(got[i+1 : i+4]) // two pipes have no order between them
		slices.Sort(want[i+1 : i+4])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if got := n.logs.Streams(); got != 1 {
		t.Errorf("%d streams", got)
	}
}

func TestInitStartOpensTheLog(t *testing.T) {
	n := start(t, echo())
	v, j := version("text"), version("json")
	j.LogFormat = "JSON"
	n.call(t, v, "1")
	n.call(t, j, "1")
	eventually(t, "two lines", func() bool { return len(n.logs.Lines()) == 2 })
	lines := n.logs.Lines()
	if want := "INIT_START Runtime Version: fake\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:fake"; !slices.Contains(lines, want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
	if want := `"type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init"`; !strings.Contains(strings.Join(lines, ""), want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
}

// A function that floods its log is held up and cut off; the call ends, and
// others log on.
func TestFloodHarmsNobodyElse(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		if string(c.Payload) == "flood" {
			line := strings.Repeat("x", 1000)
			for range 40_000 {
				g.Print(line)
			}
		}
		g.Print("done")
		return c.Payload, nil
	})})
	loud, quiet := version("loud"), version("quiet")
	loud.Timeout = 30 * time.Second
	flood, began := make(chan worker.Outcome), time.Now()
	go func() {
		e, err := n.Acquire(t.Context(), loud)
		if err != nil {
			t.Error(err)
		}
		defer e.Release()
		flood <- e.Call(&worker.Call{ID: id.UUID(), Payload: []byte("flood")})
	}()
	if out, _ := n.call(t, quiet, "1"); out.Status != "success" {
		t.Errorf("another function: %s", out.Payload)
	}
	if out := <-flood; out.Status != "success" {
		t.Errorf("the flood: %s", out.Payload)
	}
	size, dropped := 0, false
	eventually(t, "the end of the flood, with what was dropped", func() bool {
		size = 0
		for _, l := range n.logs.Lines() {
			size += len(l)
			dropped = dropped || strings.HasPrefix(l, "LOGS\tdropped")
		}
		return size > 15<<20 && dropped
	})
	// A burst of 16 MiB, 2 MiB for each second after that, and what was pending.
	if most := 18<<20 + int(time.Since(began).Seconds()*(2<<20)); size > most {
		t.Errorf("%d bytes of 40 MB were kept, want at most %d", size, most)
	}
}

func TestLongLineIsCut(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		g.Print(strings.Repeat("a", 600<<10))
		g.Log(strings.Repeat("b", 600<<10))
		g.Print("after")
		g.Log("after")
		return c.Payload, nil
	})})
	n.call(t, version("long"), "1")
	var got []string
	eventually(t, "all lines", func() bool {
		got = nil
		for _, l := range n.logs.Lines()[min(1, len(n.logs.Lines())):] {
			got = append(got, fmt.Sprintf("%.5s %d", l, len(l)))
		}
		return len(got) == 6
	})
	want := []string{"aaaaa 262144", "aaaaa 262144", "aaaaa 90112", "after 5", "after 5", "bbbbb 262144"}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTailIsTheLastFourKiB(t *testing.T) {
	n := start(t, &workertest.Driver{Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
		for i := range 1000 {
			g.Print(fmt.Sprintf("line %03d", i))
		}
		return c.Payload, nil
	})})
	e, err := n.Acquire(t.Context(), version("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	end := e.Tail()
	e.Call(&worker.Call{ID: id.UUID(), Payload: []byte("1")})
	if got := string(end()); len(got) != 4<<10 || !strings.HasSuffix(got, "line 998\nline 999\n") {
		t.Errorf("%d bytes ending in %q", len(got), got[max(0, len(got)-20):])
	}
}

// A function's own group is written whatever its role may; another only if the role may.
func TestOthersLogGroups(t *testing.T) {
	for group, want := range map[string]int{"/aws/lambda/hello": 1, "/shared": 1, "/aws/lambda/victim": 0} {
		n := start(t, &workertest.Driver{Program: workertest.Serve(func(g *workertest.Guest, c workertest.Call) ([]byte, error) {
			g.Print("mine")
			return c.Payload, nil
		})}, func(c *worker.Config) { c.Credentials = workertest.Credentials{Groups: []string{"/shared"}} })
		v := version("hello")
		v.LogGroup = group
		n.call(t, v, "")
		if err := n.Worker.Close(); err != nil { // ships what is left
			t.Fatal(err)
		}
		if got := n.logs.Streams(); got != want {
			t.Errorf("%s: %d streams, want %d", group, got, want)
		}
	}
}
