package secret

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Secret is one secret, without its values.
type Secret struct {
	Name, Suffix string // its ARN ends in NAME-SUFFIX
	Description  string
	KeyID        string // as it was given; "" is the usual key
	Created      time.Time
	Changed      time.Time
	Accessed     time.Time // the day its value was last read
	Deleted      time.Time // when it is gone; zero for a living one
	Tags         map[string]string
	Policy       string
	Stages       map[string]string // the version each staging label is attached to
}

// Version is one version of a secret, without its value.
type Version struct {
	ID       string
	Created  time.Time
	Accessed time.Time
	KeyID    string // as the secret had it
	KeyARN   string // the key it was then
	Binary   bool
}

// Content is the value of a version. It prints as nothing of itself.
type Content struct {
	Bytes  []byte
	Binary bool
}

// String keeps the content to itself.
func (Content) String() string { return "(secret)" }

// GoString keeps the content out of %#v.
func (Content) GoString() string { return "secret.Content{}" }

// Value is a version of a secret as a caller gets it.
type Value struct {
	Secret  *Secret
	Version *Version
	Content Content
}

// Limits, as AWS has them.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const (
	maxValue       = 65536
	maxDescription = 2048
)

// Draft is what a new secret is made of.
type Draft struct {
	Name, Description, KeyID string
	Content                  *Content // nil for a secret without a version
	Token                    string   // the id of its version; "" makes one
	Tags                     []Tag
}

// Create makes a secret, with a first version if it has a content, and gives the
// version's id. Asked again with the same token and content it gives what it made
// before. A crash leaves all of the secret or nothing.
func (s *Service) Create(ctx context.Context, d Draft) (*Secret, string, error) {
	if err := errors.Join(checkName(d.Name), checkDescription(d.Description)); err != nil {
		return nil, "", err
	}
	tags, err := mergeTags(nil, d.Tags)
	if err != nil {
		return nil, "", err
	}
	sec := &Secret{
		Name: d.Name, Suffix: suffix(), Description: d.Description, KeyID: d.KeyID,
		Created: s.now(), Changed: s.now(), Tags: tags, Stages: map[string]string{},
	}
	var v *sealed
	if d.Content != nil {
		if v, err = s.seal(ctx, sec, d.Token, *d.Content); err != nil {
			return nil, "", err
		}
		sec.Stages[Current] = v.ID
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		there, err := s.byName(tx, d.Name)
		switch {
		case err == nil && !there.Deleted.IsZero():
			return wrongState("You can't create this secret because a secret with this name is already scheduled for deletion.")
		case err == nil:
			return exists(d.Name)
		case err != errNotFound:
			return err
		}
		if err := erase(tx, d.Name); err != nil { // what is left of one that is gone
			return err
		}
		return errors.Join(save(tx, secretKey(d.Name), sec), v.write(tx, d.Name))
	})
	if isExists(err) && d.Content != nil {
		return s.same(ctx, d, err)
	}
	return sec, v.id(), err
}

// same gives the secret there is, if it was made by the same request; otherwise err.
func (s *Service) same(ctx context.Context, d Draft, err error) (*Secret, string, error) {
	if _, bad := s.match(ctx, d.Name, d.Token, *d.Content); bad != nil {
		return nil, "", err
	}
	sec, bad := s.Secret(ctx, d.Name)
	return sec, d.Token, bad
}

func checkDescription(d string) error {
	if len(d) > maxDescription {
		return violates(clip(d), "description", "Member must have length less than or equal to 2048")
	}
	return nil
}

// Secret gives a secret, one that waits to be deleted too.
func (s *Service) Secret(ctx context.Context, ref string) (sec *Secret, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		sec, err = s.find(r, ref)
		return err
	})
	return sec, err
}

// change alters a living secret in one transaction.
func (s *Service) change(ctx context.Context, ref string, fn func(store.Tx, *Secret) error) (sec *Secret, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if sec, err = s.living(tx, ref); err != nil {
			return err
		}
		if sec.Stages == nil {
			sec.Stages = map[string]string{}
		}
		if err := fn(tx, sec); err != nil {
			return err
		}
		return save(tx, secretKey(sec.Name), sec)
	})
	return sec, err
}

// Versions lists the versions of a secret that have labels, newest first; deprecated
// ones too if they are wanted.
func (s *Service) Versions(ctx context.Context, ref string, deprecated bool) (sec *Secret, list []*Version, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if sec, err = s.find(r, ref); err != nil {
			return err
		}
		list, err = versionsOf(r, sec.Name)
		return err
	})
	if !deprecated && err == nil {
		list = slices.DeleteFunc(list, func(v *Version) bool { return len(sec.stagesOf(v.ID)) == 0 })
	}
	return sec, list, err
}

// versionsOf lists all versions of a secret, newest first.
func versionsOf(r store.Reader, name string) ([]*Version, error) {
	var list []*Version
	for v, err := range scan[Version](r, below("version", name)) {
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *Version) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// tokenOr is the id of a new version.
func tokenOr(token string) (string, error) {
	if token == "" {
		return id.UUID(), nil
	}
	if len(token) < 32 || len(token) > 64 {
		return "", invalid("ClientRequestToken must be 32-64 characters long.")
	}
	return token, nil
}
