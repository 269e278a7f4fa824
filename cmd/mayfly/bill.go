package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

func newBill(s *settings) *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use:   "bill",
		Short: "Add up what was used, by function and by day",
		Long: `Bill adds up every metered invocation by function and day (UTC):

  cost = invocations x price of a request + billed seconds x memory x price of a GB-second`,
		Example: "  mayfly bill\n  mayfly bill --days 30 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			b, err := c.bill(cmd, days)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), b)
			}
			return b.print(cmd)
		},
	}
	cmd.Flags().IntVar(&days, "days", 7, "how many days, today included")
	return cmd
}

func (c *client) bill(cmd *cobra.Command, days int) (*bill, error) {
	q := url.Values{"from": {time.Now().UTC().AddDate(0, 0, 1-days).Format(time.DateOnly)}}
	b := &bill{}
	if err := c.page(cmd.Context(), http.MethodGet, "bill?"+q.Encode(), nil, b); err != nil {
		return nil, err
	}
	return b, nil
}

var _ = fmt.Sprint
