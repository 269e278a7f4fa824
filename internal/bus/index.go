package bus

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/bus/pattern"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// indexes are the rules and archives of buses in memory, made from the store when a bus
// is first used.
//
// A change of this node is followed rule by rule, under Service.changes, before it is
// acknowledged. The generation in the store counts changes: where it is not the next one,
// another node has changed something, and the bus is read anew.
type indexes struct {
	mu    sync.RWMutex
	byBus map[string]*index
}

// index is what one bus does with events.
type index struct {
	generation uint64

	mu       sync.RWMutex
	patterns pattern.Index[interest]
	rules    map[string]*activeRule // enabled ones with a pattern
	archives map[string]bool        // whether it takes every event
}

// interest is who wants events that match a pattern.
type interest struct {
	archive bool
	name    string
}

// activeRule is a rule with its targets prepared.
type activeRule struct {
	*Rule
	targets []prepared
}

func (x *indexes) get(bus string) *index {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.byBus[bus]
}

func (x *indexes) set(bus string, i *index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byBus == nil {
		x.byBus = map[string]*index{}
	}
	if i == nil {
		delete(x.byBus, bus)
	} else {
		x.byBus[bus] = i
	}
}

// follow applies a change that made a generation; a bus not in memory needs none.
func (x *indexes) follow(bus string, generation uint64, change func(*index)) {
	i := x.get(bus)
	switch {
	case i == nil:
	case i.generation+1 != generation:
		x.set(bus, nil) // read again when it is next used
	default:
		i.generation = generation
		change(i)
	}
}

// index gives a bus's index; nil for a bus that is not there.
func (s *Service) index(ctx context.Context, bus string) (*index, error) {
	if i := s.indexes.get(bus); i != nil {
		return i, nil
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	if i := s.indexes.get(bus); i != nil {
		return i, nil
	}
	i, err := s.readIndex(ctx, bus)
	if err == nil && i != nil {
		s.indexes.set(bus, i)
	}
	return i, err
}

func (s *Service) readIndex(ctx context.Context, bus string) (i *index, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		i = &index{}
		if _, err := s.loadBus(r, bus); err != nil {
			return err
		}
		g, err := generation(r, bus)
		if err != nil {
			return err
		}
		i.generation = g.Changes
		for rule, err := range scan[Rule](r, below("rule", bus)) {
			if err != nil {
				return err
			}
			i.setRule(rule.Name, rule)
		}
		for a, err := range scan[Archive](r, below("archive")) {
			if err != nil {
				return err
			}
			if a.Bus == bus {
				i.setArchive(a.Name, a)
			}
		}
		return nil
	})
	if isCode(err, "ResourceNotFoundException") {
		return nil, nil
	}
	return i, err
}

// refresh drops the indexes of buses that other nodes have changed.
func (s *Service) refresh(ctx context.Context) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	return s.cfg.Store.View(ctx, func(r store.Reader) error {
		s.indexes.mu.Lock()
		defer s.indexes.mu.Unlock()
		for bus, i := range s.indexes.byBus {
			g, err := generation(r, bus)
			if err != nil {
				return err
			}
			if g.Changes != i.generation {
				delete(s.indexes.byBus, bus)
			}
		}
		return nil
	})
}

// setRule puts a rule in place of the one of that name; nil, a disabled one or one without
// a pattern takes it away. What does not parse was never let in; it matches nothing.
func (i *index) setRule(name string, r *Rule) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.patterns.Remove(interest{name: name})
	delete(i.rules, name)
	if r == nil || !r.enabled() || r.Pattern == "" {
		return
	}
	p, err := pattern.Parse([]byte(r.Pattern), pattern.EventBridge)
	if err != nil {
		return
	}
	if i.rules == nil {
		i.rules = map[string]*activeRule{}
	}
	i.rules[name] = activate(r)
	i.patterns.Add(interest{name: name}, p)
}

func activate(r *Rule) *activeRule {
	active := &activeRule{Rule: r}
	for k := range r.Targets {
		if p, err := prepare(&r.Targets[k]); err == nil {
			active.targets = append(active.targets, p)
		}
	}
	return active
}

func (i *index) setArchive(name string, a *Archive) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.patterns.Remove(interest{true, name})
	delete(i.archives, name)
	if a == nil {
		return
	}
	if i.archives == nil {
		i.archives = map[string]bool{}
	}
	i.archives[name] = a.Pattern == ""
	if p, err := pattern.Parse([]byte(a.Pattern), pattern.EventBridge); err == nil {
		i.patterns.Add(interest{true, name}, p)
	}
}

// match gives the rules and archives that want an event, by name.
func (i *index) match(event []byte) (rules []*activeRule, archives []string) {
	e, err := pattern.ReadEvent(event)
	if err != nil {
		return nil, nil
	}
	i.mu.RLock()
	defer i.mu.RUnlock()
	for _, who := range i.patterns.Match(e) {
		switch {
		case who.archive:
			archives = append(archives, who.name)
		case i.rules[who.name] != nil:
			rules = append(rules, i.rules[who.name])
		}
	}
	for name, all := range i.archives {
		if all {
			archives = append(archives, name)
		}
	}
	slices.SortFunc(rules, func(a, b *activeRule) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(archives)
	return rules, archives
}
