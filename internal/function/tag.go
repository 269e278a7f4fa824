package function

import (
	"context"
	"maps"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Bounds of tags, as AWS documents them.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalid("Number of tags exceeds resource tag limit.")
	}
	for k, v := range tags {
		if k == "" || len(k) > maxTagKey || len(v) > maxTagValue {
			return invalid("Tag keys must have 1 to %d characters and values at most %d.", maxTagKey, maxTagValue)
		}
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return invalid("Tag keys that begin with aws: are reserved for system use.")
		}
	}
	return nil
}

// Tags gives a function's tags.
func (s *Service) Tags(ctx context.Context, resource string) (map[string]string, error) {
	name, err := s.parseTagged(resource)
	if err != nil {
		return nil, err
	}
	var tags map[string]string
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		f, err := s.function(r, name)
		if err == nil {
			tags = f.Tags
		}
		return err
	})
	return tags, err
}

// Tag adds tags, in place of those with the same keys; Untag takes some away.
// Each is one transaction; a crash leaves all or nothing of it.
func (s *Service) Tag(ctx context.Context, resource string, tags map[string]string) error {
	return s.retag(ctx, resource, func(have map[string]string) { maps.Copy(have, tags) })
}

// Untag takes tags away; keys that are not there are passed over.
func (s *Service) Untag(ctx context.Context, resource string, keys []string) error {
	return s.retag(ctx, resource, func(have map[string]string) {
		for _, k := range keys {
			delete(have, k)
		}
	})
}

func (s *Service) retag(ctx context.Context, resource string, fn func(map[string]string)) error {
	name, err := s.parseTagged(resource)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx store.Tx) error {
		f, err := s.function(tx, name)
		if err != nil {
			return err
		}
		if f.Tags == nil {
			f.Tags = map[string]string{}
		}
		fn(f.Tags)
		if err := checkTags(f.Tags); err != nil {
			return err
		}
		return save(tx, functionKey(name), f)
	})
}

// parseTagged reads the ARN of what has tags: functions, as long as event source
// mappings are a service of their own.
func (s *Service) parseTagged(resource string) (string, error) {
	n, err := s.Parse(resource, "")
	if err != nil {
		return "", err
	}
	if n.Qualifier != "" {
		return "", invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return n.Function, nil
}
