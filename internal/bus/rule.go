package bus

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/bus/pattern"
	"github.com/mayfly-cloud/mayfly/internal/schedule/expression"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Rule says which events of a bus go to which targets.
type Rule struct {
	Bus, Name, Description string
	Pattern, Schedule      string // one of them, or both
	State                  string
	RoleARN                string
	ManagedBy              string // the AWS service it belongs to, "" for the user's
	CreatedBy              string
	Created                time.Time
	Tags                   map[string]string
	Targets                []Target
}

// The states of a rule.
const (
	Enabled           = "ENABLED"
	Disabled          = "DISABLED"
	enabledCloudTrail = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)

// maxRules is how many rules a bus can have.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html has 300, adjustable.
const maxRules = 100000

func (r *Rule) enabled() bool { return r.State == Enabled || r.State == enabledCloudTrail }

// PutRule makes a rule, or replaces all but the targets and tags of one there is. A rule
// that belongs to a service (ManagedBy) comes with its targets, and only that service
// can put it again.
func (s *Service) PutRule(ctx context.Context, busRef string, r Rule, tags []Tag) (*Rule, error) {
	bus, err := s.bus(busRef)
	if err != nil {
		return nil, err
	}
	if err := s.checkRule(bus, &r); err != nil {
		return nil, err
	}
	newTags, err := mergeTags(nil, tags)
	if err != nil {
		return nil, err
	}
	return s.changeRule(ctx, bus, r.Name, func(_ store.Tx, have *Rule) (*Rule, error) {
		put := r
		put.Bus, put.CreatedBy, put.Created, put.Tags = bus, s.cfg.Account, s.now(), newTags
		if put.ManagedBy == "" {
			put.Targets = nil
		}
		if have != nil {
			if have.ManagedBy != put.ManagedBy {
				return nil, errManaged
			}
			put.Created, put.Tags = have.Created, have.Tags
			if put.ManagedBy == "" {
				put.Targets = have.Targets
			}
		}
		return &put, nil
	})
}

func (s *Service) checkRule(bus string, r *Rule) error {
	if err := ruleName.check(r.Name); err != nil {
		return err
	}
	if err := checkDescription(r.Description); err != nil {
		return err
	}
	switch r.State {
	case "":
		r.State = Enabled
	case Enabled, Disabled, enabledCloudTrail:
	default:
		return violates(clip(r.State), "state", "Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]")
	}
	if r.Pattern == "" && r.Schedule == "" {
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if r.Schedule != "" {
		if bus != defaultBus {
			return invalid("ScheduleExpression is supported only on the default event bus.")
		}
		if _, err := expression.Parse(r.Schedule, expression.Rules); err != nil {
			return invalid("Parameter ScheduleExpression is not valid.")
		}
	}
	if r.Pattern != "" {
		if _, err := pattern.Parse([]byte(r.Pattern), pattern.EventBridge); err != nil {
			return badPattern(err)
		}
	}
	return nil
}

// changeRule alters, makes or (by nil) deletes a rule in one transaction, and the index
// after it. fn gets nil where there is none.
func (s *Service) changeRule(ctx context.Context, bus, name string, fn func(store.Tx, *Rule) (*Rule, error)) (r *Rule, err error) {
	s.changes.Lock()
	defer s.changes.Unlock()
	var changes uint64
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := s.loadBus(tx, bus); err != nil {
			return err
		}
		have, err := load[Rule](tx, ruleKey(bus, name), errNone)
		if err != nil && err != errNone {
			return err
		}
		if r, err = fn(tx, have); err != nil {
			return err
		}
		if r == nil {
			err = tx.Delete(ruleKey(bus, name))
		} else {
			err = save(tx, ruleKey(bus, name), r)
		}
		changes, err = next(tx, bus, one(r)-one(have), err)
		return err
	})
	if err == nil {
		s.indexes.follow(bus, changes, func(x *index) { x.setRule(name, r) })
	}
	return r, err
}

func one(r *Rule) int {
	if r == nil {
		return 0
	}
	return 1
}

// Generation counts the changes of a bus's rules and archives, and its rules.
type Generation struct {
	Changes uint64
	Rules   int
}

