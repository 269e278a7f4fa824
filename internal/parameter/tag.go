package parameter

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Tag is a name and a value given to a parameter.
type Tag struct{ Key, Value string }

// Limits of tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// Tags gives a parameter's tags.
func (s *Service) Tags(ctx context.Context, text string) (tags map[string]string, err error) {
	path, err := s.tagged(text)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err := load[Parameter](r, headKey(path), noResource(text))
		if err == nil {
			tags = p.Tags
		}
		return err
	})
	return tags, err
}

// AddTags gives a parameter tags, in place of those with the same names.
func (s *Service) AddTags(ctx context.Context, text string, tags []Tag) error {
	path, err := s.tagged(text)
	if err != nil {
		return err
	}
	return s.change(ctx, path, noResource(text), func(p *Parameter) (err error) {
		p.Tags, err = mergeTags(p.Tags, tags)
		return err
	})
}

// RemoveTags takes tags away; those that are not there are passed over.
func (s *Service) RemoveTags(ctx context.Context, text string, names []string) error {
	path, err := s.tagged(text)
	if err != nil {
		return err
	}
	return s.change(ctx, path, noResource(text), func(p *Parameter) error {
		for _, n := range names {
			delete(p.Tags, n)
		}
		return nil
	})
}

// tagged reads the id of what has tags, which is a parameter's name.
func (s *Service) tagged(text string) (string, error) {
	n, err := s.parse(text)
	if err != nil || n.selector != "" {
		return "", noResource(text)
	}
	return n.path, nil
}

func noResource(text string) error {
	return refuse("InvalidResourceId", "The resource ID %s is not that of a parameter.", clip(text))
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
		return nil, refuse("TooManyTagsError", "A parameter can have at most %d tags.", maxTags)
	}
	return all, nil
}
