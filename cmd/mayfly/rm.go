package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"
)

func newRm(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "rm FUNCTION...",
		Short: "Delete functions with their versions, aliases and URLs",
		Long: `Rm deletes functions with their versions, aliases and URLs, and the roles that mayfly
deploy made for them. Other roles stay, and so do logs and bill.`,
		Example:           "  mayfly rm hello-node",
		ValidArgsFunction: s.completeFunctions(100),
		Args:              cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			for _, name := range args {
				if _, err := c.lambda.DeleteFunction(cmd.Context(), &lambda.DeleteFunctionInput{FunctionName: &name}); err != nil {
					return notFoundHint(c.plain(err))
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "deleted", name)
				removed, err := c.removeOwnRole(cmd.Context(), nameInARN(name))
				if err != nil {
					return hint(c.plain(err), "%s is deleted, but its role %s may still be there.", name, ownRole(nameInARN(name)))
				}
				if removed {
					fmt.Fprintln(cmd.ErrOrStderr(), "deleted its role", ownRole(nameInARN(name)))
				}
			}
			return nil
		},
	}
}
