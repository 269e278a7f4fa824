package parameter

import (
	"errors"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "parameter". PATH is a
// name without its leading slash, as ARNs have it: "prod/db/password".
//
//	"head"     PATH      Parameter
//	"version"  PATH  N   Version      from 1; the newest 100
//	"count"              count        how many there are of each tier
//
// A parameter's head, versions and count change together.
const room = "parameter"

func headKey(path string) []byte             { return store.Key(room, "head", path) }
func versionKey(path string, n int64) []byte { return store.Key(room, "version", path, uint64(n)) }
func versionsOf(path string) store.Range     { return store.Prefix(store.Key(room, "version", path)) }
func countKey() []byte                       { return store.Key(room, "count") }

// below is the range of the heads whose paths begin with a text. Paths hold no zero
// bytes, so all but the end mark of a key is such a prefix.
func below(path string) store.Range {
	k := headKey(path)
	return store.Prefix(k[:len(k)-1])
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
