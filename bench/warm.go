package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

var payload = []byte(`{"name":"Ada","n":1}`)

// warm compares one caller's calls, one after another.
func warm(ctx context.Context, b *bench) error {
	n, err := b.startNode(ctx, filepath.Join(b.scratch, "warm"))
	if err != nil {
		return err
	}
	defer n.stop()
	if err := n.deployAll(ctx); err != nil {
		return err
	}
	r := timesReport()
	peers, err := b.startPeers(ctx)
	if err != nil {
		return err
	}
	defer stopPeers(peers)
	for _, p := range peers {
		s, err := repeat(b.n(3000), 300, p.call)
		if err != nil {
			return fmt.Errorf("call %s: %w", p.name, err)
		}
		r.times(p.name, s)
	}
	for _, name := range []string{"echo-node", "echo-python", "echo-go"} {
		s, err := repeat(b.n(3000), 300, func() (time.Duration, error) { return n.call(ctx, name, payload) })
		if err != nil {
			return err
		}
		r.times("Mayfly "+name, s)
	}
	r.print()
	return nil
}

// repeat calls f n times after some that don't count.
func repeat(n, unmeasured int, f func() (time.Duration, error)) (samples, error) {
	s := make(samples, 0, n)
	for i := range n + unmeasured {
		d, err := f()
		if err != nil {
			return nil, err
		}
		if i >= unmeasured {
			s = append(s, d)
		}
	}
	return s, nil
}

// throughput has 16 clients call as fast as they can.
func throughput(ctx context.Context, b *bench) error {
	n, err := b.startNode(ctx, filepath.Join(b.scratch, "throughput"))
	if err != nil {
		return err
	}
	defer n.stop()
	if err := n.deployAll(ctx); err != nil {
		return err
	}
	peers, err := b.startPeers(ctx)
	if err != nil {
		return err
	}
	defer stopPeers(peers)
	r := newReport("what", "calls/s", "p50", "p99")
	for _, p := range peers {
		if err := r.rate(p.name, b.n(1000), p.call); err != nil {
			return err
		}
	}
	for _, name := range []string{"echo-node", "echo-python", "echo-go"} {
		err := r.rate("Mayfly "+name, b.n(1000), func() (time.Duration, error) { return n.call(ctx, name, payload) })
		if err != nil {
			return err
		}
	}
	r.print()
	return nil
}

// rate adds a row for 16 clients that each call f each times.
func (r *report) rate(what string, each int, f func() (time.Duration, error)) error {
	const clients = 16
	all := make([]samples, clients)
	round := func(each int) (time.Duration, error) {
		var g errgroup.Group
		began := time.Now()
		for i := range clients {
			g.Go(func() error {
				s, err := repeat(each, 0, f)
				all[i] = s
				return err
			})
		}
		err := g.Wait()
		return time.Since(began), err
	}
	if _, err := round(max(each/10, 20)); err != nil { // warms every environment up
		return fmt.Errorf("call %s: %w", what, err)
	}
	took, err := round(each)
	if err != nil {
		return fmt.Errorf("call %s: %w", what, err)
	}
	var s samples
	for _, part := range all {
		s = append(s, part...)
	}
	r.add(what, fmt.Sprintf("%.0f", float64(len(s))/took.Seconds()), text(s.at(.5)), text(s.at(.99)))
	return nil
}
