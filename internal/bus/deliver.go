package bus

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// Delivery is an event on its way to one target. It has all that is needed, so that
// changing or deleting the rule does not touch it.
type Delivery struct {
	ID, EventID string
	RuleARN     string
	Target      Target
	Payload     []byte
	Event       []byte // the whole event, if the payload is not it and a dead-letter queue wants it
	Trace       string
	Created     time.Time
	Hops        int // from bus to bus
}

// Attempts is how often a delivery is tried at most, the first time included.
func (d *Delivery) Attempts() int {
	if d.Target.MaxAttempts == nil {
		return maxAttempts + 1
	}
	return *d.Target.MaxAttempts + 1
}

// Expires is when a delivery is no longer tried.
func (d *Delivery) Expires() time.Time {
	age := maxAge
	if d.Target.MaxAge != nil {
		age = *d.Target.MaxAge
	}
	return d.Created.Add(time.Duration(age) * time.Second)
}

// DeliveryError says why an attempt failed.
type DeliveryError struct {
	Code, Message string
	// Permanent says that no further attempt would succeed.
	Permanent bool
	// After is how long to wait before the next attempt at least; zero leaves it to
	// whoever tries again.
	After time.Duration
}

// Error gives code and message.
func (e *DeliveryError) Error() string { return e.Code + ": " + e.Message }

// Permanent says whether an error of Deliver is for good: then the delivery is
// undeliverable at once. A target that is not there or may not be used is; what is busy or
// fails is not.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
func Permanent(err error) bool {
	var e *DeliveryError
	if errors.As(err, &e) {
		return e.Permanent
	}
	var f *fault.Error
	return errors.As(err, &f) && f.Status >= 400 && f.Status < 500 && f.Status != http.StatusTooManyRequests && f.Status != http.StatusRequestTimeout
}

// maxHops is how often an event is forwarded, which ends circles.
const maxHops = 16

// Deliver tries a delivery once. It may come more than once after a crash, with the same
// delivery.
func (s *Service) Deliver(ctx context.Context, d Delivery) error {
	if bus, ok := s.own(d.Target.ARN, "event-bus/"); ok {
		return s.forward(ctx, bus, d)
	}
	if rest, ok := s.own(d.Target.ARN, "api-destination/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return s.send(ctx, name, d)
	}
	return s.cfg.Targets.Deliver(ctx, Call{
		ARN: d.Target.ARN, Payload: d.Payload, RoleARN: d.Target.RoleARN, RuleARN: d.RuleARN,
		MessageGroupID: d.Target.Group, EventID: d.EventID, Trace: d.Trace,
	})
}

// forward puts an event on another bus.
func (s *Service) forward(ctx context.Context, bus string, d Delivery) error {
	if d.Hops >= maxHops {
		return &DeliveryError{Code: "TooManyHops", Message: "the event has been forwarded from bus to bus 16 times", Permanent: true}
	}
	var e struct {
		ID   string
		Time time.Time
	}
	if err := checkEvent(d.Payload); err != nil {
		return &DeliveryError{Code: "InvalidEvent", Message: fault.As(err).Message, Permanent: true}
	}
	if err := json.Unmarshal(d.Payload, &e); err != nil || e.ID == "" {
		return &DeliveryError{Code: "InvalidEvent", Message: "an event bus only takes events", Permanent: true}
	}
	x, err := s.index(ctx, bus)
	if err != nil {
		return err
	}
	if x == nil {
		return noBus(bus)
	}
	return s.commit(ctx, s.route(x, arrival{json: d.Payload, id: e.ID, at: e.Time, trace: d.Trace, hops: d.Hops + 1}))
}

// Undeliverable ends a delivery that failed for good, after so many attempts and with the
// last one's error: its event goes to the target's dead-letter queue, if it has one.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func (s *Service) Undeliverable(ctx context.Context, d Delivery, attempts int, cause error) error {
	if d.Target.DeadLetter == "" {
		return nil
	}
	body := d.Event
	if body == nil {
		body = d.Payload
	}
	code, message := "SDK_CLIENT_ERROR", "The target could not be reached."
	var e *DeliveryError
	if errors.As(cause, &e) {
		code, message = e.Code, e.Message
	} else if f := fault.As(cause); cause != nil {
		code, message = f.Code, f.Message
	}
	attributes := map[string]string{
		"RULE_ARN": d.RuleARN, "TARGET_ARN": d.Target.ARN, "ERROR_CODE": code, "ERROR_MESSAGE": clip(message),
		"RETRY_ATTEMPTS": strconv.Itoa(max(attempts-1, 0)),
	}
	switch {
	case Permanent(cause):
	case attempts >= d.Attempts():
		attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
	default:
		attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumEventAgeInSeconds"
	}
	return s.cfg.Targets.DeadLetter(ctx, d.Target.DeadLetter, body, attributes)
}
