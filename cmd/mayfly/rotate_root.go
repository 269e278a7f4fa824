package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/cloud"
)

func newRotateRoot(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate-root",
		Short: "Replace the root credentials; the old ones are refused at once",
		Long: `Rotate-root makes new root credentials and writes them into the data folder, over
the old ones. A running node refuses the old ones from then on, and whatever
temporary credentials were made with them. It takes the data folder: who only has
the credentials can't do it.`,
		Example: `  mayfly rotate-root
  eval "$(mayfly env)"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := rotateRoot(cmd, s); err != nil {
				return err
			}
			root, err := auth.ReadRoot(s.data)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), map[string]string{"accessKeyId": root.AccessKeyID()})
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "root's access key is now %s\n", root.AccessKeyID())
			fmt.Fprintln(cmd.ErrOrStderr(), `Shells with the old one need: unset AWS_ACCESS_KEY_ID; eval "$(mayfly env)"`)
			return nil
		},
	}
}

// rotateRoot has the node rotate, or does it where no node runs.
func rotateRoot(cmd *cobra.Command, s *settings) error {
	root, err := auth.ReadRoot(s.data)
	if errors.Is(err, os.ErrNotExist) {
		return hint(fmt.Errorf("no credentials in %s", s.data), "Name the node's folder with --data or MAYFLY_DATA.")
	}
	if err != nil {
		return unreadable(fmt.Errorf("read credentials: %w", err))
	}
	c := s.clientAs(aws.Credentials{AccessKeyID: root.AccessKeyID(), SecretAccessKey: root.SecretAccessKey(), AccountID: root.Account()})
	err = c.page(cmd.Context(), http.MethodPost, "root", nil, nil)
	if gone := (noNode{}); !errors.As(err, &gone) {
		return err
	}
	if err := cloud.RotateRoot(cmd.Context(), s.data); err != nil {
		return hint(fmt.Errorf("no node answers at %s, and the folder is in use: %w", c.endpoint, err),
			"Name the address of the node that uses it with --listen or MAYFLY_LISTEN.")
	}
	return nil
}