// next counts a change of a bus that makes it have so many rules more.
func next(tx store.Tx, bus string, more int, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	g, err := generation(tx, bus)
	if err != nil {
		return 0, err
	}
	g.Changes++
	if g.Rules += more; more > 0 && g.Rules > maxRules {
		return 0, overLimit("The requested resource exceeds the maximum number allowed.")
	}
	return g.Changes, save(tx, generationKey(bus), g)
}

func generation(r store.Reader, bus string) (*Generation, error) {
	g, err := load[Generation](r, generationKey(bus), errNone)
	if err == errNone {
		return &Generation{}, nil
	}
	return g, err
}

// Rule gives a rule.
func (s *Service) Rule(ctx context.Context, busRef, name string) (r *Rule, err error) {
	bus, err := s.bus(busRef)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.View(ctx, func(rd store.Reader) error {
		r, err = load[Rule](rd, ruleKey(bus, name), errNone)
		if err == errNone {
			if _, err := s.loadBus(rd, bus); err != nil {
				return err
			}
			return noRule(name, bus)
		}
		return err
	})
	return r, err
}

// SetState enables or disables a rule.
func (s *Service) SetState(ctx context.Context, busRef, name, state string) error {
	bus, err := s.bus(busRef)
	if err != nil {
		return err
	}
	_, err = s.changeRule(ctx, bus, name, func(_ store.Tx, r *Rule) (*Rule, error) {
		switch {
		case r == nil:
			return nil, noRule(name, bus)
		case r.ManagedBy != "":
			return nil, errManaged
		}
		r.State = state
		return r, nil
	})
	return err
}

// errUnchanged ends a transaction that has nothing to do.
var errUnchanged = errors.New("nothing to change")

// DeleteRule deletes a rule without targets; one that is not there is no fault, as with
// AWS. A managed one goes only by force.
func (s *Service) DeleteRule(ctx context.Context, busRef, name string, force bool) error {
	bus, err := s.bus(busRef)
	if err != nil {
		return err
	}
	_, err = s.changeRule(ctx, bus, name, func(_ store.Tx, r *Rule) (*Rule, error) {
		switch {
		case r == nil:
			return nil, errUnchanged
		case r.ManagedBy != "" && !force:
			return nil, errManaged
		case len(r.Targets) > 0:
			return nil, invalid("Rule can't be deleted since it has targets.")
		}
		return nil, nil
	})
	if err == errUnchanged {
		return nil
	}
	return err
}

// Rules lists the rules of a bus by name, and gives the token for more.
func (s *Service) Rules(ctx context.Context, busRef string, q Listing) ([]*Rule, string, error) {
	return s.rules(ctx, busRef, "ListRules", q, func(*Rule) bool { return true })
}

// RulesOf lists the rules of a bus that have a target.
func (s *Service) RulesOf(ctx context.Context, busRef, targetARN string, q Listing) ([]*Rule, string, error) {
	return s.rules(ctx, busRef, "ListRuleNamesByTarget "+targetARN, q, func(r *Rule) bool {
		for i := range r.Targets {
			if r.Targets[i].ARN == targetARN {
				return true
			}
		}
		return false
	})
}

func (s *Service) rules(ctx context.Context, busRef, operation string, q Listing, keep func(*Rule) bool) ([]*Rule, string, error) {
	bus, err := s.bus(busRef)
	if err != nil {
		return nil, "", err
	}
	if _, err := s.Bus(ctx, bus); err != nil {
		return nil, "", err
	}
	return walk[Rule]{
		operation + " " + bus, below("rule", bus), func(name string) []byte { return ruleKey(bus, name) },
		func(r *Rule) (string, bool) { return r.Name, keep(r) },
	}.list(ctx, s, q)
}

// TestPattern says whether a pattern matches an event, which must have what all events
// have.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
func TestPattern(text, event string) (bool, error) {
	p, err := pattern.Parse([]byte(text), pattern.EventBridge)
	if err != nil {
		return false, badPattern(err)
	}
	if err := checkEvent([]byte(event)); err != nil {
		return false, err
	}
	e, err := pattern.ReadEvent([]byte(event))
	if err != nil {
		return false, invalid("Parameter Event is not valid.")
	}
	return p.Match(e), nil
}
