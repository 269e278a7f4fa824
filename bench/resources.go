package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// memory makes more and more environments of one function and fits a line
// through what the node and all its sandboxes take.
func memory(ctx context.Context, b *bench) error {
	group, err := enterMemoryGroup()
	if err != nil {
		return err
	}
	n, err := b.startNode(ctx, filepath.Join(b.scratch, "memory"), "--pool", "0")
	if err := errors.Join(err, group.leave()); err != nil {
		return err
	}
	defer group.remove()
	defer n.stop()
	zip, err := zipped("sleep-node")
	if err != nil {
		return err
	}
	f := function{name: "sleep-node", runtime: nodeRuntime(), handler: "index.handler", zip: zip}
	if err := n.create(ctx, f); err != nil {
		return err
	}
	r := newReport("environments", "memory cgroup of the node and all of them", "PSS of their processes")
	var xs, charged, shared []float64
	for _, count := range []int{2, 10, 20} {
		var g errgroup.Group
		for range count { // each call holds its environment until all have one
			g.Go(func() error { _, err := n.call(ctx, f.name, []byte(`{"ms":4000}`)); return err })
		}
		if err := g.Wait(); err != nil {
			return err
		}
		time.Sleep(6 * time.Second) // until they are frozen and all have tidied up
		used, err := group.usage()
		if err != nil {
			return err
		}
		mib, err := pss(n.cmd.Process.Pid)
		if err != nil {
			return err
		}
		xs, charged, shared = append(xs, float64(count)), append(charged, used), append(shared, mib)
		r.add(fmt.Sprint(count), fmt.Sprintf("%.0f MiB", used), fmt.Sprintf("%.0f MiB", mib))
	}
	r.print()
	fmt.Printf("\nslope: %.1f MiB of the memory cgroup an environment, %.1f MiB by PSS\n", slope(xs, charged), slope(xs, shared))
	return nil
}

// slope is that of the least-squares line.
func slope(xs, ys []float64) float64 {
	var mx, my, num, den float64
	for i := range xs {
		mx += xs[i] / float64(len(xs))
		my += ys[i] / float64(len(ys))
	}
	for i := range xs {
		num += (xs[i] - mx) * (ys[i] - my)
		den += (xs[i] - mx) * (xs[i] - mx)
	}
	return num / den
}

// pss adds up the proportional set size, in MiB, of a process and all that
// descend from it: what memory would come back if they ended.
func pss(pid int) (float64, error) {
	var kib float64
	for _, p := range descendants(pid) {
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
		if err != nil {
			continue // ended meanwhile
		}
		for line := range strings.Lines(string(rollup)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
				v, err := strconv.ParseFloat(f[1], 64)
				if err != nil {
					return 0, err
				}
				kib += v
			}
		}
	}
	return kib / 1024, nil
}

// descendants is pid and every process below it.
func descendants(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var p, parent int
		fmt.Sscan(string(text), &p)
		fmt.Sscanf(string(text[strings.LastIndexByte(string(text), ')')+4:]), "%d", &parent)
		children[parent] = append(children[parent], p)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// idle leaves a node alone for a minute.
func idle(ctx context.Context, b *bench) error {
	n, err := b.startNode(ctx, filepath.Join(b.scratch, "idle"), "--pool", "0")
	if err != nil {
		return err
	}
	defer n.stop()
	wait := time.Minute
	if b.quick {
		wait = 6 * time.Second
	}
	time.Sleep(3 * time.Second) // let the start's work end
	before := ticks(n.cmd.Process.Pid)
	time.Sleep(wait)
	used := time.Duration(ticks(n.cmd.Process.Pid)-before) * 10 * time.Millisecond // 100 ticks a second
	mib, err := pss(n.cmd.Process.Pid)
	if err != nil {
		return err
	}
	r := newReport("memory (PSS, all processes)", "CPU over "+wait.String())
	r.add(fmt.Sprintf("%.0f MiB", mib), fmt.Sprintf("%.2f %%", 100*used.Seconds()/wait.Seconds()))
	r.print()
	return nil
}

// ticks is the CPU time, in clock ticks, of a process and its descendants.
func ticks(pid int) (sum int64) {
	for _, p := range descendants(pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil {
			continue
		}
		f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
		for _, field := range f[11:13] { // utime, stime: proc(5)
			v, err := strconv.ParseInt(field, 10, 64)
			if err == nil {
				sum += v
			}
		}
	}
	return sum
}
