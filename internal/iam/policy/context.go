package policy

import (
	"iter"
	"strings"
)

// Keys are the condition keys of a request and their values. The case of names
// doesn't matter. The zero value is empty and ready to use. Setting keys is not safe
// for concurrent use; reading them is.
type Keys struct {
	entries []entry
	values  []string
}

// entry is a key and where its values stand in Keys.values.
type entry struct {
	name       string
	start, end int
}

// Set gives the key these values in place of any it has. Without values the
// key is absent.
func (k *Keys) Set(name string, values ...string) {
	start := len(k.values)
	k.values = append(k.values, values...)
	for i := range k.entries {
		if strings.EqualFold(k.entries[i].name, name) {
			k.entries[i].start, k.entries[i].end = start, len(k.values)
			return
		}
	}
	k.entries = append(k.entries, entry{name, start, len(k.values)})
}

// Get returns the values of a key; nil if it is absent.
func (k *Keys) Get(name string) []string {
	for i := range k.entries {
		if e := &k.entries[i]; strings.EqualFold(e.name, name) {
			if e.start == e.end {
				return nil
			}
			return k.values[e.start:e.end:e.end]
		}
	}
	return nil
}

// All walks over the keys that have values, in the order they were first set.
func (k *Keys) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for _, e := range k.entries {
			if e.start < e.end && !yield(e.name, k.values[e.start:e.end:e.end]) {
				return
			}
		}
	}
}

// Reset empties k and keeps its memory for the next request.
func (k *Keys) Reset() {
	clear(k.entries)
	clear(k.values)
	k.entries, k.values = k.entries[:0], k.values[:0]
}
