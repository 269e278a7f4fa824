package logs

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// sweepEvery is how often what has expired is removed.
const sweepEvery = time.Hour

func (s *Service) sweepRegularly(ctx context.Context) error {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.cfg.Log.Warn("removing expired log events failed; it will be tried again", "err", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Sweep removes the events that have expired, and the streams that have nothing
// left and were not written to since. Run calls it every hour.
func (s *Service) Sweep(ctx context.Context) error {
	var errs []error
	for q := (groupQuery{limit: 50}); ; {
		groups, token, err := s.listGroups(ctx, q)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, g := range groups {
			if g.Retention > 0 {
				errs = append(errs, s.sweepGroup(ctx, &g.Group))
			}
		}
		if q.token = token; token == "" {
			return errors.Join(errs...)
		}
	}
}

func (s *Service) sweepGroup(ctx context.Context, g *Group) error {
	before := g.oldest(s) - chunkSpan // no later event is in a chunk that begins before
	for q := (streamQuery{limit: 1000}); ; {
		streams, token, err := s.listStreams(ctx, g.Name, q)
		if err != nil {
			return ignoreGone(err)
		}
		for _, st := range streams {
			if st.First >= before && st.First != 0 || st.First == 0 && st.Created >= before {
				continue
			}
			for more := true; more; {
				if more, err = s.expire(ctx, g.Name, st.Name, before); ignoreGone(err) != nil {
					return err
				}
			}
		}
		if q.token = token; token == "" {
			return nil
		}
	}
}

// ignoreGone passes over what was deleted meanwhile.
func ignoreGone(err error) error {
	if fault.Is(err, errNoGroup.Code) {
		return nil
	}
	return err
}
