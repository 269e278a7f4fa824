package key

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// name is what a KeyId of a request means: a key's id or an alias.
type name struct{ id, alias string }

// parse reads the four forms of a KeyId: 1234abcd-..., alias/NAME, and the ARNs of
// both. Keys of other accounts and regions are refused.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
func (s *Service) parse(ref string) (name, error) {
	resource := ref
	if arn.Is(ref) {
		a, err := arn.Parse(ref)
		if err != nil || a.Service != "kms" {
			return name{}, refuse("InvalidArnException", "Invalid arn %s", clip(ref))
		}
		if a.Region != s.cfg.Region {
			return name{}, refuse("NotFoundException", "Invalid arn %s", a.Region)
		}
		if a.Account != s.cfg.Account {
			return name{}, refuse("AccessDeniedException", "The key %s is of another account, whose keys can't be used here.", clip(ref))
		}
		resource = a.Resource
		if id, ok := strings.CutPrefix(resource, "key/"); ok {
			return name{id: id}, nil
		}
		if !strings.HasPrefix(resource, aliasPrefix) {
			return name{}, refuse("InvalidArnException", "Invalid arn %s", clip(ref))
		}
	}
	switch {
	case resource == "":
		return name{}, invalid("1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null")
	case strings.HasPrefix(resource, aliasPrefix):
		return name{alias: resource}, nil
	}
	return name{id: resource}, nil
}

// find gives the key that a KeyId means.
func (s *Service) find(r store.Reader, ref string) (*Key, error) {
	n, err := s.parse(ref)
	if err != nil {
		return nil, err
	}
	if n.alias != "" {
		a, err := load[Alias](r, aliasKey(clipName(n.alias)), noAlias(s.arn(clip(n.alias))))
		if err != nil {
			return nil, err
		}
		n.id = a.Key
	}
	return s.byID(r, n.id)
}

// findByID gives the key that a KeyId means which may not be an alias.
func (s *Service) findByID(r store.Reader, ref string) (*Key, error) {
	n, err := s.parse(ref)
	if err != nil {
		return nil, err
	}
	if n.alias != "" {
		return nil, refuse("NotFoundException", "Invalid keyId '%s'", clip(ref))
	}
	return s.byID(r, n.id)
}

func (s *Service) byID(r store.Reader, id string) (*Key, error) {
	if !isUUID(id) {
		return nil, refuse("NotFoundException", "Invalid keyId '%s'", clip(id))
	}
	k, err := load[Key](r, keyKey(id), noKey(s.keyARN(id)))
	if err == nil && s.gone(k) {
		return nil, noKey(s.keyARN(id))
	}
	return k, err
}

// gone says whether a key's waiting period is over; its records may still be there.
func (s *Service) gone(k *Key) bool { return k.State == PendingDeletion && !s.now().Before(k.Deleted) }

// clipName bounds what a stranger has us look up.
func clipName(s string) string {
	if len(s) > maxAlias {
		return s[:maxAlias+1]
	}
	return s
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

// exists says whether there is a record.
func exists(r store.Reader, key []byte) (bool, error) {
	_, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
