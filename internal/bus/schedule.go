package bus

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Scheduled is a rule that is due at times of its own. Its expression is one of
// schedule/expression's Rules dialect, in UTC; rates count from Created.
type Scheduled struct {
	Name, Expression string
	Created          time.Time
}

// Schedules lists the enabled rules that have a schedule.
func (s *Service) Schedules(ctx context.Context) (list []Scheduled, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		for rule, err := range scan[Rule](r, below("rule", defaultBus)) {
			if err != nil {
				return err
			}
			if rule.Schedule != "" && rule.enabled() {
				list = append(list, Scheduled{rule.Name, rule.Schedule, rule.Created})
			}
		}
		return nil
	})
	return list, err
}

// WatchSchedules receives after rules of the default bus have changed.
func (s *Service) WatchSchedules() (changed <-chan struct{}, stop func()) {
	return s.cfg.Store.Watch(generationKey(defaultBus))
}

// Fire makes the event of a rule that is due, for the rule's targets, in the transaction
// of whoever keeps when it was: then nothing is fired twice. A rule that is gone or
// disabled fires nothing.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
func (s *Service) Fire(ctx context.Context, tx store.Tx, name string, at time.Time) error {
	r, err := load[Rule](tx, ruleKey(defaultBus, name), errNone)
	if err == errNone || err == nil && (!r.enabled() || r.Schedule == "") {
		return nil
	}
	if err != nil {
		return err
	}
	e := Event{
		ID: id.UUID(), DetailType: "Scheduled Event", Source: "aws.events", Account: s.cfg.Account, Time: at.UTC().Truncate(time.Second),
		Region: s.cfg.Region, Resources: []string{s.ruleARN(defaultBus, name)}, Detail: json.RawMessage("{}"),
	}
	return s.keep(ctx, tx, outcome{deliveries: s.deliveries(activate(r), arrival{json: e.JSON(), id: e.ID, at: e.Time})})
}
