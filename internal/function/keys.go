package function

import (
	"errors"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key begins with "function".
//
//	"fn"        NAME                  Function      one of each name
//	"version"   NAME  N               Version       $LATEST is 0, published ones from 1
//	"alias"     NAME  ALIAS           Alias
//	"policy"    NAME  QUALIFIER       Policy        "" is the function's own
//	"async"     NAME  QUALIFIER       AsyncSettings $LATEST, a number or an alias
//	"provision" NAME  QUALIFIER       Provisioned   a number or an alias
//	"reserved"  NAME                  Reserved      of functions that reserve concurrency
//	"url"       NAME  QUALIFIER       URL           "" is the function's own
//	"host"      ID                    urlOwner      whose URL has this id
//	"layer"     NAME                  Layer         the last number given out
//	"lversion"  NAME  N               LayerVersion
//	"lpolicy"   NAME  N               Policy
//	"use"       DIGEST KIND NAME N    packageUse    who uses the blob: see owner
//	"unused"    DIGEST                unusedPackage nothing uses the blob (any longer, or yet)
//	"secret"                          bytes         signs the links to code
//
// Deleting a function deletes every range of its NAME in one transaction. A
// NAME is of this account and region; there is one of each.
const room = "function"

func functionKey(name string) []byte          { return store.Key(room, "fn", name) }
func versionKey(name string, n uint64) []byte { return store.Key(room, "version", name, n) }
func aliasKey(name, alias string) []byte      { return store.Key(room, "alias", name, alias) }
func policyKey(name, qualifier string) []byte { return store.Key(room, "policy", name, qualifier) }
func asyncKey(name, qualifier string) []byte  { return store.Key(room, "async", name, qualifier) }
func provisionKey(name, qualifier string) []byte {
	return store.Key(room, "provision", name, qualifier)
}
func urlKey(name, qualifier string) []byte         { return store.Key(room, "url", name, qualifier) }
func reservedKey(name string) []byte               { return store.Key(room, "reserved", name) }
func hostKey(id string) []byte                     { return store.Key(room, "host", id) }
func layerKey(name string) []byte                  { return store.Key(room, "layer", name) }
func layerVersionKey(name string, n uint64) []byte { return store.Key(room, "lversion", name, n) }
func layerPolicyKey(name string, n uint64) []byte  { return store.Key(room, "lpolicy", name, n) }
func unusedKey(d blob.Digest) []byte               { return store.Key(room, "unused", string(d)) }
func secretKey() []byte                            { return store.Key(room, "secret") }

func useKey(d blob.Digest, u owner) []byte {
	return store.Key(room, "use", string(d), u.kind, u.name, u.n)
}

// below is the prefix of all keys of a kind, or of those of one name.
func below(parts ...any) []byte { return store.Key(append([]any{room}, parts...)...) }

// load reads a record. It returns store.ErrNotFound as it is.
func load[T any](r store.Reader, key []byte) (*T, error) {
	b, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := record.Unmarshal(b, v); err != nil {
		return nil, err
	}
	return v, nil
}

// loadOr is load with another error, of the caller's making, for not found.
func loadOr[T any](r store.Reader, key []byte, missing error) (*T, error) {
	v, err := load[T](r, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing
	}
	return v, err
}

// exists says whether a key is there.
func exists(r store.Reader, key []byte) (bool, error) {
	_, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func save(tx store.Tx, key []byte, v any) error {
	b, err := record.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Set(key, b)
}

// all reads every record below a prefix, which must be few: those of one
// function or blob.
func all[T any](r store.Reader, prefix []byte, each func(key []byte, v *T) error) error {
	for p, err := range r.Scan(store.Prefix(prefix)) {
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		v := new(T)
		if err := record.Unmarshal(p.Value, v); err != nil {
			return err
		}
		if err := each(p.Key, v); err != nil {
			return err
		}
	}
	return nil
}
