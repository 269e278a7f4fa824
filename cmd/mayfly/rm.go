package main

import (
	"context"
	"errors"
	"fmt"
	"io"

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
			var errs []error
			for _, name := range args { // one that can't be deleted keeps none of the others
				errs = append(errs, c.removeFunction(cmd.Context(), name, cmd.ErrOrStderr()))
			}
			return errors.Join(errs...)
		},
	}
}

// removeFunction deletes a function and the role that deploy made for it, and says so.
func (c *client) removeFunction(ctx context.Context, name string, notes io.Writer) error {
	if _, err := c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name}); err != nil {
		return notFoundHint(c.plain(err))
	}
	fmt.Fprintln(notes, "deleted", name)
	removed, err := c.removeOwnRole(ctx, nameInARN(name))
	if err != nil {
		return hint(c.plain(err), "%s is deleted, but its role %s may still be there.", name, ownRole(nameInARN(name)))
	}
	if removed {
		fmt.Fprintln(notes, "deleted its role", ownRole(nameInARN(name)))
	}
	return nil
}
