package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/cloud"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const upText = `Up starts a node and stays until it is told to end (Ctrl-C or SIGTERM). What it
acknowledged is in the data folder, whatever ends it.

Functions reach the node, and nothing else: not this machine's ports, not its
network, not each other. --allow db:5432 has the node connect to db:5432 for whoever
connects to host.mayfly.internal:5432. --allow-net 10.1.2.0/24:5432 lets functions
connect to those addresses themselves. --internet lets them reach every public
IPv4 address, and resolve names; private networks stay shut. The last two have this
machine send functions' packets on under its own address, for as long as the node
lives.

--store postgres://USER@HOST/DATABASE keeps it in a PostgreSQL database instead, or
in one that speaks its protocol. Several nodes can serve one account from there: give
each a data folder with a copy of the first one's root.json and node.key, and all of
them one folder of --blobs. A password belongs into MAYFLY_STORE, PGPASSWORD or a
password file, not into what you type: every user of a machine can read that.`

func newUp(s *settings) *cobra.Command {
	cfg := cloud.Default()
	var verbose bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a node: everything, in this process, on one folder",
		Long:  upText,
		Example: `  mayfly up
  mayfly up --data /var/lib/mayfly --listen 0.0.0.0:4566
  mayfly up --internet --allow 127.0.0.1:5432
  MAYFLY_STORE=postgres://mayfly:secret@db/cloud mayfly up
  MAYFLY_OTLP=http://127.0.0.1:4318 mayfly up`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			began := time.Now()
			cfg.Data, cfg.Listen, cfg.Version = s.data, s.listen, version
			cfg.Log = newLog(cmd.ErrOrStderr(), verbose)
			if err := checkStore(cfg.Store); err != nil {
				return err
			}
			node, err := cloud.Start(cmd.Context(), cfg)
			if errors.Is(err, cloud.ErrStranger) {
				return hint(err, "Copy root.json and node.key of a node that uses the database into %s, or name another database.", s.data)
			}
			if errors.Is(err, cloud.ErrDatabase) {
				return hint(err, "Ask mayfly doctor what the database lacks. Its address: --store or MAYFLY_STORE.")
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return hint(err, "Name another address with --listen or MAYFLY_LISTEN.")
			}
			if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
				return hint(err, "Make room on the disk of %s and start the node again: what it acknowledged is there.", s.data)
			}
			if errors.Is(err, cloud.ErrNoWayOut) {
				return hint(err, "Run the node as root, or without --internet and --allow-net.")
			}
			if errors.Is(err, os.ErrPermission) {
				return hint(err, "Name a data folder of your own with --data or MAYFLY_DATA.")
			}
			if err != nil {
				return err
			}
			greet(cmd.ErrOrStderr(), node.Info(), time.Since(began))
			select {
			case <-cmd.Context().Done():
				fmt.Fprintln(cmd.ErrOrStderr(), "stopping")
			case <-node.Failed():
			}
			return node.Close()
		},
	}
	nodeFlags(cmd.Flags(), &cfg)
	storeFlags(cmd.Flags(), &cfg)
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log more")
	return cmd
}

// nodeFlags are the settings of a node.
func nodeFlags(f *pflag.FlagSet, cfg *cloud.Config) {
	f.StringVar(&cfg.Region, "region", cfg.Region, "the AWS region that the node plays")
	f.StringVar(&cfg.Account, "account", cfg.Account, "account id, twelve digits (default: made on the first start)")
	f.StringVar(&cfg.Domain, "domain", cfg.Domain, "domain of function URLs")
	f.StringVar(&cfg.OTLP, "otlp", cfg.OTLP, "URL of a collector that takes traces as OTLP over HTTP")
	f.StringVar(&cfg.Sandbox, "sandbox", cfg.Sandbox, "isolation: gvisor, process or auto")
	f.IntVar(&cfg.Pool, "pool", cfg.Pool, "pre-booted sandboxes kept for each runtime in use; 0 for none")
	f.IntVar(&cfg.Concurrency, "concurrency", cfg.Concurrency, "calls that may run at once, all functions together")
	f.IntVar(&cfg.MemoryMiB, "memory", cfg.MemoryMiB, "MiB that all sandboxes together may take (default: three quarters of the machine's)")
	f.DurationVar(&cfg.IdleTimeout, "idle-timeout", cfg.IdleTimeout, "how long an unused environment is kept")
	f.IntVar(&cfg.AuditEvents, "audit-events", cfg.AuditEvents, "changes, reads and refusals, each, that the audit trail keeps, for 90 days at most")
	reachFlags(f, cfg)
}

// reachFlags are the settings of what functions can reach.
func reachFlags(f *pflag.FlagSet, cfg *cloud.Config) {
	f.StringSliceVar(&cfg.Allow, "allow", cfg.Allow, "HOST:PORT, of this or another machine, that functions may reach as host.mayfly.internal:PORT")
	f.StringSliceVar(&cfg.AllowNet, "allow-net", cfg.AllowNet, "IPv4 CIDR or CIDR:PORT that functions may reach directly; needs root")
	f.BoolVar(&cfg.Internet, "internet", cfg.Internet, "let functions reach public IPv4 addresses through this machine; needs root")
}

func newLog(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// greet says what is running and what to type next.
func greet(w io.Writer, info cloud.Info, took time.Duration) {
	fmt.Fprintf(w, "%s is ready at %s (%s)\n", bold(w, "Mayfly "+version), bold(w, info.Endpoint), took.Round(time.Millisecond))
	fmt.Fprintf(w, "  account    %s, %s\n", info.Account, info.Region)
	fmt.Fprintf(w, "  data       %s\n", info.Data)
	if info.Store != "" {
		fmt.Fprintf(w, "  store      %s\n", info.Store)
	}
	fmt.Fprintf(w, "  isolation  %s: %s\n", info.Sandbox.Name, info.Sandbox.Detail)
	if len(info.Sandbox.Weaker) > 0 {
		fmt.Fprintf(w, "             weaker than it could be: no %s; mayfly doctor says why\n", strings.Join(info.Sandbox.Weaker, ", no "))
	}
	fmt.Fprintf(w, "  network    %s\n", reach(info.Reach))
	fmt.Fprintf(w, "  runtimes   %s\n", strings.Join(info.Runtimes, ", "))
	fmt.Fprintf(w, "Next: mayfly deploy DIR, or eval \"$(mayfly env)\" and AWS's own tools\n")
}

// reach says what functions can reach.
func reach(what []string) string {
	switch len(what) {
	case 0:
		return "functions reach nothing, not even this node; mayfly doctor says why"
	case 1:
		return "functions reach " + what[0] + " alone; --allow, --allow-net and --internet open more"
	}
	return "functions reach " + strings.Join(what, ", ")
}
