package queue

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/message"
)

// Limits of tags.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// AddTags gives a queue tags, in place of those with the same names.
func (s *Service) AddTags(ctx context.Context, address string, tags map[string]string) error {
	return s.change(ctx, address, func(_ *message.Tx, q *Queue) (err error) {
		q.Tags, err = mergeTags(q.Tags, tags)
		return err
	})
}

// RemoveTags takes tags away; those that are not there are passed over.
func (s *Service) RemoveTags(ctx context.Context, address string, names []string) error {
	return s.change(ctx, address, func(_ *message.Tx, q *Queue) error {
		for _, n := range names {
			delete(q.Tags, n)
		}
		return nil
	})
}

func mergeTags(have, add map[string]string) (map[string]string, error) {
	all := maps.Clone(have)
	if all == nil {
		all = map[string]string{}
	}
	for k, v := range add {
		switch {
		case k == "" || utf8.RuneCountInString(k) > maxTagKey || utf8.RuneCountInString(v) > maxTagValue:
			return nil, invalid("Tag keys must be between 1 and %d characters in length, and values at most %d.", maxTagKey, maxTagValue)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return nil, invalid("Tag keys that begin with aws: are reserved.")
		}
		all[k] = v
	}
	if len(all) > maxTags {
		return nil, invalid("Too many tags added for queue. A queue can have at most %d.", maxTags)
	}
	return all, nil
}
