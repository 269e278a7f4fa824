package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table is one question and how it is answered.
type table struct {
	name, question string
	run            func(ctx context.Context, b *bench) error
}

var tables = []table{
	{"warm", "a warm call: signed, over HTTP, client included", warm},
	{"throughput", "warm calls a second, 16 clients", throughput},
	{"authz", "what a signature and a permission cost", authz},
	{"cold", "a cold call with the pool ready", coldPooled},
	{"empty", "a cold call with the pool empty", coldEmpty},
	{"burst", "100 calls at once to a cold function whose handler sleeps 1 s", burst},
	{"memory", "memory of an idle environment", memory},
	{"idle", "an idle node over a minute", idle},
	{"scale", "10,000 functions deployed", scale},
	{"start", "mayfly up to ready, on existing data", start},
}

// bench is one run of the program.
type bench struct {
	binary  string // the mayfly under test
	quick   bool   // fewer samples, to see that a table works
	scratch string // removed at the end
}

// n is a number of samples, fewer when quick.
func (b *bench) n(full int) int {
	if b.quick {
		return max(full/10, 3)
	}
	return full
}

func main() {
	b := &bench{}
	flag.StringVar(&b.binary, "binary", "bin/mayfly", "the mayfly to measure")
	flag.BoolVar(&b.quick, "quick", false, "a tenth of the samples")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := b.run(ctx, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, names []string) error {
	for _, n := range names {
		if !slices.ContainsFunc(tables, func(t table) bool { return t.name == n }) {
			return fmt.Errorf("no table %q", n)
		}
	}
	var err error
	if b.scratch, err = os.MkdirTemp("", "mayfly-bench-"); err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	defer os.RemoveAll(b.scratch)
	fmt.Printf("%s, %s, `go run ./bench %s`\n", time.Now().UTC().Format(time.DateOnly), machine(), strings.Join(os.Args[1:], " "))
	for _, t := range tables {
		if len(names) > 0 && !slices.Contains(names, t.name) {
			continue
		}
		fmt.Printf("\n## %s: %s\n\n", t.name, t.question)
		if err := t.run(ctx, b); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return nil
}

// machine says what the numbers were measured on.
func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(v)
				break
			}
		}
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		release = []byte("unknown")
	}
	return fmt.Sprintf("%d x %s, Linux %s, %s", runtime.NumCPU(), model, strings.TrimSpace(string(release)), runtime.Version())
}
