package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newEnv(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print shell exports that point AWS's tools at the node",
		Long: `Env prints shell exports of the node's address, and of the credentials in the shell
or else in the data folder, for eval.

Tools from before the summer of 2023 (the AWS command line before 2.13, or 1.29 of its
version 1; boto3 before 1.28) take the credentials and not the address, and talk to AWS.
They need it by --endpoint-url $AWS_ENDPOINT_URL, or endpoint_url=.`,
		Example: `  eval "$(mayfly env)"
  aws lambda list-functions
  aws --endpoint-url $AWS_ENDPOINT_URL lambda list-functions    before 2.13`,
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
