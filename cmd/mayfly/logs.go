package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"
)

// followEvery is how often `mayfly logs -f` asks for more, and settle how long a node
// takes to store what a call has logged.
const (
	followEvery = 500 * time.Millisecond
	settle      = 200 * time.Millisecond
)

func newLogs(s *settings) *cobra.Command {
	var follow bool
	var since time.Duration
	var filter string
	cmd := &cobra.Command{
		Use:   "logs FUNCTION",
		Short: "Print a function's log, and follow it",
		Example: `  mayfly logs -f hello-node
  mayfly logs --since 1h --filter ERROR hello-node`,
		ValidArgsFunction: s.completeFunctions(1),
		Args:              cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			t := &tail{client: c, function: args[0], w: cmd.OutOrStdout(), notes: cmd.ErrOrStderr(), json: s.json, seen: map[string]bool{}}
			t.in = cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + args[0])}
			if filter != "" {
				t.in.FilterPattern = &filter
			}
			return t.run(cmd.Context(), time.Now().Add(-since), follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on printing what comes, until interrupted")
	cmd.Flags().DurationVar(&since, "since", 10*time.Minute, "how far back to begin")
	cmd.Flags().StringVar(&filter, "filter", "", "CloudWatch Logs filter pattern")
	return cmd
}

// tail prints a log group's events once each.
type tail struct {
	client   *client
	function string
	w, notes io.Writer
	json     bool
	in       cloudwatchlogs.FilterLogEventsInput
	seen     map[string]bool // ids of events at or after in.StartTime
	last     int64           // newest event's time, ms
}

func (t *tail) run(ctx context.Context, from time.Time, follow bool) error {
	t.last = from.UnixMilli()
	if err := t.more(ctx); err != nil && !t.silent(ctx, err) {
		return notFoundHint(t.client.plain(err))
	}
	wait := settle // of the call just before this one, too
	for told := false; ; wait = followEvery {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		err := t.more(ctx)
		if t.silent(ctx, err) {
			if !told {
				fmt.Fprintln(t.notes, t.function, "has logged nothing yet")
			}
			err, told = nil, true
		}
		if err != nil && follow && ctx.Err() != nil {
			return nil // interrupted: how following ends
		}
		if err != nil || !follow {
			return notFoundHint(t.client.plain(err))
		}
	}
}

// silent says whether err only means that the function was never called.
func (t *tail) silent(ctx context.Context, err error) bool {
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return false
	}
	_, err = t.client.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &t.function})
	return err == nil
}

// more prints what has come since. Events may arrive a little out of order, so
// each round looks back a few seconds and drops what it has seen.
func (t *tail) more(ctx context.Context) error {
	const lookBack = 5000 // ms
	start := t.last
	if len(t.seen) > 0 {
		start -= lookBack
	}
	in := t.in
	in.StartTime = &start
	seen := map[string]bool{}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(t.client.logs, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			id := aws.ToString(e.EventId)
			seen[id] = true
			t.last = max(t.last, aws.ToInt64(e.Timestamp))
			if t.seen[id] {
				continue
			}
			if err := t.print(e); err != nil {
				return err
			}
		}
	}
	t.seen = seen
	return nil
}

func (t *tail) print(e types.FilteredLogEvent) error {
	at := time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC().Format("15:04:05.000")
	message := strings.TrimRight(aws.ToString(e.Message), "\n")
	if t.json {
		return json.NewEncoder(t.w).Encode(map[string]any{"timestamp": e.Timestamp, "stream": e.LogStreamName, "message": message})
	}
	_, err := fmt.Fprintf(t.w, "%s %s\n", dim(t.w, at), message)
	return err
}
