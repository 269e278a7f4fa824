package key

import (
	"errors"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "key".
//
//	"key"       ID               Key
//	"material"  ID  GENERATION   material    sealed; from 1, one more with each rotation
//	"alias"     NAME             Alias       NAME is all of "alias/payroll"
//	"aliasof"   ID  NAME         nothing     the aliases of one key
//
// All of a key's records are written and erased together.
const room = "key"

func keyKey(id string) []byte               { return store.Key(room, "key", id) }
func materialKey(id string, gen int) []byte { return store.Key(room, "material", id, gen) }
func aliasKey(name string) []byte           { return store.Key(room, "alias", name) }
func aliasOfKey(id, name string) []byte     { return store.Key(room, "aliasof", id, name) }
func below(parts ...any) store.Range {
	return store.Prefix(store.Key(append([]any{room}, parts...)...))
}

// load reads a record. A missing one is the error missing, or store.ErrNotFound
// where that is nil.
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
