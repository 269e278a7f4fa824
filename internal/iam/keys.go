package iam

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What the store holds for this room. Every key but the last begins with "iam".
//
//	"name"     KIND  NAME        id        of a user, group or role
//	"entity"   ID                Entity
//	"attached" ARN  KIND  ID     empty     who has the managed policy attached
//	"bounded"  ARN  KIND  ID     empty     whose permissions boundary it is
//	"member"   GROUP  USER       empty     by their ids
//	"policy"   NAME              Policy    of the customer
//	"version"  POLICY  N         Version   POLICY is its id
//	"profile"  NAME              Profile
//	"carries"  ROLE  NAME        empty     the instance profiles of a role, by its id
//	"key"      ACCESS KEY ID     AccessKey
//	"provider" HOST/PATH         Provider
//	"count"    WHAT              count
//	"alias"                      alias
//
//	"iam-used" ID                Used      of access keys and roles; a room of its own, so
//	                                       that noting it does not look like a change
//
// NAMEs are in lower case, because AWS's are not distinguished by case. Everything
// about a user, group or role hangs on its id, so renaming one moves its name alone,
// and one made again under an old name inherits nothing.
const (
	room     = "iam"
	roomUsed = "iam-used"
)

func nameKey(k Kind, name string) []byte { return store.Key(room, "name", string(k), fold(name)) }
func entityKey(id string) []byte         { return store.Key(room, "entity", id) }
func attachedKey(arn string, e *Entity) []byte {
	return store.Key(room, "attached", arn, string(e.Kind), e.ID)
}

func boundedKey(arn string, e *Entity) []byte {
	return store.Key(room, "bounded", arn, string(e.Kind), e.ID)
}
func memberKey(group, user string) []byte     { return store.Key(room, "member", group, user) }
func policyKey(name string) []byte            { return store.Key(room, "policy", fold(name)) }
func versionKey(id string, n int) []byte      { return store.Key(room, "version", id, n) }
func profileKey(name string) []byte           { return store.Key(room, "profile", fold(name)) }
func carriesKey(role, profile string) []byte  { return store.Key(room, "carries", role, fold(profile)) }
func accessKeyKey(accessKeyID string) []byte  { return store.Key(room, "key", accessKeyID) }
func providerKey(url string) []byte           { return store.Key(room, "provider", url) }
func countKey(what string) []byte             { return store.Key(room, "count", what) }
func aliasKey() []byte                        { return store.Key(room, "alias") }
func usedKey(id string) []byte                { return store.Key(roomUsed, id) }
func below(parts ...any) []byte               { return store.Key(append([]any{room}, parts...)...) }
func fold(name string) string                 { return strings.ToLower(name) }
func present(tx store.Tx, key []byte) error   { return tx.Set(key, []byte{}) }
func lastPart(key []byte) (s string, e error) { return partOf(key, 1) }

// partOf gives a part of a key, counted from its end.
func partOf(key []byte, fromEnd int) (string, error) {
	parts, err := store.Split(key)
	if err != nil {
		return "", err
	}
	if len(parts) < fromEnd {
		return "", fmt.Errorf("a key of %d parts is too short", len(parts))
	}
	s, ok := parts[len(parts)-fromEnd].(string)
	if !ok {
		return "", fmt.Errorf("part %d from the end of a key is no text", fromEnd)
	}
	return s, nil
}

// load reads a record; missing is the error when it is not there.
func load[T any](r store.Reader, key []byte, missing error) (*T, error) {
	b, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := record.Unmarshal(b, v); err != nil {
		return nil, err
	}
	return v, nil
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

// all reads the records below a prefix, of which there are few.
func all[T any](r store.Reader, prefix []byte) ([]T, error) {
	var list []T
	for p, err := range r.Scan(store.Prefix(prefix)) {
		if err != nil {
			return nil, err
		}
		var v T
		if err := record.Unmarshal(p.Value, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// lastParts gives the last part of each key below a prefix.
func lastParts(r store.Reader, prefix []byte) ([]string, error) {
	var list []string
	for p, err := range r.Scan(store.Prefix(prefix)) {
		if err != nil {
			return nil, err
		}
		s, err := lastPart(p.Key)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// count is how many there are of something.
type count struct{ N int }

// add counts n more of something, which may be at most limit.
func add(tx store.Tx, what string, n, limit int, quota string) error {
	c, err := load[count](tx, countKey(what), nil)
	if err != nil {
		return err
	}
	if c == nil {
		c = &count{}
	}
	if c.N += n; n > 0 && c.N > limit {
		return limitExceeded("Cannot exceed quota for %s: %d", quota, limit)
	}
	return save(tx, countKey(what), c)
}
