package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// coldPooled calls each of many functions for the first time, with the pool
// given the time to be whole again between two calls.
func coldPooled(ctx context.Context, b *bench) error {
	n, err := b.startNode(ctx, filepath.Join(b.scratch, "cold"))
	if err != nil {
		return err
	}
	defer n.stop()
	r := timesReport()
	for _, f := range []function{
		{name: "echo-node", runtime: nodeRuntime(), handler: "index.handler"},
		{name: "echo-python", runtime: pythonRuntime(), handler: "lambda_function.handler"},
		{name: "echo-go", runtime: "provided.al2023", handler: "bootstrap"},
	} {
		s, err := b.firstCalls(ctx, n, f, time.Second)
		if err != nil {
			return err
		}
		r.times(f.name+", pool ready", s)
	}
	r.print()
	return nil
}

// firstCalls creates copies of a function and calls each once, pausing before.
func (b *bench) firstCalls(ctx context.Context, n *node, f function, pause time.Duration) (samples, error) {
	var err error
	if f.zip, err = zipped(f.name); err != nil {
		return nil, err
	}
	var s samples
	name := f.name
	for i := range b.n(50) + 1 {
		f.name = fmt.Sprintf("%s-%d", name, i)
		if err := n.create(ctx, f); err != nil {
			return nil, err
		}
		time.Sleep(pause) // the pool refills meanwhile; the call itself is what is timed
		d, err := n.call(ctx, f.name, payload)
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first one finds no pool yet: demand makes it
			s = append(s, d)
		}
	}
	return s, nil
}

// coldEmpty calls functions for the first time on a node without a pool, and
// has a stock runsc run the same handler under the same Node.js.
func coldEmpty(ctx context.Context, b *bench) error {
	n, err := b.startNode(ctx, filepath.Join(b.scratch, "empty"), "--pool", "0")
	if err != nil {
		return err
	}
	defer n.stop()
	r := timesReport()
	s, err := b.firstCalls(ctx, n, function{name: "echo-node", runtime: nodeRuntime(), handler: "index.handler"}, 50*time.Millisecond)
	if err != nil {
		return err
	}
	r.times("Mayfly echo-node, pool empty", s)
	stock, err := b.runsc(ctx)
	if err != nil {
		return err
	}
	script := `const h = require(process.argv[1]).handler; h({name:"Ada"}).then((a) => console.log(JSON.stringify(a)))`
	handler, err := filepath.Abs("bench/functions/echo-node/index.js")
	if err != nil {
		return err
	}
	peer, err := repeat(b.n(20), 2, func() (time.Duration, error) {
		began := time.Now()
		out, err := exec.CommandContext(ctx, stock, "--network=none", "do", "/usr/bin/node", "-e", script, handler).CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("runsc do: %w: %s", err, out)
		}
		return time.Since(began), nil
	})
	if err != nil {
		return err
	}
	r.times("stock runsc do, same handler", peer)
	r.print()
	fmt.Printf("\nratio of the medians: %.2f\n", float64(s.at(.5))/float64(peer.at(.5)))
	return nil
}

// runsc builds the stock program from the module this project pins.
func (b *bench) runsc(ctx context.Context) (string, error) {
	path := filepath.Join(b.scratch, "runsc")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "gvisor.dev/gvisor/runsc")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // linked dynamically it can't start sandboxes
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build stock runsc: %w: %s", err, out)
	}
	return path, nil
}

// burst sends 100 calls at once to a function that has no environment.
func burst(ctx context.Context, b *bench) error {
	r := newReport("burst", "all answered in", "first", "p50", "last")
	for i := range b.n(3) {
		n, err := b.startNode(ctx, filepath.Join(b.scratch, fmt.Sprintf("burst%d", i)))
		if err != nil {
			return err
		}
		took, s, err := b.oneBurst(ctx, n)
		n.stop()
		if err != nil {
			return err
		}
		r.add(fmt.Sprint(i+1), text(took), text(s.at(0)), text(s.at(.5)), text(s.at(1)))
	}
	r.print()
	return nil
}

func (b *bench) oneBurst(ctx context.Context, n *node) (time.Duration, samples, error) {
	zip, err := zipped("sleep-node")
	if err != nil {
		return 0, nil, err
	}
	f := function{name: "sleep-node", runtime: nodeRuntime(), handler: "index.handler", zip: zip}
	if err := n.create(ctx, f); err != nil {
		return 0, nil, err
	}
	var mu sync.Mutex
	var s samples
	var g errgroup.Group
	began := time.Now()
	for range 100 {
		g.Go(func() error {
			d, err := n.call(ctx, f.name, []byte(`{"ms":1000}`))
			mu.Lock()
			defer mu.Unlock()
			s = append(s, d)
			return err
		})
	}
	err = g.Wait()
	return time.Since(began), s, err
}
