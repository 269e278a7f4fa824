package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err != nil {
		explain(os.Stderr, err)
		os.Exit(1)
	}
}

// hinted is an error that knows what its reader can do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// hint adds to err what to type or look at next.
func hint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

func explain(w *os.File, err error) {
	fmt.Fprintln(w, "mayfly:", err)
	var h hinted
	if errors.As(err, &h) {
		fmt.Fprintln(w, "  "+strings.ReplaceAll(h.hint, "\n", "\n  "))
	}
}

func newRoot() *cobra.Command {
	s := &settings{}
	root := &cobra.Command{
		Use:   "mayfly",
		Short: "A serverless cloud in one binary",
		Long: `Mayfly runs functions when something happens, each in a sandbox of its own, and
speaks AWS's protocols, so the tools you have work against it unchanged.

Every flag but those that give permissions is also an environment variable: --data is
MAYFLY_DATA.`,
		Example: `  mayfly demo                       see it work, from nothing to a bill
  mayfly up                         start a node here
  mayfly deploy examples/hello-node upload a folder and get its URL
  eval "$(mayfly env)"              let AWS's own tools talk to it`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return s.fromEnv(cmd)
		},
	}
	f := root.PersistentFlags()
	f.StringVar(&s.data, "data", defaultData(), "folder of the node's state and credentials")
	f.StringVar(&s.listen, "listen", "127.0.0.1:4566", "address of the node")
	f.BoolVar(&s.json, "json", false, "print data as JSON")
	root.AddCommand(newUp(s), newEnv(s), newDeploy(s), newInvoke(s), newLogs(s), newLs(s), newRm(s),
		newDemo(s), newBill(s), newAudit(s), newWhyDenied(s), newRotateRoot(s), newRuntime(s), newDoctor(s))
	hintUsage(root)
	return root
}

// hintUsage lets errors in what was typed, here and below, point to the help.
func hintUsage(cmd *cobra.Command) {
	if cmd.HasSubCommands() {
		cmd.Args, cmd.RunE = subCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		cmd.SuggestionsMinimumDistance, cmd.DisableFlagsInUseLine = 2, true
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return hint(err, "See: %s --help", cmd.CommandPath()) })
	if valid := cmd.Args; valid != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := valid(cmd, args); err != nil {
				if !cmd.HasSubCommands() {
					err = fmt.Errorf("%s takes %s", strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "), arguments(cmd))
				}
				return hint(err, "Usage: %s\nSee: %s --help", cmd.UseLine(), cmd.CommandPath())
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		hintUsage(c)
	}
}

// arguments are what a command takes beside flags, as its usage has it.
func arguments(cmd *cobra.Command) string {
	_, after, _ := strings.Cut(cmd.Use, " ")
	return cmp.Or(after, "no arguments")
}

// subCommand refuses what is none of a command's own commands.
func subCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if likely := cmd.SuggestionsFor(args[0]); len(likely) > 0 {
		text += ": did you mean " + strings.Join(likely, " or ") + "?"
	}
	return errors.New(text)
}

// notFromEnv marks flags that are typed or not meant at all.
const notFromEnv = "not from the environment"

// typedOnly keeps a flag from being a variable: one that hands out permissions is not
// to be inherited unseen.
func typedOnly(f *pflag.FlagSet, name string) {
	f.Lookup(name).Annotations = map[string][]string{notFromEnv: {}}
}

// fromEnv takes from the environment what was not typed.
func (s *settings) fromEnv(cmd *cobra.Command) error {
	s.typedListen = cmd.Flags().Changed("listen")
	return flagsFromEnv(cmd.Flags())
}

// flagsFromEnv gives each flag that was not typed the value of its variable.
func flagsFromEnv(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "MAYFLY_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := os.LookupEnv(name); ok && !f.Changed && f.Annotations[notFromEnv] == nil && failed == nil {
			if err := flags.Set(f.Name, v); err != nil {
				failed = fmt.Errorf("read %s from the environment: %w", name, err)
			}
		}
	})
	return failed
}
