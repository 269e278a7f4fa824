package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/bus/pattern"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Archive keeps events of a bus.
type Archive struct {
	Name, Bus, Description, Pattern string
	Days                            int // 0 for ever
	Created                         time.Time
}

// Tally counts an archive's events.
type Tally struct{ Events, Bytes int64 }

const (
	tallyShards = 16
	maxArchives = 100
)

func (s *Service) archiveARN(name string) string { return s.arn("archive/" + name) }

// CreateArchive makes an archive of a bus, given by its ARN.
func (s *Service) CreateArchive(ctx context.Context, a Archive, busARN string) (*Archive, error) {
	if err := archiveName.check(a.Name); err != nil {
		return nil, err
	}
	if err := checkArchive(&a); err != nil {
		return nil, err
	}
	bus, ok := s.own(busARN, "event-bus/")
	if !ok {
		return nil, invalid("Parameter EventSourceArn is not valid. Reason: Provided Arn is not in correct format.")
	}
	a.Bus, a.Created = bus, s.now()
	return s.changeArchive(ctx, bus, a.Name, func(tx store.Tx, have *Archive) (*Archive, error) {
		if have != nil {
			return nil, exists("Archive %s already exists.", a.Name)
		}
		n := 0
		for _, err := range tx.Scan(below("archive")) {
			if n++; err != nil {
				return nil, err
			}
		}
		if n >= maxArchives {
			return nil, overLimit("The requested resource exceeds the maximum number allowed.")
		}
		return &a, nil
	})
}

func checkArchive(a *Archive) error {
	if a.Days < 0 || a.Days > 36500 {
		return violates(a.Days, "retentionDays", "Member must have a value between 0 and 36500")
	}
	if a.Pattern != "" {
		if _, err := pattern.Parse([]byte(a.Pattern), pattern.EventBridge); err != nil {
			return badPattern(err)
		}
	}
	return checkDescription(a.Description)
}

// changeArchive alters, makes or (by nil) deletes an archive, and the index of its bus.
func (s *Service) changeArchive(ctx context.Context, bus, name string, fn func(store.Tx, *Archive) (*Archive, error)) (a *Archive, err error) {
	s.changes.Lock()
	defer s.changes.Unlock()
	var changes uint64
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		have, err := load[Archive](tx, archiveKey(name), errNone)
		if err != nil && err != errNone {
			return err
		}
		if have != nil {
			bus = have.Bus
		} else if _, err := s.loadBus(tx, bus); err != nil {
			return err
		}
		if a, err = fn(tx, have); err != nil {
			return err
		}
		if a == nil {
			err = tx.Delete(archiveKey(name))
		} else {
			err = save(tx, archiveKey(name), a)
		}
		changes, err = next(tx, bus, 0, err)
		return err
	})
	if err == nil {
		s.indexes.follow(bus, changes, func(x *index) { x.setArchive(name, a) })
	}
	return a, err
}

func noArchive(name string) error { return notFound("Archive %s does not exist.", clip(name)) }

// Archive gives an archive and what is in it.
func (s *Service) Archive(ctx context.Context, name string) (a *Archive, t Tally, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if a, err = load[Archive](r, archiveKey(name), noArchive(name)); err != nil {
			return err
		}
		t, err = tallyOf(r, name)
		return err
	})
	return a, t, err
}

func tallyOf(r store.Reader, name string) (sum Tally, err error) {
	for t, err := range scan[Tally](r, below("tally", name)) {
		if err != nil {
			return sum, err
		}
		sum.Events += t.Events
		sum.Bytes += t.Bytes
	}
	return sum, nil
}

// UpdateArchive changes what is not nil.
func (s *Service) UpdateArchive(ctx context.Context, name string, description, text *string, days *int) (*Archive, error) {
	return s.changeArchive(ctx, defaultBus, name, func(_ store.Tx, a *Archive) (*Archive, error) {
		if a == nil {
			return nil, noArchive(name)
		}
		set(&a.Description, description)
		set(&a.Pattern, text)
		set(&a.Days, days)
		return a, checkArchive(a)
	})
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// DeleteArchive deletes an archive with its events.
func (s *Service) DeleteArchive(ctx context.Context, name string) error {
	_, err := s.changeArchive(ctx, defaultBus, name, func(tx store.Tx, a *Archive) (*Archive, error) {
		if a == nil {
			return nil, noArchive(name)
		}
		events, tallies := below("event", name), below("tally", name)
		return nil, errors.Join(tx.DeleteRange(events.Start, events.End), tx.DeleteRange(tallies.Start, tallies.End))
	})
	return err
}

// Archives lists archives by name, of one bus or of all; and gives the token for more.
func (s *Service) Archives(ctx context.Context, busARN string, q Listing) ([]*Archive, string, error) {
	bus := ""
	if busARN != "" {
		b, err := s.Bus(ctx, busARN)
		if err != nil {
			return nil, "", err
		}
		bus = b.Name
	}
	keep := func(a *Archive) (string, bool) { return a.Name, bus == "" || a.Bus == bus }
	return walk[Archive]{"ListArchives " + bus, below("archive"), archiveKey, keep}.list(ctx, s, q)
}

// archive keeps events. An archive deleted meanwhile keeps none.
func archive(tx store.Tx, events []archived) error {
	sums := map[string]Tally{}
	for _, e := range events {
		have, err := there(tx, archiveKey(e.archive))
		if err != nil {
			return err
		}
		if !have {
			continue
		}
		if err := tx.Set(eventKey(e.archive, e.at, e.id), e.json); err != nil {
			return err
		}
		sum := sums[e.archive]
		sums[e.archive] = Tally{sum.Events + 1, sum.Bytes + int64(len(e.json))}
	}
	for name, sum := range sums {
		if err := count(tx, name, sum); err != nil {
			return err
		}
	}
	return nil
}

// count adds to an archive's counters.
func count(tx store.Tx, name string, add Tally) error {
	key := tallyKey(name, rand.IntN(tallyShards))
	t, err := load[Tally](tx, key, errNone)
	if err == errNone {
		t, err = &Tally{}, nil
	}
	if err != nil {
		return err
	}
	return save(tx, key, Tally{t.Events + add.Events, t.Bytes + add.Bytes})
}

// sweepBatch is how many events a transaction forgets.
const sweepBatch = 500

// Sweep lets archives forget events older than they keep them.
func (s *Service) Sweep(ctx context.Context) error {
	var names []*Archive
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		names = nil
		for a, err := range scan[Archive](r, below("archive")) {
			if err != nil {
				return err
			}
			if a.Days > 0 {
				names = append(names, a)
			}
		}
		return nil
	})
	for _, a := range names {
		for more := err == nil; more && err == nil; {
			more, err = s.forget(ctx, a)
		}
	}
	return err
}

// forget erases some events that are too old, and says whether there may be more.
func (s *Service) forget(ctx context.Context, a *Archive) (more bool, err error) {
	old := store.Range{Start: below("event", a.Name).Start, End: eventKey(a.Name, s.now().AddDate(0, 0, -a.Days), ""), Limit: sweepBatch}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		var gone Tally
		var keys [][]byte
		for p, err := range tx.Scan(old) {
			if err != nil {
				return err
			}
			keys = append(keys, append([]byte(nil), p.Key...))
			gone = Tally{gone.Events - 1, gone.Bytes - int64(len(p.Value))}
		}
		for _, k := range keys {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		if more = len(keys) == sweepBatch; len(keys) == 0 {
			return nil
		}
		return count(tx, a.Name, gone)
	})
	return more, err
}
