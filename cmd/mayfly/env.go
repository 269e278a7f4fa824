package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newEnv(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print shell exports that point AWS's tools at the node",
		Example: `  eval "$(mayfly env)"
  aws lambda list-functions`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			creds, err := s.credentials()
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			vars := [][2]string{
				{"AWS_ENDPOINT_URL", s.endpoint()},
				{"AWS_ACCESS_KEY_ID", creds.AccessKeyID},
				{"AWS_SECRET_ACCESS_KEY", creds.SecretAccessKey},
				{"AWS_ACCOUNT_ID", creds.AccountID},
				{"AWS_REGION", region()},
				{"AWS_DEFAULT_REGION", region()},
			}
			if s.json {
				m := map[string]string{}
				for _, v := range vars {
					m[v[0]] = v[1]
				}
				return printJSON(w, m)
			}
			for _, v := range vars {
				fmt.Fprintf(w, "export %s=%s\n", v[0], v[1])
			}
			return nil
		},
	}
}
