package bus

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Bus is an event bus.
type Bus struct {
	Name, Description string
	Created, Changed  time.Time
	Policy            string
	DeadLetter        string // ARN of a queue, kept and given back
	Tags              map[string]string
}

const (
	maxDescription = 512
	maxBuses       = 1000
)

// CreateBus makes a bus.
func (s *Service) CreateBus(ctx context.Context, b Bus, tags []Tag) (*Bus, error) {
	if err := busName.check(b.Name); err != nil {
		return nil, err
	}
	if err := checkDescription(b.Description); err != nil {
		return nil, err
	}
	var err error
	if b.Tags, err = mergeTags(nil, tags); err != nil {
		return nil, err
	}
	b.Created, b.Changed = s.now(), s.now()
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		have, err := there(tx, busKey(b.Name))
		if have || b.Name == defaultBus {
			return exists("Event bus %s already exists.", b.Name)
		}
		n := 0
		for _, err := range scan[Bus](tx, below("bus")) {
			if err != nil {
				return err
			}
			n++
		}
		if n >= maxBuses {
			return overLimit("The requested resource exceeds the maximum number allowed.")
		}
		return errors.Join(err, save(tx, busKey(b.Name), &b))
	})
	return &b, err
}

func checkDescription(d string) error {
	if len([]rune(d)) > maxDescription {
		return violates(clip(d), "description", "Member must have length less than or equal to 512")
	}
	return nil
}

// Bus gives a bus by its name or ARN.
func (s *Service) Bus(ctx context.Context, ref string) (b *Bus, err error) {
	name, err := s.bus(ref)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		b, err = s.loadBus(r, name)
		return err
	})
	return b, err
}

// loadBus reads a bus; the default one is there without a record.
func (s *Service) loadBus(r store.Reader, name string) (*Bus, error) {
	b, err := load[Bus](r, busKey(name), errNone)
	if err != errNone {
		return b, err
	}
	if name == defaultBus {
		return &Bus{Name: defaultBus, Tags: map[string]string{}}, nil
	}
	return nil, noBus(name)
}

// errNone is what load answers where a missing record is no fault.
var errNone = errors.New("no record")

// ChangeBus alters a bus in one transaction.
func (s *Service) ChangeBus(ctx context.Context, ref string, fn func(*Bus) error) (b *Bus, err error) {
	name, err := s.bus(ref)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if b, err = s.loadBus(tx, name); err != nil {
			return err
		}
		if b.Created.IsZero() {
			b.Created = s.now()
		}
		if err := fn(b); err != nil {
			return err
		}
		b.Changed = s.now()
		return save(tx, busKey(name), b)
	})
	return b, err
}

// DeleteBus deletes a bus without rules; one that is not there is no fault, as with AWS.
func (s *Service) DeleteBus(ctx context.Context, ref string) error {
	name, err := s.bus(ref)
	if err != nil {
		return err
	}
	if name == defaultBus {
		return invalid("Cannot delete event bus default.")
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		for _, err := range scan[Rule](tx, below("rule", name)) {
			if err != nil {
				return err
			}
			return invalid("Event bus %s can't be deleted since it has rules.", name)
		}
		_, err := next(tx, name, 0, tx.Delete(busKey(name))) // other nodes forget it too
		return err
	})
	if err == nil {
		s.indexes.set(name, nil)
	}
	return err
}

// Listing says which records are listed.
type Listing struct {
	Prefix, Token string
	Limit         int
}

// Buses lists buses by name, and gives the token for more. The default one is among them.
func (s *Service) Buses(ctx context.Context, q Listing) ([]*Bus, string, error) {
	all := func(b *Bus) (string, bool) { return b.Name, true }
	return walk[Bus]{"ListEventBuses", below("bus"), busKey, all}.list(ctx, s, q)
}
