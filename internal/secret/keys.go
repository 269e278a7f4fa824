package secret

import (
	"errors"
	"fmt"
	"iter"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "secret".
//
//	"secret"   NAME             Secret
//	"version"  NAME  VERSION    Version
//	"value"    NAME  VERSION    sealed     what Keys made of the value
//
// A secret's records change and go together.
const room = "secret"

func secretKey(name string) []byte           { return store.Key(room, "secret", name) }
func versionKey(name, version string) []byte { return store.Key(room, "version", name, version) }
func valueKey(name, version string) []byte   { return store.Key(room, "value", name, version) }
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
