package bus

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/bus/input"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Target is where a rule's events go.
type Target struct {
	ID, ARN, RoleARN string
	// Input is sent instead of the event, InputPath is the part of it that is, and
	// Template is filled with parts of it: at most one is set.
	Input, InputPath string
	Template         string
	Paths            map[string]string
	Group            string // message group of a FIFO queue or topic
	HTTP             *HTTPParameters
	DeadLetter       string // ARN of a queue
	MaxAttempts      *int   // retries; nil for 185
	MaxAge           *int   // seconds; nil for a day
}

// HTTPParameters are added to a request to an API destination. Values may be paths into
// the event.
type HTTPParameters struct {
	PathValues    []string
	Header, Query map[string]string
}

// Limits of targets.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const (
	maxTargets     = 5
	maxTargetsCall = 10
	maxARN         = 1600
	maxInput       = 8192
	maxAttempts    = 185
	minAge, maxAge = 60, 86400
)

// PutTargets adds targets to a rule, in place of those with the same ids.
func (s *Service) PutTargets(ctx context.Context, busRef, rule string, targets []Target) error {
	bus, err := s.bus(busRef)
	if err != nil {
		return err
	}
	if len(targets) == 0 || len(targets) > maxTargetsCall {
		return violates(len(targets), "targets", "Member must have length between 1 and 10")
	}
	for i := range targets {
		if err := s.checkTarget(&targets[i]); err != nil {
			return err
		}
	}
	_, err = s.changeRule(ctx, bus, rule, func(_ store.Tx, r *Rule) (*Rule, error) {
		switch {
		case r == nil:
			return nil, noRule(rule, bus)
		case r.ManagedBy != "":
			return nil, errManaged
		}
		for _, t := range targets {
			r.Targets = append(slices.DeleteFunc(r.Targets, func(h Target) bool { return h.ID == t.ID }), t)
		}
		if len(r.Targets) > maxTargets {
			return nil, overLimit("The requested resource exceeds the maximum number allowed.")
		}
		return r, nil
	})
	return err
}

// checkTarget refuses what could not be delivered.
func (s *Service) checkTarget(t *Target) error {
	if err := targetID.check(t.ID); err != nil {
		return err
	}
	a, err := arn.Parse(t.ARN)
	if err != nil || len(t.ARN) > maxARN {
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", clip(t.ARN))
	}
	switch {
	case a.Service == "events" && strings.HasPrefix(a.Resource, "event-bus/"):
		if _, ok := s.own(t.ARN, "event-bus/"); !ok {
			return unsupported("An event bus of another account or region as a target")
		}
	case a.Service == "events" && strings.HasPrefix(a.Resource, "api-destination/"):
		if _, ok := s.own(t.ARN, "api-destination/"); !ok {
			return unsupported("An API destination of another account or region as a target")
		}
	default:
		if err := s.cfg.Targets.Check(t.ARN); err != nil {
			return invalid("Parameter %s is not valid. Reason: %v", clip(t.ARN), err)
		}
		if a.Service == "sqs" && strings.HasSuffix(a.Resource, ".fifo") && t.Group == "" {
			return invalid("Parameter(s) SqsParameters must be specified for target: %s.", t.ID)
		}
	}
	if err := checkDelivery(t); err != nil {
		return err
	}
	return checkInput(t)
}

func checkDelivery(t *Target) error {
	if n := t.MaxAttempts; n != nil && (*n < 0 || *n > maxAttempts) {
		return violates(*n, "maximumRetryAttempts", "Member must have a value between 0 and 185")
	}
	if n := t.MaxAge; n != nil && (*n < minAge || *n > maxAge) {
		return violates(*n, "maximumEventAgeInSeconds", "Member must have a value between 60 and 86400")
	}
	if t.DeadLetter == "" {
		return nil
	}
	if a, err := arn.Parse(t.DeadLetter); err != nil || a.Service != "sqs" || strings.HasSuffix(a.Resource, ".fifo") {
		return invalid("Parameter DeadLetterConfig is not valid for target %s. Reason: it must be the ARN of a standard queue.", t.ID)
	}
	return nil
}

func checkInput(t *Target) error {
	given := 0
	for _, in := range []string{t.Input, t.InputPath, t.Template} {
		if in != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", t.ID)
	case len(t.Input) > maxInput:
		return violates(clip(t.Input), "input", "Member must have length less than or equal to 8192")
	case t.Input != "" && !json.Valid([]byte(t.Input)):
		return invalid("JSON syntax error in input for target %s.", t.ID)
	}
	_, err := prepare(t)
	return err
}

// prepared is a target whose input is ready to be made.
type prepared struct {
	*Target
	path     *input.Path
	template *input.Template
}

func prepare(t *Target) (p prepared, err error) {
	p.Target = t
	switch {
	case t.InputPath != "":
		if p.path, err = input.ParsePath(t.InputPath); err != nil {
			return p, invalid("Parameter InputPath is not valid for target %s.", t.ID)
		}
	case t.Template != "":
		p.template, err = input.ParseTemplate(t.Template, t.Paths)
		var unknown *input.PlaceholderError
		switch {
		case errors.As(err, &unknown):
			return p, invalid("InputTemplate for target %s contains invalid placeholder %s.", t.ID, clip(unknown.Name))
		case err != nil:
			return p, invalid("Invalid InputTemplate for target %s : %v", t.ID, err)
		}
	}
	return p, nil
}

// payload is what a target is sent for an event. A path that leads nowhere gives null.
func (p *prepared) payload(event []byte, v input.Variables) []byte {
	switch {
	case p.Input != "":
		return []byte(p.Input)
	case p.path != nil:
		if found, ok := p.path.Find(event); ok {
			return found
		}
		return []byte("null")
	case p.template != nil:
		return p.template.Fill(event, v)
	}
	return event
}

// RemoveTargets takes targets from a rule, and gives for those that were not there why not.
func (s *Service) RemoveTargets(ctx context.Context, busRef, rule string, ids []string, force bool) (failed map[string]*fault.Error, err error) {
	bus, err := s.bus(busRef)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > 100 {
		return nil, violates(len(ids), "ids", "Member must have length between 1 and 100")
	}
	_, err = s.changeRule(ctx, bus, rule, func(_ store.Tx, r *Rule) (*Rule, error) {
		failed = map[string]*fault.Error{}
		switch {
		case r == nil:
			return nil, noRule(rule, bus)
		case r.ManagedBy != "" && !force:
			return nil, errManaged
		}
		for _, id := range ids {
			n := len(r.Targets)
			if r.Targets = slices.DeleteFunc(r.Targets, func(t Target) bool { return t.ID == id }); len(r.Targets) == n {
				failed[id] = notFound("Rule %s does not have target %s.", rule, clip(id))
			}
		}
		return r, nil
	})
	return failed, err
}
