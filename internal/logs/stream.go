package logs

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Stream is a log stream: what one environment of a function writes. Times are in
// ms since 1970; all but Created are 0 while it is empty.
type Stream struct {
	Name                string
	Created, First      int64
	Last, LastIngestion int64
}

// createStream makes a stream in a group.
func (s *Service) createStream(ctx context.Context, group, name string) error {
	if err := checkStream(name); err != nil {
		return err
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := load[Group](tx, groupKey(group), errNoGroup); err != nil {
			return err
		}
		if _, err := tx.Get(streamKey(group, name)); err == nil {
			return errStreamExists
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return save(tx, streamKey(group, name), &Stream{Name: name, Created: s.now()})
	})
}

// deleteStream removes a stream and its events, some at a time; it is there until
// the last are gone.
func (s *Service) deleteStream(ctx context.Context, group, name string) error {
	for {
		more, err := s.expire(ctx, group, name, 1<<62)
		if err != nil || !more {
			return err
		}
	}
}

// expire removes events of chunks that begin before a time, some at a time, and
// the stream itself once it is empty and was last written to before then. It says
// whether there is more to remove.
func (s *Service) expire(ctx context.Context, group, name string, before int64) (more bool, err error) {
	const batch = 1000
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		more = false
		if _, err := load[Group](tx, groupKey(group), errNoGroup); err != nil {
			return err
		}
		st, err := load[Stream](tx, streamKey(group, name), errNoStream)
		if err != nil {
			return err
		}
		var gone []position
		var bytes int64
		empty := true
		for x, err := range index(tx, group, name, store.Range{Limit: batch + 1}) {
			if err != nil {
				return err
			}
			if x.at.time >= before || len(gone) == batch {
				empty, more = false, x.at.time < before
				break
			}
			gone, bytes = append(gone, x.at), bytes+x.bytes
		}
		for _, at := range gone {
			if err := errors.Join(tx.Delete(chunkKey(group, at)), tx.Delete(indexKey(group, name, at))); err != nil {
				return err
			}
		}
		if err := grow(tx, group, -bytes); err != nil {
			return err
		}
		if empty && max(st.Created, st.LastIngestion) < before {
			return tx.Delete(streamKey(group, name))
		}
		return nil
	})
	return more, err
}

// grow adds to the bytes a group is said to hold.
func grow(tx store.Tx, group string, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	n, err := load[size](tx, sizeKey(group), nil)
	if errors.Is(err, store.ErrNotFound) {
		n, err = new(size), nil
	}
	if err != nil {
		return err
	}
	n.Bytes = max(0, n.Bytes+bytes)
	return save(tx, sizeKey(group), n)
}

// streamQuery says which streams of a group are listed.
type streamQuery struct {
	prefix             string
	byTime, descending bool
	limit              int
	token              string
}

// listStreams gives streams by name or by the time of their last event, and the
// token for more.
func (s *Service) listStreams(ctx context.Context, group string, q streamQuery) (list []Stream, token string, err error) {
	if q.byTime && q.prefix != "" {
		return nil, "", invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	listing := "DescribeLogStreams/" + group
	after, err := page.After(listing, q.token)
	if err != nil {
		return nil, "", errToken
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := load[Group](r, groupKey(group), errNoGroup); err != nil {
			return err
		}
		if q.byTime {
			list, err = streamsByTime(r, group, q, after)
		} else {
			list, err = streamsByName(r, group, q, after)
		}
		return err
	})
	if err == nil && len(list) > q.limit {
		list = list[:q.limit]
		token = page.Token(listing, list[q.limit-1].Name)
	}
	return list, token, err
}

// streamsByName gives one more than the limit, if there are.
func streamsByName(r store.Reader, group string, q streamQuery, after string) ([]Stream, error) {
	rng := store.Prefix(below("stream", group))
	if q.prefix != "" {
		rng = store.Prefix(beginning("stream", group, q.prefix))
	}
	rng.Reverse, rng.Limit = q.descending, q.limit+1
	if after != "" && q.descending {
		rng.End = streamKey(group, after)
	} else if after != "" {
		rng.Start = append(streamKey(group, after), 0)
	}
	return scanStreams(r, rng)
}

// streamsByTime sorts all streams: a token names the last one given, which is
// found again by its place.
func streamsByTime(r store.Reader, group string, q streamQuery, after string) ([]Stream, error) {
	list, err := scanStreams(r, store.Prefix(below("stream", group)))
	slices.SortFunc(list, func(a, b Stream) int {
		if q.descending {
			a, b = b, a
		}
		return cmp.Or(cmp.Compare(a.Last, b.Last), cmp.Compare(a.Name, b.Name))
	})
	if i := slices.IndexFunc(list, func(st Stream) bool { return st.Name == after }); after != "" {
		list = list[i+1:]
	}
	return list, err
}

func scanStreams(r store.Reader, rng store.Range) ([]Stream, error) {
	var list []Stream
	for p, err := range r.Scan(rng) {
		if err != nil {
			return nil, err
		}
		var st Stream
		if err := record.Unmarshal(p.Value, &st); err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	return list, nil
}
