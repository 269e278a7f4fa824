package parameter

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Kind is the type of a parameter's value.
type Kind string

// The types of values.
const (
	String       Kind = "String"
	StringList   Kind = "StringList"
	SecureString Kind = "SecureString"
)

// Tier says how large a parameter may be.
type Tier string

// The tiers, and the choice between them.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
const (
	Standard    Tier = "Standard"
	Advanced    Tier = "Advanced"
	Intelligent Tier = "Intelligent-Tiering"
)

// Parameter is one parameter, without its values.
type Parameter struct {
	Name   string // as it was made: with a leading slash or without
	Path   string // without
	Kind   Kind
	Newest Facts
	Oldest int64 // the number of the oldest version kept
	Tags   map[string]string
	Labels map[string]int64 // the version each is attached to
}

// Facts are what is known of a version besides its value.
type Facts struct {
	Version        int64
	KeyID          string // of a SecureString, as it was given: perhaps an alias
	KeyARN         string // the key it was then, whatever the alias means now
	Description    string
	AllowedPattern string
	DataType       string
	Tier           Tier
	Modified       time.Time
	User           string // the ARN of who wrote it
}

// Version is one version of a parameter. Of Value and Sealed there is one.
type Version struct {
	Facts  Facts
	Value  string // of a String or StringList
	Sealed []byte // of a SecureString
}

// Value is a version of a parameter as a caller gets it.
type Value struct {
	*Parameter
	Facts    Facts
	Text     string
	Selector string // ":3", as it was asked for
}

// String names the parameter and keeps its value to itself.
func (v Value) String() string { return v.Name }

// Get gives the version of a parameter that a name, perhaps with a selector, means.
// Without decrypt a SecureString is its ciphertext.
func (s *Service) Get(ctx context.Context, text string, decrypt bool) (*Value, error) {
	n, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	var p *Parameter
	var v *Version
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, v, err = find(r, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	value, err := s.reveal(ctx, p, v, decrypt)
	if err == nil && n.selector != "" {
		value.Selector = ":" + n.selector
	}
	return value, err
}

// find reads the parameter and version that a name means.
func find(r store.Reader, n name) (*Parameter, *Version, error) {
	p, err := load[Parameter](r, headKey(n.path), errNotFound)
	if err != nil {
		return nil, nil, err
	}
	number, err := p.version(n.selector)
	if err != nil {
		return nil, nil, err
	}
	v, err := load[Version](r, versionKey(n.path, number), versionNotFound(n.selector, p.Name))
	return p, v, err
}

// reveal makes a version what a caller gets.
func (s *Service) reveal(ctx context.Context, p *Parameter, v *Version, decrypt bool) (*Value, error) {
	value := &Value{Parameter: p, Facts: v.Facts, Text: v.Value}
	switch {
	case p.Kind != SecureString:
	case !decrypt:
		value.Text = base64.StdEncoding.EncodeToString(v.Sealed)
	default:
		plain, err := s.cfg.Keys.Decrypt(ctx, v.Sealed, s.bound(p.Path))
		if err != nil {
			return nil, badKey(err)
		}
		value.Text = string(plain)
	}
	return value, nil
}

// Delete removes a parameter with all its versions. A crash leaves it whole or not
// at all.
func (s *Service) Delete(ctx context.Context, text string) error {
	n, err := s.parse(text)
	if err != nil {
		return err
	}
	if n.selector != "" {
		return invalid("A version of a parameter can't be deleted; name the parameter.")
	}
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		p, err := load[Parameter](tx, headKey(n.path), errNotFound)
		if err != nil {
			return err
		}
		versions := versionsOf(n.path)
		return errors.Join(addToCount(tx, p.Newest.Tier, -1), tx.Delete(headKey(n.path)), tx.DeleteRange(versions.Start, versions.End))
	})
}

// History gives versions of a parameter after one, oldest first, at most limit; more
// says whether there are others.
func (s *Service) History(ctx context.Context, text string, after int64, limit int, decrypt bool) (list []*Value, more bool, err error) {
	n, err := s.parse(text)
	if err != nil {
		return nil, false, err
	}
	var p *Parameter
	var versions []*Version
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		versions, more = nil, false
		if p, err = load[Parameter](r, headKey(n.path), errNotFound); err != nil {
			return err
		}
		within := versionsOf(n.path)
		within.Start = versionKey(n.path, max(after+1, 0))
		for v, err := range scan[Version](r, within) {
			if err != nil {
				return err
			}
			if more = len(versions) == limit; more {
				return nil
			}
			versions = append(versions, v)
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	for _, v := range versions {
		value, err := s.reveal(ctx, p, v, decrypt)
		if err != nil {
			return nil, false, err
		}
		list = append(list, value)
	}
	return list, more, nil
}
