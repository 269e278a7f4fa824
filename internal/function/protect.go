package function

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// ResourcePolicy gives the document of the policy of a function, version, alias or
// layer version, by its ARN; nil for none. A policy counts for what it was added to
// alone: one of a function not for its aliases. It answers from memory until the next
// change.
func (s *Service) ResourcePolicy(ctx context.Context, resourceARN string) ([]byte, error) {
	return s.policies.Get(&s.generation, resourceARN, func() ([]byte, error) {
		key := s.policyOf(resourceARN)
		if key == nil {
			return nil, nil
		}
		var doc []byte
		err := s.cfg.Store.View(ctx, func(r store.Reader) error {
			p, err := load[Policy](r, key)
			if errors.Is(err, store.ErrNotFound) {
				doc = nil
				return nil
			}
			if err != nil {
				return err
			}
			text, err := p.Document()
			doc = []byte(text)
			return err
		})
		return doc, err
	})
}

// policyOf is the key of the policy of a resource; nil for what has none.
func (s *Service) policyOf(resourceARN string) []byte {
	a, err := arn.Parse(resourceARN)
	if err != nil || a.Service != "lambda" || a.Account != s.cfg.Account || a.Region != s.cfg.Region {
		return nil
	}
	kind, rest, _ := strings.Cut(a.Resource, ":")
	name, qualifier, _ := strings.Cut(rest, ":")
	switch kind {
	case "function":
		return policyKey(name, qualifier)
	case "layer":
		if n, err := strconv.ParseUint(qualifier, 10, 64); err == nil {
			return layerPolicyKey(name, n)
		}
	}
	return nil
}

// knownTags gives the tags of a function, which are shared and must not be changed.
// What is not there, or cannot be read now, has none: it is refused anyway.
func (s *Service) knownTags(ctx context.Context, name string) map[string]string {
	tags, err := s.tags.Get(&s.generation, name, func() (map[string]string, error) { return s.Tags(ctx, name) })
	if err != nil {
		return nil
	}
	return tags
}
