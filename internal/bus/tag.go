package bus

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Tag is a name and a value given to a bus or a rule.
type Tag struct{ Key, Value string }

// Limits of tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func isCode(err error, code string) bool { return fault.Is(err, code) }

// Tags lists the tags of a bus or rule, by its ARN.
func (s *Service) Tags(ctx context.Context, ref string) ([]Tag, error) {
	var tags map[string]string
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		if bus, ok := s.own(ref, "event-bus/"); ok {
			b, err := s.loadBus(r, bus)
			if err == nil {
				tags = b.Tags
			}
			return err
		}
		rest, ok := s.own(ref, "rule/")
		if !ok {
			return noResource(ref)
		}
		bus, name := ruleOf(rest)
		rule, err := load[Rule](r, ruleKey(bus, name), noRule(name, bus))
		if err == nil {
			tags = rule.Tags
		}
		return err
	})
	list := []Tag{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, Tag{k, tags[k]})
	}
	return list, err
}

func noResource(ref string) error {
	return notFound("The resource %s does not exist or can't be tagged.", clip(ref))
}

// ChangeTags gives a bus or rule tags and takes others away, in one transaction.
func (s *Service) ChangeTags(ctx context.Context, ref string, add []Tag, remove []string) error {
	change := func(have map[string]string) (map[string]string, error) {
		all, err := mergeTags(have, add)
		for _, k := range remove {
			delete(all, k)
		}
		return all, err
	}
	if _, ok := s.own(ref, "event-bus/"); ok {
		_, err := s.ChangeBus(ctx, ref, func(b *Bus) (err error) {
			b.Tags, err = change(b.Tags)
			return err
		})
		return err
	}
	rest, ok := s.own(ref, "rule/")
	if !ok {
		return noResource(ref)
	}
	bus, name := ruleOf(rest)
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		rule, err := load[Rule](tx, ruleKey(bus, name), noRule(name, bus))
		if err != nil {
			return err
		}
		if rule.Tags, err = change(rule.Tags); err != nil {
			return err
		}
		return save(tx, ruleKey(bus, name), rule)
	})
}

func mergeTags(have map[string]string, add []Tag) (map[string]string, error) {
	all := maps.Clone(have)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range add {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > maxTagKey || utf8.RuneCountInString(t.Value) > maxTagValue:
			return nil, invalid("Tag keys have 1 to %d characters and values at most %d.", maxTagKey, maxTagValue)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, invalid("Tag keys that begin with aws: are reserved.")
		}
		all[t.Key] = t.Value
	}
	if len(all) > maxTags {
		return nil, overLimit("A resource can have at most %d tags.", maxTags)
	}
	return all, nil
}
