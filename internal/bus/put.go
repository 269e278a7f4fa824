package bus

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/bus/input"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Entry is an event as it is put.
type Entry struct {
	Bus                        string // name or ARN; "" for the default one
	Source, DetailType, Detail string
	Resources                  []string
	Time                       time.Time // zero for now
	Trace                      string
}

// Result is what became of an entry: an event's id, or why there is none.
type Result struct {
	ID      string
	Refused *fault.Error
}

// Limits of PutEvents.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const (
	maxEntries    = 10
	maxEntryBytes = 1 << 20
	maxText       = 256 // of source and detail type, in characters
	maxResources  = 2048
	maxTrace      = 500
)

// size is what counts of an entry against the limit of a call.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
func (e *Entry) size() int {
	n := len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, r := range e.Resources {
		n += len(r)
	}
	if !e.Time.IsZero() {
		n += 14
	}
	return n
}

// PutEvents puts events on their buses. Entries fail one by one; when it returns, what did
// not fail is durable with all of its deliveries, or, without any, of no consequence. An
// event for a bus that is not there gets an id and goes nowhere, as with AWS. After a
// crash a call's events are there all together or not at all.
func (s *Service) PutEvents(ctx context.Context, entries []Entry) ([]Result, error) {
	if n := len(entries); n < 1 || n > maxEntries {
		return nil, violates(n, "entries", "Member must have length between 1 and 10")
	}
	total := 0
	for i := range entries {
		total += entries[i].size()
	}
	if total > maxEntryBytes {
		return nil, invalid("Total size of the entries in the request is over the limit.")
	}
	results := make([]Result, len(entries))
	var all outcome
	for i := range entries {
		event, refused := s.event(&entries[i])
		if refused != nil {
			results[i].Refused = refused
			continue
		}
		results[i].ID = event.ID
		bus, err := s.bus(entries[i].Bus)
		if err != nil {
			if fault.As(err).Code != "ResourceNotFoundException" {
				results[i] = Result{Refused: invalidArgument("EventBusName", "it is not the name or ARN of an event bus.")}
			}
			continue
		}
		x, err := s.index(ctx, bus)
		if err != nil {
			return nil, err
		}
		if x != nil {
			all.add(s.route(x, arrival{json: event.JSON(), id: event.ID, at: event.Time, trace: entries[i].Trace}))
		}
	}
	return results, s.commit(ctx, all)
}

func invalidArgument(parameter, reason string) *fault.Error {
	return refuse("InvalidArgument", "Parameter %s is not valid. Reason: %s", parameter, reason)
}

// event makes the event of an entry, or says what is wrong with it.
func (s *Service) event(e *Entry) (*Event, *fault.Error) {
	for _, p := range []struct{ name, value string }{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		switch {
		case p.value == "":
			return nil, invalidArgument(p.name, p.name+" is a required argument.")
		case !utf8.ValidString(p.value):
			return nil, invalidArgument(p.name, "it is not valid UTF-8.")
		case p.name != "Detail" && utf8.RuneCountInString(p.value) > maxText:
			return nil, invalidArgument(p.name, p.name+" is longer than 256 characters.")
		}
	}
	if strings.HasPrefix(e.Source, "aws.") {
		return nil, refuse("NotAuthorizedForSourceException", "Not authorized for the source.")
	}
	detail, ok := detailOf(e.Detail)
	if !ok {
		return nil, refuse("MalformedDetail", "Detail is malformed.")
	}
	for _, r := range e.Resources {
		if len(r) > maxResources {
			return nil, invalidArgument("Resources", "an ARN is longer than 2048 characters.")
		}
	}
	if len(e.Trace) > maxTrace {
		return nil, invalidArgument("TraceHeader", "TraceHeader is longer than 500 characters.")
	}
	at := e.Time
	if at.IsZero() {
		at = s.now()
	}
	return &Event{
		ID: id.UUID(), DetailType: e.DetailType, Source: e.Source, Account: s.cfg.Account, Time: at.UTC().Truncate(time.Second),
		Region: s.cfg.Region, Resources: e.Resources, Detail: detail,
	}, nil
}

// checkEvent says whether a JSON text is an event.
func checkEvent(event []byte) error {
	var e struct {
		ID, Account, Source, Time, Region *string
		DetailType                        *string `json:"detail-type"`
		Resources                         []string
	}
	if json.Unmarshal(event, &e) != nil {
		return invalid("Parameter Event is not valid.")
	}
	for _, m := range []struct {
		name string
		have bool
	}{
		{"id", e.ID != nil}, {"account", e.Account != nil}, {"source", e.Source != nil}, {"time", e.Time != nil},
		{"region", e.Region != nil}, {"resources", e.Resources != nil}, {"detail-type", e.DetailType != nil},
	} {
		if !m.have {
			return invalid("Parameter Event is not valid. Reason: %s is a required field.", m.name)
		}
	}
	return nil
}

// arrival is an event that has come to a bus.
type arrival struct {
	json  []byte
	id    string
	at    time.Time
	trace string
	hops  int
	only  map[string]bool // the rules it is for; nil for all
}

// outcome is what has to be kept of events.
type outcome struct {
	deliveries []Delivery
	archived   []archived
}

type archived struct {
	archive, id string
	at          time.Time
	json        []byte
}

func (o *outcome) add(p outcome) {
	o.deliveries = append(o.deliveries, p.deliveries...)
	o.archived = append(o.archived, p.archived...)
}

// route says what becomes of an event. Replayed ones are not archived again.
func (s *Service) route(x *index, a arrival) (o outcome) {
	rules, archives := x.match(a.json)
	for _, r := range rules {
		if a.only == nil || a.only[r.Name] {
			o.deliveries = append(o.deliveries, s.deliveries(r, a)...)
		}
	}
	for _, name := range archives {
		if a.only == nil && !isReplayed(a.json) {
			o.archived = append(o.archived, archived{name, a.id, a.at, a.json})
		}
	}
	return o
}

func isReplayed(event []byte) bool {
	var e struct {
		Replay *string `json:"replay-name"`
	}
	return json.Unmarshal(event, &e) == nil && e.Replay != nil
}

// deliveries makes one for each target of a rule.
func (s *Service) deliveries(r *activeRule, a arrival) (list []Delivery) {
	now := s.now()
	v := input.Variables{RuleARN: s.ruleARN(r.Bus, r.Name), RuleName: r.Name, Ingested: now}
	for i := range r.targets {
		p := &r.targets[i]
		d := Delivery{
			ID: id.UUID(), EventID: a.id, RuleARN: v.RuleARN, Target: *p.Target, Payload: p.payload(a.json, v),
			Trace: a.trace, Created: now, Hops: a.hops,
		}
		if d.Target.HTTP != nil {
			d.Target.HTTP = d.Target.HTTP.resolve(a.json)
		}
		if d.Target.DeadLetter != "" && (p.Input != "" || p.path != nil || p.template != nil) {
			d.Event = a.json
		}
		list = append(list, d)
	}
	return list
}

// commit makes an outcome durable.
func (s *Service) commit(ctx context.Context, o outcome) error {
	if len(o.deliveries) == 0 && len(o.archived) == 0 {
		return nil
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error { return s.keep(ctx, tx, o) })
}

// keep puts an outcome into a transaction.
func (s *Service) keep(ctx context.Context, tx store.Tx, o outcome) error {
	if err := archive(tx, o.archived); err != nil || len(o.deliveries) == 0 {
		return err
	}
	return s.cfg.Queue.Enqueue(ctx, tx, o.deliveries)
}
