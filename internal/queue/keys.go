package queue

import (
	"errors"
	"fmt"
	"iter"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room, beside what the message engine does.
//
//	queue  queue  NAME            -> Queue
//	queue  feeds  TARGET  SOURCE  -> nothing: TARGET is the dead-letter queue of SOURCE
//	queue  task   NAME  TIME      -> Task: a move of messages out of the queue NAME
//
// A queue may be in feeds before it is made and after it is deleted: its name is what
// the others' policies say.
const room = "queue"

func queueKey(name string) []byte           { return store.Key(room, "queue", name) }
func feedsKey(target, source string) []byte { return store.Key(room, "feeds", target, source) }
func taskKey(name string, at uint64) []byte { return store.Key(room, "task", name, at) }
func below(parts ...any) store.Range {
	return store.Prefix(store.Key(append([]any{room}, parts...)...))
}

// load reads a record. A missing one is the error missing.
func load[T any](r store.Reader, key []byte, missing error) (*T, error) {
	b, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
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

// lastName is the last element of a key, a name.
func lastName(key []byte) (string, error) {
	parts, err := store.Split(key)
	if err != nil {
		return "", err
	}
	name, ok := parts[len(parts)-1].(string)
	if !ok {
		return "", errors.New("queue: a key is not of its form")
	}
	return name, nil
}
