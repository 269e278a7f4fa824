package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
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
			b, err := c.bill(cmd.Context(), days)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), b)
			}
			return b.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().IntVar(&days, "days", 7, "how many days, today included")
	return cmd
}

// bill is the node's answer.
type bill struct {
	From   string            `json:"from"`
	To     string            `json:"to"`
	Lines  []billLine        `json:"lines"`
	Total  billLine          `json:"total"`
	Prices map[string]string `json:"prices"`
}

// billLine is what a function used on a day; amounts are decimal dollars.
type billLine struct {
	Day         string `json:"day,omitempty"`
	Function    string `json:"function,omitempty"`
	Invocations int64  `json:"invocations"`
	ColdStarts  int64  `json:"coldStarts"`
	Errors      int64  `json:"errors"`
	BilledMs    int64  `json:"billedMs"`
	GBSeconds   string `json:"gbSeconds"`
	Cost        struct {
		Total string `json:"total"`
	} `json:"cost"`
}

func (c *client) bill(ctx context.Context, days int) (*bill, error) {
	q := url.Values{"from": {time.Now().UTC().AddDate(0, 0, 1-days).Format(time.DateOnly)}}
	b := &bill{}
	if err := c.page(ctx, http.MethodGet, "bill?"+q.Encode(), nil, b); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *bill) print(w io.Writer) error {
	var rows [][]string
	for _, l := range append(b.Lines, b.Total) {
		name := l.Function[strings.LastIndex(l.Function, ":")+1:]
		if l.Function == "" {
			name = "total"
		}
		rows = append(rows, []string{l.Day, name, fmt.Sprint(l.Invocations), fmt.Sprint(l.ColdStarts), fmt.Sprint(l.Errors),
			fmt.Sprintf("%d ms", l.BilledMs), l.GBSeconds, "$" + l.Cost.Total})
	}
	return printTable(w, []string{"DAY", "FUNCTION", "CALLS", "COLD", "ERRORS", "BILLED", "GB-SECONDS", "COST"}, rows)
}
