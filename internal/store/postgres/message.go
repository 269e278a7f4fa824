package postgres

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/store/driver"
)

// A notification names the keys that were changed, or what they begin with, in
// base64 since PostgreSQL carries text of less than 8000 bytes:
//
//	sender, 16 bytes | length, 1 byte; key | length; key | ...
//
// The top bit of a length says that it is a beginning, of keys that may have
// changed. When many keys were changed they are cut shorter until what is left of
// them fits: a watcher may be woken for nothing, never left asleep.
const (
	senderLen   = 16
	messageSize = 7900
	longest     = 96 // bytes of a key, or beginning
	isBeginning = 0x80
	// maxTouched bounds what waits to be sent; more are cut at once.
	maxTouched = 1024
)

// touched are changed keys: true for beginnings of such. The zero value is empty.
type touched map[string]bool

// add notes what a commit has changed.
func (t *touched) add(keys []string, spans []driver.Span) {
	if *t == nil {
		*t = touched{}
	}
	for _, k := range keys {
		t.note(k, false, longest)
	}
	for _, s := range spans {
		t.note(common(s.Start, s.End), true, longest)
	}
	for n := longest / 2; len(*t) > maxTouched; n /= 2 {
		*t = t.shorten(n)
	}
}

// note adds a key or beginning, cut to n bytes.
func (t *touched) note(k string, beginning bool, n int) {
	if len(k) > n {
		k, beginning = k[:n], true
	}
	(*t)[k] = (*t)[k] || beginning
}

// join adds all that is in another.
func (t *touched) join(o touched) {
	if *t == nil {
		*t = touched{}
	}
	for k, beginning := range o {
		t.note(k, beginning, longest)
	}
}

// common is the longest beginning of all keys of a span.
func common(start, end string) string {
	for n := len(start); n > 0; n-- {
		if driver.PrefixSpan(start[:n]).End >= end {
			return start[:n]
		}
	}
	return ""
}

func (t *touched) shorten(n int) touched {
	short := make(touched, len(*t))
	for k, beginning := range *t {
		short.note(k, beginning, n)
	}
	return short
}

// encode makes the notification of a sender.
func (t touched) encode(sender string) string {
	for n := longest; ; n /= 2 {
		size := senderLen
		for k := range t {
			size += 1 + len(k)
		}
		if base64.RawStdEncoding.EncodedLen(size) <= messageSize {
			break
		}
		t = t.shorten(n / 2) // at 0 it is the beginning of everything
	}
	var b strings.Builder
	b.WriteString(sender)
	for _, k := range slices.Sorted(maps.Keys(t)) {
		n := byte(len(k))
		if t[k] {
			n |= isBeginning
		}
		b.WriteByte(n)
		b.WriteString(k)
	}
	return base64.RawStdEncoding.EncodeToString([]byte(b.String()))
}

var errMessage = errors.New("not a notification of this store")

// decode reads a notification.
func decode(message string) (sender string, t touched, err error) {
	raw, err := base64.RawStdEncoding.DecodeString(message)
	if err != nil || len(raw) < senderLen {
		return "", nil, errMessage
	}
	sender, rest := string(raw[:senderLen]), string(raw[senderLen:])
	t = touched{}
	for len(rest) > 0 {
		n := 1 + int(rest[0]&^isBeginning)
		if n > len(rest) {
			return "", nil, errMessage
		}
		t[rest[1:n]] = rest[0]&isBeginning != 0
		rest = rest[n:]
	}
	return sender, t, nil
}
