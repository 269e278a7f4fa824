package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// auditEvent is what the node answers of one event of the audit trail.
type auditEvent struct {
	ID        string    `json:"eventId"`
	RequestID string    `json:"requestId,omitempty"`
	Time      time.Time `json:"time"`
	Kind      string    `json:"kind"`
	Who       struct {
		Type        string `json:"type"`
		ID          string `json:"id,omitempty"`
		ARN         string `json:"arn,omitempty"`
		Account     string `json:"account,omitempty"`
		AccessKeyID string `json:"accessKeyId,omitempty"`
		Name        string `json:"name"`
		Issuer      *struct {
			Type    string `json:"type"`
			ID      string `json:"id,omitempty"`
			ARN     string `json:"arn"`
			Account string `json:"account"`
			Name    string `json:"name"`
		} `json:"issuer,omitempty"`
		Since    time.Time `json:"since,omitzero"`
		Function string    `json:"function,omitempty"`
	} `json:"who"`
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Region    string `json:"region"`
	SourceIP  string `json:"sourceIp,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	ReadOnly  bool   `json:"readOnly"`
	Resources []struct {
		ARN  string `json:"arn"`
		Type string `json:"type,omitempty"`
		Name string `json:"name"`
	} `json:"resources,omitempty"`
	ErrorCode    string      `json:"errorCode,omitempty"`
	ErrorMessage string      `json:"errorMessage,omitempty"`
	Refusal      *whyRefusal `json:"refusal,omitempty"`
}

// events asks for one page of the audit trail, the newest first.
func (c *client) events(ctx context.Context, q url.Values) (list []auditEvent, token string, err error) {
	var page struct {
		Events []auditEvent `json:"events"`
		Token  string       `json:"token"`
	}
	err = c.page(ctx, http.MethodGet, "audit?"+q.Encode(), nil, &page)
	return page.Events, page.Token, err
}

// auditFlags are what to look for.
type auditFlags struct {
	user, resource, function string
	denied, changes, follow  bool
	since                    time.Duration
	limit                    int
}

func newAudit(s *settings) *cobra.Command {
	a := &auditFlags{}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Print who did what, and who was refused it",
		Long: `Audit prints the account's audit trail, the latest events first: every change, every
read of what there is, and every refusal. Calls of functions and what they do with
the contents of things are not in it, unless they were refused.`,
		Example: `  mayfly audit
  mayfly audit --denied --since 1h
  mayfly audit --function hello-node
  mayfly audit -f --user hello-node    what that function asks for, as it does`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			q, err := a.query()
			if err != nil {
				return err
			}
			if a.follow {
				return (&auditTail{c: c, q: q, w: cmd.OutOrStdout(), json: s.json}).run(cmd.Context(), a.limit)
			}
			list, err := c.latest(cmd.Context(), q, a.limit)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), list)
			}
			if len(list) == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "nothing like it is in the audit trail")
				return nil
			}
			return printEvents(cmd.OutOrStdout(), list)
		},
	}
	f := cmd.Flags()
	f.StringVar(&a.user, "user", "", "only what this user, session or function did: a name or an ARN; a role by its ARN")
	f.StringVar(&a.resource, "resource", "", "only what was about this: a name or an ARN")
	f.StringVar(&a.function, "function", "", "only what was about this function")
	f.BoolVar(&a.denied, "denied", false, "only what was refused")
	f.BoolVar(&a.changes, "changes", false, "only what changed something")
	f.DurationVar(&a.since, "since", 0, "how far back (default: as far as the trail goes)")
	f.IntVarP(&a.limit, "limit", "n", 50, "how many events at most; with -f, how many that were before")
	f.BoolVarP(&a.follow, "follow", "f", false, "go on printing what comes, until interrupted")
	cmd.MarkFlagsMutuallyExclusive("denied", "changes")
	cmd.MarkFlagsMutuallyExclusive("resource", "function")
	return cmd
}

// query is what the flags mean to the node.
func (a *auditFlags) query() (url.Values, error) {
	if a.limit < 0 {
		return nil, hint(fmt.Errorf("-n %d is no number of events", a.limit), "Leave it out for 50.")
	}
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("user", a.user)
	set("resource", a.resource+a.function)
	if a.function != "" {
		q.Set("type", "AWS::Lambda::Function")
	}
	switch {
	case a.denied:
		q.Set("kind", "refusal")
	case a.changes:
		q.Set("kind", "change")
	}
	if a.since > 0 {
		q.Set("from", time.Now().Add(-a.since).UTC().Format(time.RFC3339))
	}
	return q, nil
}

// latest gives the newest events, at most limit of them.
func (c *client) latest(ctx context.Context, q url.Values, limit int) ([]auditEvent, error) {
	all := []auditEvent{}
	for token := ""; len(all) < limit; {
		q.Set("limit", fmt.Sprint(min(limit-len(all), 1000)))
		q.Set("token", token)
		list, next, err := c.events(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if token = next; token == "" {
			break
		}
	}
	return all, nil
}

func printEvents(w io.Writer, list []auditEvent) error {
	rows := make([][]string, len(list))
	for i := range list {
		rows[i] = list[i].row()
	}
	return printTable(w, []string{"TIME", "WHO", "DID", "ON", "FROM", "RESULT"}, rows)
}

// row is the event as a line of a table. A refusal shows what explains it.
func (e *auditEvent) row() []string {
	on := "-"
	if len(e.Resources) > 0 {
		on = e.Resources[0].Name
	}
	if n := len(e.Resources); n > 1 {
		on += fmt.Sprintf(" +%d", n-1)
	}
	result := "ok"
	switch {
	case e.Kind == "refusal":
		result = "denied: mayfly why-denied " + e.RequestID
	case e.ErrorCode != "":
		result = e.ErrorCode
	}
	from := e.SourceIP
	if from == "" {
		from = "-"
	}
	return []string{e.Time.UTC().Format("2006-01-02 15:04:05"), e.who(), e.Service + ":" + e.Operation, on, from, result}
}

// who says who it was, and by which role.
func (e *auditEvent) who() string {
	if e.Who.Issuer != nil && e.Who.Issuer.Name != e.Who.Name {
		return e.Who.Name + " (" + e.Who.Issuer.Name + ")"
	}
	return e.Who.Name
}

// auditTail prints events once each, the oldest first.
type auditTail struct {
	c    *client
	q    url.Values
	w    io.Writer
	json bool
	last time.Time       // of the newest printed
	seen map[string]bool // ids of those printed since a little before
}

func (t *auditTail) run(ctx context.Context, before int) error {
	list, err := t.c.latest(ctx, t.q, before)
	if t.last = time.Now(); err == nil {
		err = t.print(list)
	}
	for err == nil {
		select {
		case <-time.After(followEvery):
		case <-ctx.Done():
			return nil
		}
		// Events come a little out of order: each round looks back, and drops what it
		// has printed.
		t.q.Set("from", t.last.Add(-5*time.Second).UTC().Format(time.RFC3339Nano))
		if list, err = t.c.latest(ctx, t.q, 100_000); err == nil {
			err = t.print(list)
		}
	}
	if ctx.Err() != nil {
		return nil // interrupted: how following ends
	}
	return err
}

func (t *auditTail) print(list []auditEvent) error {
	seen := map[string]bool{}
	for _, e := range slices.Backward(list) {
		seen[e.ID] = true
		if t.seen[e.ID] {
			continue
		}
		if e.Time.After(t.last) {
			t.last = e.Time
		}
		var err error
		if t.json {
			err = json.NewEncoder(t.w).Encode(e)
		} else {
			r := e.row()
			_, err = fmt.Fprintf(t.w, "%s  %s\n", dim(t.w, r[0]), strings.Join(r[1:], "  "))
		}
		if err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	t.seen = seen
	return nil
}
