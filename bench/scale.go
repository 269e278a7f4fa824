package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// scale compares a node with few functions and one with 10,000.
func scale(ctx context.Context, b *bench) error {
	data := filepath.Join(b.scratch, "scale")
	n, err := b.startNode(ctx, data)
	if err != nil {
		return err
	}
	defer func() { n.stop() }()
	if err := n.deployAll(ctx); err != nil {
		return err
	}
	r := newReport("functions", "ready in", "warm p50", "p99")
	if err := r.scaleRow(ctx, b, n, 3); err != nil {
		return err
	}
	count := b.n(10000)
	took, err := n.fill(ctx, count)
	if err != nil {
		return err
	}
	n.stop()
	if n, err = b.startNode(ctx, data); err != nil {
		return err
	}
	if err := r.scaleRow(ctx, b, n, count+3); err != nil {
		return err
	}
	r.print()
	fmt.Printf("\n%d functions created in %s\n", count, text(took))
	return nil
}

// fill creates many functions.
func (n *node) fill(ctx context.Context, count int) (time.Duration, error) {
	zip, err := zipped("echo-node")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	var g errgroup.Group
	g.SetLimit(16)
	for i := range count {
		g.Go(func() error {
			return n.create(ctx, function{name: fmt.Sprintf("f%05d", i), runtime: nodeRuntime(), handler: "index.handler", zip: zip})
		})
	}
	err = g.Wait()
	return time.Since(began), err
}

func (r *report) scaleRow(ctx context.Context, b *bench, n *node, count int) error {
	s, err := repeat(b.n(3000), 300, func() (time.Duration, error) { return n.call(ctx, "echo-node", payload) })
	if err != nil {
		return err
	}
	r.add(fmt.Sprint(count), text(n.readyIn), text(s.at(.5)), text(s.at(.99)))
	return nil
}

// start times mayfly up on data that is there already.
func start(ctx context.Context, b *bench) error {
	data := filepath.Join(b.scratch, "start")
	n, err := b.startNode(ctx, data)
	if err != nil {
		return err
	}
	err = n.deployAll(ctx)
	n.stop()
	if err != nil {
		return err
	}
	r := timesReport()
	s, err := repeat(b.n(20), 1, func() (time.Duration, error) {
		n, err := b.startNode(ctx, data)
		if err != nil {
			return 0, err
		}
		n.stop()
		return n.readyIn, nil
	})
	if err != nil {
		return err
	}
	r.times("mayfly up until /_mayfly/health answers", s)
	r.print()
	return nil
}
