package bill

import (
	"errors"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "bill".
//
//	"use"  DAY  FUNCTION  REQUEST  ATTEMPT              use    one invocation
//	"new"  DAY  FUNCTION  REQUEST  ATTEMPT              -      ... not in its sum yet
//	"sum"  DAY  FUNCTION  VERSION  ARCHITECTURE ACCOUNT sum
//
// DAY counts days since 1970, in UTC. What completes an asynchronous event writes
// "use" and "new" and reads neither sum nor other events', so that events never
// wait for each other; the meter moves "new" ones into their sums, some at a time.
const room = "bill"

// call is the identity of an invocation.
type call struct {
	day      uint64
	function string
	request  string
	attempt  uint64
}

func (u *Usage) call() call {
	return call{dayOf(u.At), u.FunctionARN, u.RequestID, uint64(max(0, u.Attempt))}
}

func (c call) useKey() []byte { return store.Key(room, "use", c.day, c.function, c.request, c.attempt) }
func (c call) newKey() []byte { return store.Key(room, "new", c.day, c.function, c.request, c.attempt) }

// cell is what a sum is kept for.
type cell struct {
	day                                      uint64
	function, version, architecture, account string
}

func (c call) cell(u *use) cell { return cell{c.day, c.function, u.Version, u.Architecture, u.Account} }

func (c cell) key() []byte {
	return store.Key(room, "sum", c.day, c.function, c.version, c.architecture, c.account)
}

// parseCall reads the key of a use or of a new one.
func parseCall(key []byte) (c call, err error) {
	parts, err := store.Split(key)
	if err != nil {
		return c, err
	}
	if len(parts) == 6 {
		var ok [4]bool
		c.day, ok[0] = parts[2].(uint64)
		c.function, ok[1] = parts[3].(string)
		c.request, ok[2] = parts[4].(string)
		c.attempt, ok[3] = parts[5].(uint64)
		if ok == [4]bool{true, true, true, true} {
			return c, nil
		}
	}
	return c, fmt.Errorf("key %q is not an invocation's", key)
}

func parseCell(key []byte) (c cell, err error) {
	parts, err := store.Split(key)
	if err != nil {
		return c, err
	}
	if len(parts) == 7 {
		var ok [5]bool
		c.day, ok[0] = parts[2].(uint64)
		for i, s := range []*string{&c.function, &c.version, &c.architecture, &c.account} {
			*s, ok[i+1] = parts[i+3].(string)
		}
		if ok == [5]bool{true, true, true, true, true} {
			return c, nil
		}
	}
	return c, fmt.Errorf("key %q is not a sum's", key)
}

// days is the range of the keys of a kind on the days from first to before end.
func days(kind string, first, end uint64) store.Range {
	return store.Range{Start: store.Key(room, kind, first), End: store.Key(room, kind, end)}
}

// dayOf gives the day of a time, 0 for what was before 1970.
func dayOf(t time.Time) uint64 { return uint64(max(0, t.Unix()) / 86400) }

// date is the day in the calendar, as 2026-05-04.
func date(day uint64) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }

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
