package policy

import (
	"iter"
	"strings"
	"unicode/utf8"
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
	name       keyName
	start, end int
}

// Set gives the key these values in place of any it has. Without values the
// key is absent.
func (k *Keys) Set(name string, values ...string) {
	start := len(k.values)
	k.values = append(k.values, values...)
	n := newKeyName(name)
	for i := range k.entries {
		if k.entries[i].name.is(&n) {
			k.entries[i].start, k.entries[i].end = start, len(k.values)
			return
		}
	}
	k.entries = append(k.entries, entry{n, start, len(k.values)})
}

// Get returns the values of a key; nil if it is absent.
func (k *Keys) Get(name string) []string {
	n := newKeyName(name)
	return k.get(&n)
}

func (k *Keys) get(name *keyName) []string {
	for i := range k.entries {
		if e := &k.entries[i]; e.name.is(name) {
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
			if e.start < e.end && !yield(e.name.text, k.values[e.start:e.end:e.end]) {
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

// keyName is the name of a key and a hash of it that the case of letters doesn't
// change, so that names that differ are told apart by a number. A name that isn't
// ASCII has the hash 0, which tells nothing.
type keyName struct {
	text string
	hash uint32
}

func newKeyName(s string) keyName {
	h := uint32(2166136261) // FNV-1a
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return keyName{s, 0}
		}
		h = (h ^ uint32(lower(s[i]))) * 16777619
	}
	return keyName{s, max(h, 1)}
}

func (n *keyName) is(o *keyName) bool {
	return (n.hash == o.hash || n.hash == 0 || o.hash == 0) && strings.EqualFold(n.text, o.text)
}
