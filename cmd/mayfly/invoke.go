package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
)

// errFunction ends a command whose function answered with an error, which has
// been printed already.
var errFunction = errors.New("the function answered with an error")

func newInvoke(s *settings) *cobra.Command {
	var async, quiet bool
	var qualifier string
	cmd := &cobra.Command{
		Use:   "invoke FUNCTION [PAYLOAD | -]",
		Short: "Call a function and print its answer, its log and what it took",
		Long: `Invoke calls a function with a JSON payload ({} if none is given, standard input
for "-"). The answer goes to standard output; the log and the report, with each
phase's time, to standard error.`,
		Example: `  mayfly invoke hello-node '{"name":"Ada"}'
  mayfly invoke hello-node - < event.json
  mayfly invoke --async hello-node`,
		ValidArgsFunction: s.completeFunctions(1),
		Args:              cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			payload, err := readPayload(cmd.InOrStdin(), args[1:])
			if err != nil {
				return err
			}
			c, err := s.client()
			if err != nil {
				return err
			}
			in := &lambda.InvokeInput{FunctionName: &args[0], Payload: payload, LogType: types.LogTypeTail}
			if qualifier != "" {
				in.Qualifier = &qualifier
			}
			if async {
				in.InvocationType, in.LogType = types.InvocationTypeEvent, ""
			}
			out, err := c.lambda.Invoke(cmd.Context(), in)
			if err != nil {
				return notFoundHint(c.plain(err))
			}
			if async {
				fmt.Fprintln(cmd.ErrOrStderr(), "accepted: it is on disk and will run; see mayfly logs", args[0])
				return nil
			}
			if !quiet {
				if err := printLog(cmd.ErrOrStderr(), out.LogResult); err != nil {
					return err
				}
			}
			fmt.Fprintln(cmd.OutOrStdout(), string(out.Payload))
			if out.FunctionError != nil {
				return errFunction
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&async, "async", false, "queue the call and don't wait for it")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print the answer only")
	cmd.Flags().StringVar(&qualifier, "qualifier", "", "version or alias to call")
	return cmd
}

func readPayload(stdin io.Reader, args []string) ([]byte, error) {
	if len(args) == 0 {
		return []byte("{}"), nil
	}
	if args[0] != "-" {
		return []byte(args[0]), nil
	}
	b, err := io.ReadAll(io.LimitReader(stdin, 7<<20))
	if err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	}
	return b, nil
}

// printLog prints the tail of a call's log, dimmed.
func printLog(w io.Writer, tail *string) error {
	b, err := base64.StdEncoding.DecodeString(aws.ToString(tail))
	if err != nil {
		return fmt.Errorf("decode log: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		fmt.Fprintln(w, dim(w, strings.TrimRight(line, "\n")))
	}
	return nil
}

func notFoundHint(err error) error {
	if err != nil && strings.HasPrefix(err.Error(), "ResourceNotFoundException") {
		return hint(err, "See what is there: mayfly ls")
	}
	return err
}
