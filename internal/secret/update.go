package secret

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Update is what changes of a secret; nil stays.
type Update struct {
	Description, KeyID *string
	Content            *Content // becomes a new version, and AWSCURRENT
	Token              string
}

// Update changes a secret and gives the id of its new version, if it has one. With
// another key what has AWS's labels is encrypted again first. Each step is one
// transaction: a crash leaves the new key without the new value at worst, and the
// request can be repeated.
func (s *Service) Update(ctx context.Context, ref string, u Update) (sec *Secret, version string, err error) {
	if u.Description != nil {
		if err := checkDescription(*u.Description); err != nil {
			return nil, "", err
		}
	}
	if u.KeyID != nil {
		if err := s.rekey(ctx, ref, *u.KeyID); err != nil {
			return nil, "", err
		}
	}
	describe := func(sec *Secret) {
		if u.Description != nil {
			sec.Description = *u.Description
		}
		sec.Changed = s.now()
	}
	if u.Content == nil {
		sec, err = s.change(ctx, ref, func(_ store.Tx, sec *Secret) error {
			describe(sec)
			return nil
		})
		return sec, "", err
	}
	return s.add(ctx, ref, u.Token, *u.Content, func(sec *Secret, id string) error {
		describe(sec)
		sec.attach(Current, id)
		return nil
	})
}

// old is a value as it was stored before a change of keys.
type old struct {
	*Version
	blob []byte
}

// ErrMoved says that a secret kept changing while its values were encrypted again.
// Nothing was changed; callers try again.
var ErrMoved = fault.New(http.StatusInternalServerError, "InternalServiceError", "The secret kept changing while its key was changed. Try again.")

// rekey encrypts what has AWS's labels under another key.
func (s *Service) rekey(ctx context.Context, ref, keyID string) (err error) {
	for range 3 {
		if err = s.tryRekey(ctx, ref, keyID); !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return err
}

// tryRekey reads, encrypts, and writes if nothing has changed meanwhile.
func (s *Service) tryRekey(ctx context.Context, ref, keyID string) error {
	var before *Secret
	var values []old
	err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if before, err = s.living(r, ref); err == nil {
			values, err = staged(r, before)
		}
		return err
	})
	if err != nil {
		return err
	}
	after := *before
	after.KeyID = keyID
	var renewed []*sealed
	for _, o := range values {
		plain, err := s.cfg.Keys.Decrypt(ctx, o.blob, s.bound(before, o.ID))
		if err != nil {
			return badKey("DecryptionFailure", err)
		}
		v, err := s.seal(ctx, &after, o.ID, Content{plain, o.Binary})
		if err != nil {
			return err
		}
		v.Created, v.Accessed = o.Created, o.Accessed
		renewed = append(renewed, v)
	}
	_, err = s.change(ctx, s.arnOf(before), func(tx store.Tx, sec *Secret) error {
		now, err := staged(tx, sec)
		if err != nil {
			return err
		}
		if len(now) != len(values) {
			return ErrMoved
		}
		sec.KeyID = keyID
		for i, v := range renewed {
			if now[i].ID != v.ID || !bytes.Equal(now[i].blob, values[i].blob) {
				return ErrMoved
			}
			if err := v.write(tx, sec.Name); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// staged reads the values that have one of AWS's labels.
func staged(r store.Reader, sec *Secret) ([]old, error) {
	var list []old
	seen := map[string]bool{}
	for _, stage := range []string{Current, Pending, Previous} {
		id := sec.Stages[stage]
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		v, err := load[Version](r, versionKey(sec.Name, id), nil)
		if err != nil {
			return nil, err
		}
		blob, err := r.Get(valueKey(sec.Name, id))
		if err != nil {
			return nil, err
		}
		list = append(list, old{v, bytes.Clone(blob)})
	}
	return list, nil
}
