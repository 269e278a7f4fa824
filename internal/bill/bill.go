package bill

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Group says what a bill has lines for; none of it is one line for all.
type Group struct{ Day, Function, Version bool }

// Line is what was used of one kind, and its cost.
type Line struct {
	Day          string `json:"day,omitempty"` // 2026-05-04, in UTC
	Account      string `json:"account,omitempty"`
	Function     string `json:"function,omitempty"` // ARN
	Version      string `json:"version,omitempty"`
	Architecture string `json:"architecture,omitempty"`

	Invocations int64     `json:"invocations"`
	ColdStarts  int64     `json:"coldStarts"`
	Errors      int64     `json:"errors"`
	BilledMs    int64     `json:"billedMs"`
	GBSeconds   GBSeconds `json:"gbSeconds"`
	TmpSeconds  GBSeconds `json:"tmpGbSeconds"` // of /tmp beyond 512 MiB
	Cost        Cost      `json:"cost"`
}

// GBSeconds counts MiB x milliseconds, and is printed in GB-seconds.
type GBSeconds int64

// MarshalText gives GB-seconds with six decimals.
func (g GBSeconds) MarshalText() ([]byte, error) {
	whole, rest := int64(g)/gbSecond, int64(g)%gbSecond
	return fmt.Appendf(nil, "%d.%06d", whole, rest*1_000_000/gbSecond), nil
}

// Bill adds up the days from the one of from to before the one of to, as lines
// grouped as by says, in the order of their columns. Invocations that were only
// recorded by Record some 100 ms ago may not be in it yet.
func (m *Meter) Bill(ctx context.Context, from, to time.Time, by Group) ([]Line, error) {
	first, end := dayOf(from), dayOf(to)
	sums := map[cell]sum{}
	err := m.cfg.Store.View(ctx, func(r store.Reader) error {
		clear(sums)
		for p, err := range r.Scan(days("sum", first, end)) {
			if err != nil {
				return err
			}
			c, err := parseCell(p.Key)
			if err != nil {
				return err
			}
			var s sum
			if err := record.Unmarshal(p.Value, &s); err != nil {
				return err
			}
			sums[c] = s
		}
		fresh, err := unsummed(r, days("new", first, end))
		for _, n := range fresh {
			s := sums[n.cell(&n.use)]
			s.add(n.use.sum())
			sums[n.cell(&n.use)] = s
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the bill: %w", err)
	}
	return lines(sums, by), nil
}

// lines groups sums. Each sum's cost is rounded by itself, so that every grouping
// has the same total.
func lines(sums map[cell]sum, by Group) []Line {
	grouped := map[Line]Line{}
	for c, s := range sums {
		var head Line
		if by.Day {
			head.Day = date(c.day)
		}
		if by.Function || by.Version {
			head.Account, head.Function = c.account, c.function
		}
		if by.Version {
			head.Version, head.Architecture = c.version, c.architecture
		}
		l, ok := grouped[head]
		if !ok {
			l = head
		}
		l.add(s, s.cost(c.architecture))
		grouped[head] = l
	}
	return slices.SortedFunc(maps.Values(grouped), func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Function, b.Function),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.Architecture, b.Architecture))
	})
}

func (l *Line) add(s sum, c Cost) {
	l.Invocations += s.Invocations
	l.ColdStarts += s.ColdStarts
	l.Errors += s.Errors
	l.BilledMs += s.Billed
	l.GBSeconds += GBSeconds(s.Memory)
	l.TmpSeconds += GBSeconds(s.Tmp)
	l.Cost.add(c)
}

// Total adds up lines.
func Total(lines []Line) Line {
	var t Line
	for _, l := range lines {
		t.add(sum{l.Invocations, l.ColdStarts, l.Errors, l.BilledMs, int64(l.GBSeconds), int64(l.TmpSeconds)}, l.Cost)
	}
	return t
}

// Invocation is one entry of what a line is made of.
type Invocation struct {
	RequestID    string    `json:"requestId"`
	Attempt      int       `json:"attempt,omitempty"`
	Version      string    `json:"version"`
	Architecture string    `json:"architecture"`
	At           time.Time `json:"at"`
	BilledMs     int64     `json:"billedMs"`
	MemoryMiB    int       `json:"memoryMiB"`
	TmpMiB       int       `json:"tmpMiB,omitempty"`
	Cold         bool      `json:"cold,omitempty"`
	Failed       bool      `json:"failed,omitempty"`
}

// Invocations gives a function's invocations of one day, by request id, at most
// limit of them, and the token for more. They are kept for a week. The error wraps
// page.ErrInvalid for a token of another listing.
func (m *Meter) Invocations(ctx context.Context, function string, day time.Time, limit int, token string) (list []Invocation, next string, err error) {
	d := dayOf(day)
	listing := "invocations/" + date(d) + "/" + function
	after, err := page.After(listing, token)
	if err != nil {
		return nil, "", err
	}
	rng := store.Prefix(store.Key(room, "use", d, function))
	if after != "" {
		rng.Start = append([]byte(after), 0)
	}
	rng.Limit = limit + 1
	err = m.cfg.Store.View(ctx, func(r store.Reader) error {
		list, next = nil, ""
		last := ""
		for p, err := range r.Scan(rng) {
			if err != nil {
				return err
			}
			if len(list) == limit {
				next = page.Token(listing, last)
				return nil
			}
			c, err := parseCall(p.Key)
			if err != nil {
				return err
			}
			var u use
			if err := record.Unmarshal(p.Value, &u); err != nil {
				return err
			}
			list = append(list, u.shown(c))
			last = string(p.Key)
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read invocations: %w", err)
	}
	return list, next, nil
}

func (u *use) shown(c call) Invocation {
	return Invocation{
		RequestID: c.request, Attempt: int(c.attempt), Version: u.Version, Architecture: u.Architecture, At: time.UnixMilli(u.At).UTC(),
		BilledMs: u.Billed, MemoryMiB: u.MemoryMiB, TmpMiB: u.TmpMiB, Cold: u.Cold, Failed: u.Failed,
	}
}
