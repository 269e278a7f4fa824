package main

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"
)

// listed is a function as `mayfly ls` shows it.
type listed struct {
	Name         string `json:"name"`
	Runtime      string `json:"runtime"`
	MemoryMiB    int32  `json:"memoryMiB"`
	Timeout      int32  `json:"timeoutSeconds"`
	CodeBytes    int64  `json:"codeBytes"`
	LastModified string `json:"lastModified"`
	ARN          string `json:"arn"`
}

func newLs(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the functions",
		Example: "  mayfly ls\n  mayfly ls --json | jq -r '.[].name'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			list := []listed{}
			pages := lambda.NewListFunctionsPaginator(c.lambda, &lambda.ListFunctionsInput{})
			for pages.HasMorePages() {
				page, err := pages.NextPage(cmd.Context())
				if err != nil {
					return c.plain(err)
				}
				for _, f := range page.Functions {
					list = append(list, listed{aws.ToString(f.FunctionName), string(f.Runtime), aws.ToInt32(f.MemorySize),
						aws.ToInt32(f.Timeout), f.CodeSize, aws.ToString(f.LastModified), aws.ToString(f.FunctionArn)})
				}
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), list)
			}
			if len(list) == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "no functions yet: mayfly deploy DIR uploads one")
				return nil
			}
			rows := make([][]string, len(list))
			for i, f := range list {
				rows[i] = []string{f.Name, f.Runtime, fmt.Sprintf("%d MB", f.MemoryMiB), fmt.Sprintf("%d s", f.Timeout),
					bytesText(f.CodeBytes), modifiedText(f.LastModified)}
			}
			return printTable(cmd.OutOrStdout(), []string{"NAME", "RUNTIME", "MEMORY", "TIMEOUT", "CODE", "MODIFIED"}, rows)
		},
	}
}

// modifiedText prints Lambda's time of a change as the other tables print times.
func modifiedText(at string) string {
	t, err := time.Parse("2006-01-02T15:04:05.000-0700", at)
	if err != nil {
		return at
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
