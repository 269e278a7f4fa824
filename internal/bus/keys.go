package bus

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "bus".
//
//	"bus"          NAME                  Bus          the default one only once it has settings
//	"rule"         BUS  NAME             Rule         with its targets
//	"generation"   BUS                   Generation   counts changes of its rules and archives
//	"archive"      NAME                  Archive
//	"event"        ARCHIVE  TIME  ID     the event    TIME is its own, in microseconds
//	"tally"        ARCHIVE  SHARD        Tally        counters, apart so that writers seldom meet
//	"replay"       NAME                  Replay       with how far it is
//	"connection"   NAME                  Connection   secrets in it are sealed
//	"destination"  NAME                  Destination
const room = "bus"

func busKey(name string) []byte          { return store.Key(room, "bus", name) }
func ruleKey(bus, name string) []byte    { return store.Key(room, "rule", bus, name) }
func generationKey(bus string) []byte    { return store.Key(room, "generation", bus) }
func archiveKey(name string) []byte      { return store.Key(room, "archive", name) }
func tallyKey(name string, n int) []byte { return store.Key(room, "tally", name, n) }
func replayKey(name string) []byte       { return store.Key(room, "replay", name) }
func connectionKey(name string) []byte   { return store.Key(room, "connection", name) }
func destinationKey(name string) []byte  { return store.Key(room, "destination", name) }

func eventKey(archive string, at time.Time, id string) []byte {
	return store.Key(room, "event", archive, uint64(max(at.UnixMicro(), 0)), id)
}

func below(parts ...any) store.Range {
	return store.Prefix(store.Key(append([]any{room}, parts...)...))
}

// load reads a record. A missing one is the error missing.
func load[T any](r store.Reader, key []byte, missing error) (*T, error) {
	b, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) && missing != nil {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("load %T: %w", *new(T), err)
	}
	v := new(T)
	return v, record.Unmarshal(b, v)
}

func save(tx store.Tx, key []byte, v any) error {
	b, err := record.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Set(key, b)
}

// scan reads the records of a range in order. An error is its last element.
func scan[T any](r store.Reader, within store.Range) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for p, err := range r.Scan(within) {
			v := new(T)
			if err == nil {
				err = record.Unmarshal(p.Value, v)
			}
			if err != nil {
				yield(nil, fmt.Errorf("scan %T: %w", *v, err))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// there says whether a key is.
func there(r store.Reader, key []byte) (bool, error) {
	_, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
