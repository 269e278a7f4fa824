package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Replay sends an archive's events to rules of its bus once more.
type Replay struct {
	Name, Description, Archive, Bus string
	Rules                           []string // their names; nil for all
	From, Until                     time.Time
	State                           string
	Started, Ended, Last            time.Time // Last is the time of the last event replayed
	Cursor                          []byte    // the key it goes on at
}

// The states of a replay.
const (
	replayStarting   = "STARTING"
	replayRunning    = "RUNNING"
	replayCancelling = "CANCELLING"
	replayCompleted  = "COMPLETED"
	replayCancelled  = "CANCELLED"
	replayFailed     = "FAILED"
)

// replayBatch is how many events a transaction replays.
const replayBatch = 50

func (s *Service) replayARN(name string) string { return s.arn("replay/" + name) }

func (r *Replay) over() bool {
	return r.State == replayCompleted || r.State == replayCancelled || r.State == replayFailed
}

// StartReplay begins a replay, which Run carries out.
func (s *Service) StartReplay(ctx context.Context, r Replay, archiveARN, busARN string, ruleARNs []string) (*Replay, error) {
	if err := replayName.check(r.Name); err != nil {
		return nil, err
	}
	if err := checkDescription(r.Description); err != nil {
		return nil, err
	}
	var ok bool
	if r.Archive, ok = s.own(archiveARN, "archive/"); !ok {
		return nil, invalid("Parameter EventSourceArn is not valid. Reason: Must contain an archive ARN.")
	}
	if r.Bus, ok = s.own(busARN, "event-bus/"); !ok {
		return nil, invalid("Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.")
	}
	if !r.From.Before(r.Until) {
		return nil, invalid("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
	}
	for _, a := range ruleARNs {
		rest, ok := s.own(a, "rule/")
		bus, name := ruleOf(rest)
		if !ok || bus != r.Bus {
			return nil, invalid("Parameter Destination.FilterArns is not valid. Reason: %s is no rule of the event bus.", clip(a))
		}
		r.Rules = append(r.Rules, name)
	}
	r.State, r.Started = replayStarting, s.now()
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, err := load[Archive](tx, archiveKey(r.Archive), noArchive(r.Archive))
		if err != nil {
			return err
		}
		if a.Bus != r.Bus {
			return invalid("Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
		}
		have, err := there(tx, replayKey(r.Name))
		if err != nil {
			return err
		}
		if have {
			return exists("Replay %s already exists.", r.Name)
		}
		return save(tx, replayKey(r.Name), &r)
	})
	if err == nil {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return &r, err
}

func noReplay(name string) error { return notFound("Replay %s does not exist.", clip(name)) }

// ReplayOf gives a replay.
func (s *Service) ReplayOf(ctx context.Context, name string) (r *Replay, err error) {
	err = s.cfg.Store.View(ctx, func(rd store.Reader) error {
		r, err = load[Replay](rd, replayKey(name), noReplay(name))
		return err
	})
	return r, err
}

// CancelReplay has a replay end where it is.
func (s *Service) CancelReplay(ctx context.Context, name string) (r *Replay, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if r, err = load[Replay](tx, replayKey(name), noReplay(name)); err != nil {
			return err
		}
		if r.over() || r.State == replayCancelling {
			return refuse("IllegalStatusException", "Replay %s is not in a valid state for this operation.", name)
		}
		r.State = replayCancelling
		return save(tx, replayKey(name), r)
	})
	if err == nil {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return r, err
}

// Replays lists replays by name, those from an archive or in a state if one is given.
func (s *Service) Replays(ctx context.Context, archiveARN, state string, q Listing) ([]*Replay, string, error) {
	keep := func(r *Replay) (string, bool) {
		return r.Name, (archiveARN == "" || s.archiveARN(r.Archive) == archiveARN) && (state == "" || r.State == state)
	}
	return walk[Replay]{"ListReplays " + archiveARN + " " + state, below("replay"), replayKey, keep}.list(ctx, s, q)
}

// Replay carries every replay under way one batch further, and says whether one is left.
// Each event is replayed once: the deliveries it makes and the place where to go on are
// one transaction.
func (s *Service) Replay(ctx context.Context) (more bool, err error) {
	var open []*Replay
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		open = nil
		for v, err := range scan[Replay](r, below("replay")) {
			if err != nil {
				return err
			}
			if !v.over() {
				open = append(open, v)
			}
		}
		return nil
	})
	for _, r := range open {
		if err != nil {
			break
		}
		var left bool
		left, err = s.replaySome(ctx, r)
		more = more || left
	}
	return more, err
}

// replaySome replays a batch.
func (s *Service) replaySome(ctx context.Context, begun *Replay) (left bool, err error) {
	x, err := s.index(ctx, begun.Bus)
	if err != nil {
		return false, err
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		left = false
		r, err := load[Replay](tx, replayKey(begun.Name), errNone)
		if err == errNone || err == nil && r.over() {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case r.State == replayCancelling:
			r.State, r.Ended = replayCancelled, s.now()
		case x == nil:
			r.State, r.Ended = replayFailed, s.now()
		default:
			if err := s.replayBatch(ctx, tx, r, x); err != nil {
				return err
			}
			left = !r.over()
		}
		return save(tx, replayKey(r.Name), r)
	})
	return left, err
}

func (s *Service) replayBatch(ctx context.Context, tx store.Tx, r *Replay, x *index) error {
	r.State = replayRunning
	if r.Cursor == nil {
		r.Cursor = eventKey(r.Archive, r.From, "")
	}
	var only map[string]bool
	if r.Rules != nil {
		only = map[string]bool{}
		for _, name := range r.Rules {
			only[name] = true
		}
	}
	var all outcome
	n := 0
	for p, err := range tx.Scan(store.Range{Start: r.Cursor, End: eventKey(r.Archive, r.Until, ""), Limit: replayBatch}) {
		if err != nil {
			return err
		}
		n++
		var e struct {
			ID   string
			Time time.Time
		}
		if err := json.Unmarshal(p.Value, &e); err != nil {
			return err
		}
		r.Last = e.Time
		r.Cursor = append(bytes.Clone(p.Key), 0)
		all.add(s.route(x, arrival{json: named(p.Value, r.Name), id: e.ID, at: e.Time, only: only}))
	}
	if n < replayBatch {
		r.State, r.Ended = replayCompleted, s.now()
	}
	return s.keep(ctx, tx, all)
}

// named is an event with the name of the replay it comes from.
func named(event []byte, replay string) []byte {
	out := append(bytes.Clone(event[:len(event)-1]), `,"replay-name":`...)
	return append(append(out, quote(replay)...), '}')
}
