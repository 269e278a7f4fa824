package logs

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/logs/pattern"
	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Limits of one answer with events. A search that has looked at maxScan bytes
// gives what it has, and a token.
const (
	maxEvents = 10_000
	maxBytes  = 1 << 20
	maxScan   = 64 << 20
)

// getQuery says which events of one stream are read. Times are in ms; 0 and
// forever are no bounds.
type getQuery struct {
	from, to int64
	limit    int
	token    string
	fromHead bool
}

// events is a page of a stream, in the order of time, with the tokens for the
// pages after and before it.
type events struct {
	list              []entry
	forward, backward string
}

// get reads a page of a stream. A token decides the direction: f/ forward of a
// position, b/ backward of it.
func (s *Service) get(ctx context.Context, group, stream string, q getQuery) (out events, err error) {
	w := window{group: group, stream: stream, from: q.from, to: q.to, backward: !q.fromHead}
	if q.token != "" {
		if w.beyond, w.backward, err = parseToken(q.token); err != nil {
			return out, err
		}
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		out.list = nil
		g, err := load[Group](r, groupKey(group), errNoGroup)
		if err != nil {
			return err
		}
		if _, err := load[Stream](r, streamKey(group, stream), errNoStream); err != nil {
			return err
		}
		w.from = max(w.from, g.oldest(s))
		bytes := 0
		for e, err := range entries(r, w) {
			if err != nil {
				return err
			}
			bytes += len(e.message) + overhead
			if len(out.list) > 0 && (len(out.list) >= q.limit || bytes > maxBytes) {
				break
			}
			out.list = append(out.list, e)
		}
		return nil
	})
	if w.backward {
		slices.Reverse(out.list)
	}
	out.tokens(&w, q.token)
	return out, err
}

// tokens sets the tokens of a page. One that is empty gives its own token back in
// its direction, which is how callers know the end, and leads back in the other.
func (o *events) tokens(w *window, token string) {
	switch {
	case len(o.list) > 0:
		o.forward = "f/" + o.list[len(o.list)-1].at.String()
		o.backward = "b/" + o.list[0].at.String()
	case w.beyond == nil:
		at := position{time: max(0, w.from), n: -1}.String()
		o.forward, o.backward = "f/"+at, "b/"+at
	case w.backward:
		before := *w.beyond
		before.n--
		o.forward, o.backward = "f/"+before.String(), token
	default:
		after := *w.beyond
		after.n++
		o.forward, o.backward = token, "b/"+after.String()
	}
}

func parseToken(token string) (*position, bool, error) {
	direction, at, ok := strings.Cut(token, "/")
	if !ok || direction != "f" && direction != "b" {
		return nil, false, errToken
	}
	p, err := parsePosition(at)
	return &p, direction == "b", err
}

// oldest is the time in ms before which a group's events have expired.
func (g *Group) oldest(s *Service) int64 {
	if g.Retention == 0 {
		return 0
	}
	return s.cfg.Clock.Now().AddDate(0, 0, -g.Retention).UnixMilli()
}

// searchQuery says which events of a group are searched for.
type searchQuery struct {
	streams  []string // these only, if any
	prefix   string   // of streams
	from, to int64
	pattern  *pattern.Pattern
	limit    int
	token    string
	backward bool // newest first
}

func (q *searchQuery) wants(e *entry) bool {
	return (len(q.streams) == 0 || slices.Contains(q.streams, e.stream)) && strings.HasPrefix(e.stream, q.prefix) && q.pattern.Match(e.message)
}

// search gives the events of a group that match, in the order of time, and the
// token for more.
func (s *Service) search(ctx context.Context, group string, q searchQuery) (list []entry, token string, err error) {
	w := window{group: group, from: q.from, to: q.to, backward: q.backward}
	if len(q.streams) == 1 {
		w.stream = q.streams[0]
	}
	listing := "FilterLogEvents/" + group
	after, err := page.After(listing, q.token)
	if err == nil && after != "" {
		w.beyond, w.backward, err = parseToken(after)
	}
	if err != nil {
		return nil, "", errToken
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list, token = nil, ""
		g, err := load[Group](r, groupKey(group), errNoGroup)
		if err != nil {
			return err
		}
		if w.from = max(w.from, g.oldest(s)); w.stream != "" {
			if _, err := load[Stream](r, streamKey(group, w.stream), errNoStream); err != nil {
				return err
			}
		}
		var last position
		bytes, scanned := 0, 0
		for e, err := range entries(r, w) {
			if err != nil {
				return err
			}
			match := q.wants(&e)
			if n := len(e.message) + overhead; match {
				bytes += n
			}
			if scanned > 0 && (scanned > maxScan || len(list) >= q.limit || bytes > maxBytes) {
				token = page.Token(listing, direction(w.backward)+last.String())
				return ctx.Err()
			}
			if match {
				list = append(list, e)
			}
			last = e.at
			scanned += len(e.message) + overhead
		}
		return nil
	})
	return list, token, err
}

func direction(backward bool) string {
	if backward {
		return "b/"
	}
	return "f/"
}

// forever is a time in ms after all events.
const forever = math.MaxInt64 - chunkSpan
