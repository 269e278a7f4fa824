package iam

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Tag is a label of a user, role, policy, instance profile or provider.
type Tag struct{ Key, Value string }

// Bounds of tags.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

var tagForm = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// CheckTags refuses tags that nothing can have. Keys are not distinguished by case.
func CheckTags(tags []Tag) error {
	if len(tags) > maxTags {
		return limitExceeded("The number of tags has reached the maximum limit.")
	}
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		if t.Key == "" || utf8.RuneCountInString(t.Key) > maxTagKey || !tagForm.MatchString(t.Key) {
			return constraint(clip(t.Key), "tags.1.member.key", "Member must have length between 1 and %d and satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+", maxTagKey)
		}
		if utf8.RuneCountInString(t.Value) > maxTagValue || !tagForm.MatchString(t.Value) {
			return constraint(clip(t.Value), "tags.1.member.value", "Member must have length less than or equal to %d and satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", maxTagValue)
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return invalidInput("Tag keys that begin with aws: are reserved for system use.")
		}
		if seen[fold(t.Key)] {
			return invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[fold(t.Key)] = true
	}
	return nil
}

// tagged gives tags with more of them, in place of those with the same keys.
func tagged(have map[string]string, more []Tag) (map[string]string, error) {
	if err := CheckTags(more); err != nil {
		return nil, err
	}
	have = maps.Clone(have)
	if have == nil {
		have = map[string]string{}
	}
	for _, t := range more {
		maps.DeleteFunc(have, func(k, _ string) bool { return strings.EqualFold(k, t.Key) })
		have[t.Key] = t.Value
	}
	if len(have) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return have, nil
}

// untagged gives tags without those of some keys; keys that are not there are passed
// over.
func untagged(have map[string]string, keys []string) map[string]string {
	have = maps.Clone(have)
	maps.DeleteFunc(have, func(k, _ string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(k, key) })
	})
	return have
}

// tagList gives tags in the order of their keys.
func tagList(tags map[string]string) []Tag {
	list := make([]Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, Tag{k, tags[k]})
	}
	return list
}

// retag adds tags and then removes those of some keys: one of the two is empty.
func retag(have *map[string]string, more []Tag, without []string) error {
	tags, err := tagged(*have, more)
	if err == nil {
		*have = untagged(tags, without)
	}
	return err
}

// The same for each sort of thing that has tags, to be altered by.

func tagEntity(more []Tag, without []string) func(store.Tx, *Entity) error {
	return func(_ store.Tx, e *Entity) error { return retag(&e.Tags, more, without) }
}

func tagPolicy(more []Tag, without []string) func(store.Tx, *Policy) error {
	return func(_ store.Tx, p *Policy) error { return retag(&p.Tags, more, without) }
}

func tagProfile(more []Tag, without []string) func(store.Tx, *Profile) error {
	return func(_ store.Tx, p *Profile) error { return retag(&p.Tags, more, without) }
}

func tagProvider(more []Tag, without []string) func(*Provider) error {
	return func(p *Provider) error { return retag(&p.Tags, more, without) }
}
