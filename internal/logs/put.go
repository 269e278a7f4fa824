package logs

import (
	"context"
	"strconv"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Limits of one call that puts events.
const (
	maxPutEvents = 10_000
	maxPutBytes  = 1 << 20
	maxPutSpan   = 24 * time.Hour
	maxPutPast   = 14 * 24 * time.Hour
	maxPutFuture = 2 * time.Hour
)

// rejected says which events of a call were not stored: those before Expired or
// TooOld, and TooNew and those after it. -1 is none.
type rejected struct{ expired, tooOld, tooNew int }

// put stores events in a stream that is there.
func (s *Service) put(ctx context.Context, group, stream string, events []Event) (rejected, error) {
	no := rejected{-1, -1, -1}
	if err := checkStream(stream); err != nil {
		return no, err
	}
	if err := checkEvents(events); err != nil {
		return no, err
	}
	out := no
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		g, err := load[Group](tx, groupKey(group), errNoGroup)
		if err != nil {
			return err
		}
		st, err := load[Stream](tx, streamKey(group, stream), errNoStream)
		if err != nil {
			return err
		}
		var good []Event
		if good, out = g.accept(events, s.cfg.Clock.Now()); len(good) == 0 {
			return nil
		}
		if good[len(good)-1].Time.Sub(good[0].Time) > maxPutSpan {
			return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
		}
		return s.write(tx, group, st, good)
	})
	return out, err
}

// checkEvents checks what fails a whole call.
func checkEvents(events []Event) error {
	if len(events) == 0 || len(events) > maxPutEvents {
		return constraint(len(events), "logEvents", "Member must have length between 1 and 10000")
	}
	bytes := 0
	for i, e := range events {
		if e.Message == "" {
			return constraint("", "logEvents."+strconv.Itoa(i+1)+".member.message", "Member must have length greater than or equal to 1")
		}
		if e.Time.UnixMilli() < 0 {
			return constraint(e.Time.UnixMilli(), "logEvents."+strconv.Itoa(i+1)+".member.timestamp", "Member must have value greater than or equal to 0")
		}
		if i > 0 && e.Time.Before(events[i-1].Time) {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		bytes += len(e.Message) + overhead
	}
	if bytes > maxPutBytes {
		return invalid("Upload too large: %d bytes exceeds limit of %d", bytes, maxPutBytes)
	}
	return nil
}

// accept gives the events, which are in the order of time, that a group takes now.
func (g *Group) accept(events []Event, now time.Time) ([]Event, rejected) {
	out := rejected{-1, -1, -1}
	from, to := 0, len(events)
	for i, e := range events {
		switch {
		case g.Retention > 0 && e.Time.Before(now.AddDate(0, 0, -g.Retention)):
			out.expired, from = i+1, i+1
		case e.Time.Before(now.Add(-maxPutPast)):
			out.tooOld, from = i+1, i+1
		case e.Time.After(now.Add(maxPutFuture)) && out.tooNew < 0:
			out.tooNew, to = i, i
		}
	}
	return events[from:max(from, to)], out
}
