package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// runtimeStatus is what the node says of one runtime.
type runtimeStatus struct {
	Name    string   `json:"name"`
	Found   bool     `json:"found"`
	Path    string   `json:"path"`
	Version string   `json:"version"`
	Detail  string   `json:"detail,omitempty"`
	SDK     string   `json:"sdk,omitempty"`
	SDKName string   `json:"sdkName,omitempty"`
	Add     []string `json:"add,omitempty"`
}

func newRuntime(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runtime",
		Short: "See and add language runtimes",
		Example: `  mayfly runtime ls
  mayfly runtime add nodejs22.x`,
	}
	ls := &cobra.Command{
		Use:   "ls",
		Short: "List the runtimes: found, where, and what is missing",
		Example: `  mayfly runtime ls
  mayfly runtime ls --json | jq -r '.[] | select(.found) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := runtimes(cmd, s)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), list)
			}
			rows := make([][]string, len(list))
			for i, r := range list {
				state := "missing"
				if r.Found {
					state = "found"
				}
				if r.SDK == "" {
					r.SDKName = ""
				}
				rows[i] = []string{r.Name, state, orDash(r.Version), orDash(r.Path), orDash(r.SDKName), strings.Join(r.Add, ", or ")}
			}
			return printTable(cmd.OutOrStdout(), []string{"RUNTIME", "STATE", "VERSION", "PATH", "SDK", "NEXT"}, rows)
		},
	}
	add := &cobra.Command{
		Use:     "add RUNTIME",
		Short:   "Fetch a runtime, and its AWS SDK, from npm or Debian",
		Example: "  mayfly runtime add nodejs22.x",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			newSteps(cmd.ErrOrStderr()).say("fetching %s; this can take a minute", args[0])
			if err := c.page(cmd.Context(), http.MethodPost, "runtimes/"+args[0], nil, nil); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "added", args[0])
			return nil
		},
	}
	cmd.AddCommand(ls, add)
	return cmd
}

func runtimes(cmd *cobra.Command, s *settings) ([]runtimeStatus, error) {
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	var list []runtimeStatus
	if err := c.page(cmd.Context(), http.MethodGet, "runtimes", nil, &list); err != nil {
		return nil, err
	}
	return list, nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
