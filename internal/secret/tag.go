package secret

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Tag is a name and a value given to a secret.
type Tag struct{ Key, Value string }

// Limits of tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// AddTags gives a secret tags, in place of those with the same names.
func (s *Service) AddTags(ctx context.Context, ref string, tags []Tag) error {
	_, err := s.change(ctx, ref, func(_ store.Tx, sec *Secret) (err error) {
		sec.Tags, err = mergeTags(sec.Tags, tags)
		return err
	})
	return err
}

// RemoveTags takes tags away; those that are not there are passed over.
func (s *Service) RemoveTags(ctx context.Context, ref string, names []string) error {
	_, err := s.change(ctx, ref, func(_ store.Tx, sec *Secret) error {
		for _, n := range names {
			delete(sec.Tags, n)
		}
		return nil
	})
	return err
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
		return nil, refuse("LimitExceededException", "A secret can have at most %d tags.", maxTags)
	}
	return all, nil
}
