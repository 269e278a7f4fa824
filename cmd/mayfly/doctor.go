package main

import (
	"errors"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/cloud"
	"github.com/spf13/cobra"
)

func newDoctor(s *settings) *cobra.Command {
	cfg := cloud.Default()
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what a node needs, and say how to get what is missing",
		Long: `Doctor checks this machine for a node: isolation (by starting a sandbox), limits for
sandboxes, what functions can reach, the data folder and its disk, the address, the
runtimes. It ends with an error if a node could not work here.`,
		Example: `  mayfly doctor
  mayfly doctor --sandbox process
  mayfly doctor --internet`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Data, cfg.Listen, cfg.Version, cfg.Log = s.data, s.listen, version, newLog(cmd.ErrOrStderr(), false)
			checks := cloud.Examine(cmd.Context(), cfg)
			if s.json {
				if err := printJSON(cmd.OutOrStdout(), checks); err != nil {
					return err
				}
			}
			failed := false
			for _, c := range checks {
				failed = failed || c.State == cloud.Fails
				if s.json {
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-5s %-10s %s\n", c.State, c.Name, c.Finding)
				if c.Advice != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "%-5s %-10s %s\n", "", "", dim(cmd.OutOrStdout(), c.Advice))
				}
			}
			if failed {
				return errors.New("a node can't work here yet")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&cfg.Sandbox, "sandbox", cfg.Sandbox, "isolation: gvisor, process or auto")
	reachFlags(cmd.Flags(), &cfg)
	return cmd
}
