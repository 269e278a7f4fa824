package logs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/logs/pattern"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Bounds of one live tail, which are AWS's.
const (
	tailEvery   = time.Second
	tailEvents  = 500 // in one update; more are left out
	tailSession = 3 * time.Hour
	tailWindow  = 60 * 1000 // ms: an event that comes later than this is not shown
)

// tailQuery says what a live tail shows.
type tailQuery struct {
	groups, streams, prefixes []string
	pattern                   *pattern.Pattern
}

func (q *tailQuery) wants(e *entry) bool {
	if len(q.streams)+len(q.prefixes) > 0 && !slices.Contains(q.streams, e.stream) &&
		!slices.ContainsFunc(q.prefixes, func(p string) bool { return strings.HasPrefix(e.stream, p) }) {
		return false
	}
	return q.pattern.Match(e.message)
}

// shown is an event of a live tail.
type shown struct {
	entry
	group string
}

// tailed is what a live tail has shown, or will not: the chunks that were there when it
// began, with the time of their first event.
type tailed struct {
	began int64
	seen  map[uint64]int64
}

// beginTail takes note of what is there. What comes later is shown.
func (s *Service) beginTail(ctx context.Context, q tailQuery) (*tailed, error) {
	t := &tailed{began: s.now(), seen: map[uint64]int64{}}
	_, _, err := s.fresh(ctx, q, t)
	return t, err
}

// tail calls send every second with what has been stored since, until ctx ends,
// three hours have passed or send fails. sampled says that events were left out.
func (s *Service) tail(ctx context.Context, q tailQuery, t *tailed, send func(list []shown, sampled bool) error) error {
	ctx, cancel := context.WithTimeout(ctx, tailSession)
	defer cancel()
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		list, sampled, err := s.fresh(ctx, q, t)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := send(list, sampled); err != nil {
			return err
		}
	}
}

// fresh gives the wanted events of the chunks that are not seen, and adds these.
func (s *Service) fresh(ctx context.Context, q tailQuery, t *tailed) (list []shown, sampled bool, err error) {
	from := max(0, s.now()-tailWindow)
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		for _, group := range q.groups {
			if _, err := load[Group](r, groupKey(group), errNoGroup); err != nil {
				return err
			}
			w := window{group: group, from: from, to: forever}
			for c, err := range chunks(r, w) {
				if err != nil {
					return err
				}
				if _, ok := t.seen[c.at.seq]; ok {
					continue
				}
				t.seen[c.at.seq] = c.at.time
				if c.Ingested < t.began {
					continue
				}
				for _, e := range w.add(nil, c) {
					if q.wants(&e) && len(list) < tailEvents {
						list = append(list, shown{e, group})
					} else if len(list) == tailEvents {
						sampled = true
					}
				}
			}
		}
		return nil
	})
	for seq, first := range t.seen {
		if first < from-chunkSpan {
			delete(t.seen, seq)
		}
	}
	slices.SortStableFunc(list, func(a, b shown) int { return a.at.compare(b.at) })
	return list, sampled, err
}
