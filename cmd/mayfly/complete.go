package main

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"
)

// completeWait is how long a shell's completion waits for the node.
const completeWait = time.Second

// completeFunctions completes the names of functions, as the first n arguments. A node
// that is not to be had has none.
func (s *settings) completeFunctions(n int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n || s.fromEnv(cmd) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		c, err := s.client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWait)
		defer cancel()
		var names []string
		pages := lambda.NewListFunctionsPaginator(c.lambda, &lambda.ListFunctionsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				break
			}
			for _, f := range page.Functions {
				if name := aws.ToString(f.FunctionName); !slices.Contains(args, name) {
					names = append(names, name)
				}
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
