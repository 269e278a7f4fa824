package secret

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	keptVersions = 100            // deprecated versions beyond are dropped
	keptTime     = 24 * time.Hour // but none of the last day
	maxVersions  = 1000           // a bound of this node's own, against a flood within a day
)

// sealed is a version and its value as it is stored.
type sealed struct {
	Version
	blob []byte
}

// write stores a new version; a nil one is none.
func (v *sealed) write(tx store.Tx, name string) error {
	if v == nil {
		return nil
	}
	return errors.Join(save(tx, versionKey(name, v.ID), &v.Version), tx.Set(valueKey(name, v.ID), v.blob))
}

func (v *sealed) id() string {
	if v == nil {
		return ""
	}
	return v.ID
}

// seal encrypts a content as a new version of a secret.
func (s *Service) seal(ctx context.Context, sec *Secret, token string, c Content) (*sealed, error) {
	if err := checkContent(c); err != nil {
		return nil, err
	}
	id, err := tokenOr(token)
	if err != nil {
		return nil, err
	}
	v := &sealed{Version: Version{ID: id, Created: s.now(), KeyID: sec.KeyID, Binary: c.Binary}}
	if v.blob, v.KeyARN, err = s.cfg.Keys.Encrypt(ctx, sec.KeyID, c.Bytes, s.bound(sec, id)); err != nil {
		return nil, badKey("EncryptionFailure", err)
	}
	return v, nil
}

func checkContent(c Content) error {
	switch {
	case len(c.Bytes) == 0:
		return invalid("The secret value is empty; it has 1 to %d bytes.", maxValue)
	case len(c.Bytes) > maxValue:
		return invalid("The secret value has %d bytes; it has 1 to %d.", len(c.Bytes), maxValue)
	case !c.Binary && !utf8.Valid(c.Bytes):
		return invalid("SecretString is not text in UTF-8; give it as SecretBinary.")
	}
	return nil
}

// Put makes a new version of a secret and attaches labels to it, none meaning
// AWSCURRENT. It gives the version's id and labels. Asked again with the same token
// and content it does nothing. A crash leaves the new version with its labels, or all
// as it was.
func (s *Service) Put(ctx context.Context, ref, token string, c Content, stages []string) (*Secret, string, error) {
	if err := checkStages(stages); err != nil {
		return nil, "", err
	}
	if len(stages) == 0 {
		stages = []string{Current}
	}
	sec, id, err := s.add(ctx, ref, token, c, func(sec *Secret, id string) error {
		for _, stage := range stages {
			sec.attach(stage, id)
		}
		if sec.Stages[Current] == "" {
			sec.attach(Current, id) // the first there is
		}
		if len(sec.stagesOf(id)) > maxStages {
			return refuse("LimitExceededException", "A version can have at most %d staging labels.", maxStages)
		}
		return nil
	})
	if isExists(err) {
		if v, bad := s.match(ctx, ref, token, c); bad == nil {
			return v.Secret, v.Version.ID, nil
		}
	}
	return sec, id, err
}

