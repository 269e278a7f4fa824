package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/examples"
	"github.com/mayfly-cloud/mayfly/internal/cloud"
	"github.com/spf13/cobra"
)

func newDemo(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "See it work: a node, a function, a cold and a warm call, the bill",
		Long: `Demo starts a node on a folder of its own, deploys an example, calls it over HTTP
twice, shows what each call took, phase by phase, and what it cost, and leaves
nothing behind. It needs no root.`,
		Example: "  mayfly demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "mayfly-demo-")
			if err != nil {
				return fmt.Errorf("make folder: %w", err)
			}
			defer os.RemoveAll(dir)
			d := &demo{w: cmd.OutOrStdout(), dir: dir}
			return d.run(cmd)
		},
	}
}

// demo is one run of the command.
type demo struct {
	w    io.Writer
	dir  string
	node *cloud.Node
	c    *client
}

func (d *demo) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	if err := d.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.node.Close()) }()
	example, err := d.pick()
	if err != nil {
		return err
	}
	folder := filepath.Join(d.dir, example)
	if err := unpack(example, folder); err != nil {
		return err
	}
	d.title("mayfly deploy examples/" + example)
	out, err := (&deployment{dir: folder}).run(ctx, d.c, newSteps(d.w))
	if err != nil {
		return d.c.plain(err)
	}
	fmt.Fprintln(d.w, out.URL)
	d.title("curl " + out.URL + "?name=Ada   (the first call)")
	if err := d.call(ctx, out.URL+"?name=Ada"); err != nil {
		return err
	}
	d.title("the same again")
	if err := d.call(ctx, out.URL+"?name=Ada"); err != nil {
		return err
	}
	d.title("mayfly bill")
	if err := d.bill(ctx); err != nil {
		return err
	}
	d.next()
	return nil
}

func (d *demo) title(s string) { fmt.Fprintf(d.w, "\n%s\n", bold(d.w, "$ "+s)) }

func (d *demo) start(ctx context.Context) error {
	began := time.Now()
	d.title("mayfly up")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a port: %w", err)
	}
	listen := l.Addr().String()
	l.Close()
	cfg := cloud.Default()
	cfg.Data, cfg.Listen, cfg.Version = filepath.Join(d.dir, "data"), listen, version
	cfg.Log = slog.New(slog.NewTextHandler(d.w, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if d.node, err = cloud.Start(ctx, cfg); err != nil {
		return err
	}
	greet(d.w, d.node.Info(), time.Since(began))
	// The demonstration's own node is meant, whatever the shell points at.
	os.Unsetenv("AWS_ENDPOINT_URL")
	os.Unsetenv("AWS_ACCESS_KEY_ID")
	d.c, err = (&settings{data: cfg.Data, listen: listen}).client()
	return err
}

// pick chooses the example whose language this machine has.
func (d *demo) pick() (string, error) {
	for _, e := range []struct{ runtime, folder string }{{"nodejs", "hello-node"}, {"python", "hello-python"}} {
		if slices.ContainsFunc(d.node.Info().Runtimes, func(r string) bool { return strings.HasPrefix(r, e.runtime) }) {
			return e.folder, nil
		}
	}
	return "", hint(errors.New("neither Node.js nor Python is on this machine"), "Install one: apt-get install nodejs, or python3")
}

// unpack writes an embedded example to a folder.
func unpack(name, folder string) error {
	sub, err := fs.Sub(examples.Hello, name)
	if err == nil {
		err = os.CopyFS(folder, sub)
	}
	if err != nil {
		return fmt.Errorf("unpack example: %w", err)
	}
	return nil
}

// call asks the URL and prints the answer and where the time went.
func (d *demo) call(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	began := time.Now()
	res, err := d.browser().Do(req)
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	took := time.Since(began)
	fmt.Fprintln(d.w, strings.TrimSpace(string(body)))
	fmt.Fprintf(d.w, "%s\n", dim(d.w, fmt.Sprintf("%s in all; %s", took.Round(10*time.Microsecond), phases(res.Header.Get("Server-Timing")))))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the call was answered with %s", res.Status)
	}
	return nil
}

// browser dials the node whatever the host: not every resolver knows that names
// below localhost are this machine.
func (d *demo) browser() *http.Client {
	addr := strings.TrimPrefix(d.node.Info().Endpoint, "http://")
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
		DisableKeepAlives: true,
	}}
}

// phases makes a Server-Timing header readable: "init;dur=3.1" is "init 3.1 ms".
func phases(header string) string {
	var parts []string
	for part := range strings.SplitSeq(header, ",") {
		fields := strings.Split(strings.TrimSpace(part), ";")
		text := fields[0]
		for _, f := range fields[1:] {
			if v, ok := strings.CutPrefix(f, "dur="); ok {
				text += " " + v + " ms"
			} else if v, ok := strings.CutPrefix(f, "desc="); ok {
				text += " " + strings.Trim(v, `"`)
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// bill waits until both calls have been metered, which happens off their path.
func (d *demo) bill(ctx context.Context) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		b, err := d.c.bill(ctx, 1)
		if err != nil {
			return err
		}
		if b.Total.Invocations >= 2 || time.Now().After(deadline) {
			return b.print(d.w)
		}
	}
}

func (d *demo) next() {
	fmt.Fprintf(d.w, `
%s
  bin/mayfly up                          a node that stays; then, in another shell:
  bin/mayfly deploy examples/hello-node  your own folder works the same way
  bin/mayfly logs -f hello-node
  eval "$(bin/mayfly env)"               and aws lambda list-functions is answered here
`, bold(d.w, "Next"))
}
