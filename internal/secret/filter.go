package secret

import (
	"slices"
	"strings"
)

// Filter is one condition of a listing; a secret must meet all of them, each with any
// of its values. A value that begins with "!" is met by what it does not describe.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
type Filter struct {
	Key    string
	Values []string
}

const maxFilters = 10

var filterKeys = []string{"description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"}

func checkFilters(list []Filter) error {
	if len(list) > maxFilters {
		return violates(len(list), "filters", "Member must have length less than or equal to 10")
	}
	for _, f := range list {
		if !slices.Contains(filterKeys, f.Key) {
			return violates(clip(f.Key), "filters.key", "Member must satisfy enum value set: [all, name, tag-key, description, tag-value, primary-region, owning-service]")
		}
		if n := len(f.Values); n < 1 || n > maxFilters {
			return violates(n, "filters.values", "Member must have length between 1 and 10")
		}
		for _, v := range f.Values {
			if len(v) > maxName {
				return violates(clip(v), "filters.values", "Member must have length less than or equal to 512")
			}
		}
	}
	return nil
}

func matchAll(list []Filter, sec *Secret) bool {
	for _, f := range list {
		if !slices.ContainsFunc(f.Values, func(v string) bool {
			plain, not := strings.CutPrefix(v, "!")
			return matches(f.Key, plain, sec) != not
		}) {
			return false
		}
	}
	return true
}

// matches says whether a value describes a secret.
func matches(key, value string, sec *Secret) bool {
	switch key {
	case "name":
		return strings.HasPrefix(sec.Name, value)
	case "description":
		return begins(sec.Description, value)
	case "tag-key", "tag-value":
		for k, v := range sec.Tags {
			if key == "tag-value" {
				k = v
			}
			if strings.HasPrefix(k, value) {
				return true
			}
		}
		return false
	case "all":
		return !slices.ContainsFunc(strings.Fields(value), func(word string) bool { return !anywhere(word, sec) })
	}
	return false // no secret is replicated, or another service's
}

// begins says whether a text, or a word of it, begins with another, in any case.
func begins(text, with string) bool {
	text, with = strings.ToLower(text), strings.ToLower(with)
	return strings.HasPrefix(text, with) ||
		slices.ContainsFunc(strings.Fields(text), func(word string) bool { return strings.HasPrefix(word, with) })
}

// anywhere says whether a word is of a secret's name, description or tags.
func anywhere(word string, sec *Secret) bool {
	word = strings.ToLower(word)
	texts := []string{sec.Name, sec.Description}
	for k, v := range sec.Tags {
		texts = append(texts, k, v)
	}
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), word) })
}