// add makes a new version, which change then has a place for.
func (s *Service) add(ctx context.Context, ref, token string, c Content, change func(*Secret, string) error) (*Secret, string, error) {
	var before *Secret
	err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		before, err = s.living(r, ref)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	v, err := s.seal(ctx, before, token, c)
	if err != nil {
		return nil, "", err
	}
	// From here on by the ARN: a secret of the same name made meanwhile is another.
	sec, err := s.change(ctx, s.arnOf(before), func(tx store.Tx, sec *Secret) error {
		if _, err := tx.Get(versionKey(sec.Name, v.ID)); err == nil {
			return versionExists(v.ID)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := change(sec, v.ID); err != nil {
			return err
		}
		sec.Changed = s.now()
		return errors.Join(v.write(tx, sec.Name), s.drop(tx, sec))
	})
	return sec, v.ID, err
}

// drop removes deprecated versions of which there are too many.
func (s *Service) drop(tx store.Tx, sec *Secret) error {
	list, err := versionsOf(tx, sec.Name)
	if err != nil {
		return err
	}
	n := len(list)
	for _, v := range slices.Backward(list) {
		if n <= keptVersions {
			return nil
		}
		if len(sec.stagesOf(v.ID)) > 0 || s.now().Sub(v.Created) < keptTime {
			continue
		}
		n--
		if err := errors.Join(tx.Delete(versionKey(sec.Name, v.ID)), tx.Delete(valueKey(sec.Name, v.ID))); err != nil {
			return err
		}
	}
	if n > maxVersions {
		return refuse("LimitExceededException", "The secret has %d versions of the last day, which is the most.", maxVersions)
	}
	return nil
}

// match gives the version with an id if its content is c; an error otherwise.
func (s *Service) match(ctx context.Context, ref, id string, c Content) (*Value, error) {
	v, err := s.read(ctx, ref, id, "")
	if err != nil {
		return nil, err
	}
	if v.Content.Binary != c.Binary || subtle.ConstantTimeCompare(v.Content.Bytes, c.Bytes) != 1 {
		return nil, versionExists(id)
	}
	return v, nil
}

// Get gives the value of a secret: the version with an id, with a label, or with both;
// with neither, AWSCURRENT. That it was read is noted once a day.
func (s *Service) Get(ctx context.Context, ref, version, stage string) (*Value, error) {
	v, err := s.read(ctx, ref, version, stage)
	if err == nil {
		s.note(ctx, v)
	}
	return v, err
}

func (s *Service) read(ctx context.Context, ref, version, stage string) (*Value, error) {
	v := &Value{}
	var blob []byte
	err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if v.Secret, v.Version, err = s.pick(r, ref, version, stage); err != nil {
			return err
		}
		b, err := r.Get(valueKey(v.Secret.Name, v.Version.ID))
		blob = slices.Clone(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	plain, err := s.cfg.Keys.Decrypt(ctx, blob, s.bound(v.Secret, v.Version.ID))
	if err != nil {
		return nil, badKey("DecryptionFailure", err)
	}
	v.Content = Content{plain, v.Version.Binary}
	return v, nil
}

// pick gives the version that is asked for.
func (s *Service) pick(r store.Reader, ref, version, stage string) (*Secret, *Version, error) {
	sec, err := s.living(r, ref)
	if err != nil {
		return nil, nil, err
	}
	if version == "" && stage == "" {
		stage = Current
	}
	if stage != "" {
		at, ok := sec.Stages[stage]
		switch {
		case !ok:
			return nil, nil, noStage(stage)
		case version != "" && version != at:
			return nil, nil, wrongState("You provided a VersionStage that is not associated to the provided VersionId.")
		}
		version = at
	}
	if len(version) > maxName {
		return nil, nil, noVersion(version)
	}
	v, err := load[Version](r, versionKey(sec.Name, version), noVersion(version))
	return sec, v, err
}

// note writes down the day of a reading. It is a service to people, so a reading does
// not fail with it.
func (s *Service) note(ctx context.Context, v *Value) {
	today := s.now().Truncate(24 * time.Hour)
	if v.Secret.Accessed.Equal(today) && v.Version.Accessed.Equal(today) {
		return
	}
	_, err := s.change(ctx, s.arnOf(v.Secret), func(tx store.Tx, sec *Secret) error {
		at, err := load[Version](tx, versionKey(sec.Name, v.Version.ID), errNoValue)
		if err != nil {
			return err
		}
		sec.Accessed, at.Accessed = today, today
		return save(tx, versionKey(sec.Name, at.ID), at)
	})
	if err != nil {
		s.cfg.Log.WarnContext(ctx, "note the reading of a secret", "secret", v.Secret.Name, "error", err)
	}
}

// isExists says whether an error is that a secret or version is there already.
func isExists(err error) bool { return fault.Is(err, "ResourceExistsException") }
