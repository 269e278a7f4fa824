package key

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Tag is a name and a value given to a key.
type Tag struct{ Key, Value string }

// Limits of tags.
// https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// AddTags gives a key tags, in place of those with the same names.
func (s *Service) AddTags(ctx context.Context, ref string, tags []Tag) error {
	return s.change(ctx, ref, alive, func(_ store.Tx, k *Key) (err error) {
		k.Tags, err = mergeTags(k.Tags, tags)
		return err
	})
}

// RemoveTags takes tags away; those that are not there are passed over.
func (s *Service) RemoveTags(ctx context.Context, ref string, names []string) error {
	return s.change(ctx, ref, alive, func(_ store.Tx, k *Key) error {
		for _, n := range names {
			delete(k.Tags, n)
		}
		return nil
	})
}

func mergeTags(have map[string]string, add []Tag) (map[string]string, error) {
	all := maps.Clone(have)
	if all == nil {
		all = map[string]string{}
	}
	seen := map[string]bool{}
	for _, t := range add {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > maxTagKey || utf8.RuneCountInString(t.Value) > maxTagValue:
			return nil, refuse("TagException", "Tag keys have 1 to %d characters and values at most %d.", maxTagKey, maxTagValue)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, refuse("TagException", "Tag keys that begin with aws: are reserved.")
		case seen[t.Key]:
			return nil, refuse("TagException", "Duplicate tag keys")
		}
		seen[t.Key] = true
		all[t.Key] = t.Value
	}
	if len(all) > maxTags {
		return nil, refuse("LimitExceededException", "A key can have at most %d tags.", maxTags)
	}
	return all, nil
}
