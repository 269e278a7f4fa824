package audit

import (
	"errors"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "audit".
//
//	"entry"  TIME SEQ                     Entry
//	"by"     ATTRIBUTE  VALUE  TIME SEQ   -       an index for each attribute of an entry
//	"count"  KIND                         number of entries of the kind
//
// TIME is the event's, in ms since 1970; SEQ grows with every entry stored. Attributes
// are those of LookupEvents, and two of our own: RequestID and Kind. An entry has a
// resource's name and its ARN under ResourceName, an operation's name with and without
// its date under EventName.
const room = "audit"

// place is where an entry stands in the trail.
type place struct{ time, seq uint64 }

func (p place) key() []byte { return store.Key(room, "entry", p.time, p.seq) }

// Attributes that entries are found by; the first eight are LookupEvents'.
const (
	byID           = "EventId"
	byName         = "EventName"
	byReadOnly     = "ReadOnly"
	byUser         = "Username"
	byResourceType = "ResourceType"
	byResource     = "ResourceName"
	bySource       = "EventSource"
	byKey          = "AccessKeyId"
	byRequest      = "RequestId"
	byKind         = "Kind"
)

// attribute is something an entry is found by.
type attribute struct{ name, value string }

// below is the prefix of the index of one value.
func (a attribute) below() []byte { return store.Key(room, "by", a.name, a.value) }

func (a attribute) key(p place) []byte {
	return store.Key(room, "by", a.name, a.value, p.time, p.seq)
}

// attributes are what the entry is found by. They follow from what is kept of it
// alone, so that the same are removed with it.
func (e *Entry) attributes() []attribute {
	list := []attribute{
		{byID, e.ID}, {byName, e.Operation}, {byReadOnly, fmt.Sprint(e.ReadOnly)}, {byUser, e.Who.Name},
		{bySource, sourceOf(e.Service)}, {byKey, e.Who.AccessKeyID}, {byRequest, e.RequestID}, {byKind, string(e.Kind)},
	}
	if name := e.eventName(); name != e.Operation {
		list = append(list, attribute{byName, name})
	}
	for _, r := range e.Resources {
		list = append(list, attribute{byResource, r.ARN}, attribute{byResource, r.Name}, attribute{byResourceType, r.Type})
	}
	var some []attribute
	for _, a := range list {
		if a.value != "" {
			some = append(some, a)
		}
	}
	return some
}

// eventName is CloudTrail's name of the operation.
func (e *Entry) eventName() string {
	if e.Service == "lambda" {
		return e.Operation + lambdaNames[e.Operation]
	}
	return e.Operation
}

// put stores an entry.
func put(tx store.Tx, p place, e *Entry) error {
	if err := save(tx, p.key(), e); err != nil {
		return err
	}
	for _, a := range e.attributes() {
		if err := tx.Set(a.key(p), nil); err != nil {
			return err
		}
	}
	return nil
}

// remove is the opposite of put.
func remove(tx store.Tx, p place) (*Entry, error) {
	e, ok, err := load[Entry](tx, p.key())
	if err != nil || !ok {
		return nil, err
	}
	for _, a := range e.attributes() {
		if err := tx.Delete(a.key(p)); err != nil {
			return nil, err
		}
	}
	return &e, tx.Delete(p.key())
}

// count adds to the numbers of entries, by kind.
func count(tx store.Tx, more map[Kind]int) error {
	for _, k := range kinds {
		if more[k] == 0 {
			continue
		}
		n, err := counted(tx, k)
		if err != nil {
			return err
		}
		if err := save(tx, store.Key(room, "count", string(k)), max(0, n+more[k])); err != nil {
			return err
		}
	}
	return nil
}

func counted(r store.Reader, k Kind) (int, error) {
	n, _, err := load[int](r, store.Key(room, "count", string(k)))
	return n, err
}

// placeOf reads the last two parts of a key.
func placeOf(key []byte) (p place, err error) {
	parts, err := store.Split(key)
	if err != nil {
		return p, err
	}
	if n := len(parts); n >= 4 {
		var ok [2]bool
		p.time, ok[0] = parts[n-2].(uint64)
		p.seq, ok[1] = parts[n-1].(uint64)
		if ok == [2]bool{true, true} {
			return p, nil
		}
	}
	return p, fmt.Errorf("key %q has no place in the trail", key)
}

// load reads a record; ok is false if it is not there.
func load[T any](r store.Reader, key []byte) (v T, ok bool, err error) {
	b, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return v, false, nil
	}
	if err == nil {
		err = record.Unmarshal(b, &v)
	}
	return v, err == nil, err
}

func save(tx store.Tx, key []byte, v any) error {
	b, err := record.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Set(key, b)
}
