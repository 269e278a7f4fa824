package queue

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	maxName    = 80
	fifoSuffix = ".fifo"
)

// checkName checks the name of a queue that is to be made.
func checkName(name string, fifo bool) error {
	base, isFIFO := strings.CutSuffix(name, fifoSuffix)
	switch {
	case name == "":
		return missing("QueueName")
	case isFIFO && !fifo, len(name) > maxName, base == "", strings.ContainsFunc(base, notInName):
		return invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	case fifo && !isFIFO:
		return invalid("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	}
	return nil
}

func notInName(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
}

// nameOf reads a queue's name off its URL: the last of its path, behind the account.
// Which host it names is nobody's business but the client's.
func (s *Service) nameOf(address string) (string, error) {
	if address == "" {
		return "", missing("QueueUrl")
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", badAddress(address)
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return "", badAddress(address)
	}
	if parts[len(parts)-2] != s.cfg.Account {
		return "", errNotFound
	}
	return parts[len(parts)-1], nil
}

func badAddress(address string) error {
	return fault.New(http.StatusNotFound, "InvalidAddress", "The address %s is not valid for this endpoint.", clip(address))
}

// ByURL gives the queue of a URL.
func (s *Service) ByURL(ctx context.Context, address string) (*Queue, error) {
	name, err := s.nameOf(address)
	if err != nil {
		return nil, err
	}
	return s.byName(ctx, name)
}

// ByARN gives the queue of an ARN.
func (s *Service) ByARN(ctx context.Context, queueARN string) (*Queue, error) {
	name, ok := s.ownName(queueARN)
	if !ok {
		return nil, errNotFound
	}
	return s.byName(ctx, name)
}

// ownName is the name in an ARN of a queue of this account and region. No other spelling
// means that queue, so that what a policy says of the ARN holds.
func (s *Service) ownName(queueARN string) (string, bool) {
	a, err := arn.Parse(queueARN)
	return a.Resource, err == nil && queueARN == s.arn(a.Resource)
}

// byName gives a queue, from memory unless some was changed. It is not to be changed.
func (s *Service) byName(ctx context.Context, name string) (*Queue, error) {
	select {
	case <-s.changed:
		s.known.Forget()
	default:
	}
	if len(name) > maxName {
		return nil, errNotFound
	}
	return s.queues.Get(&s.known, name, func() (q *Queue, err error) {
		err = s.cfg.Store.View(ctx, func(r store.Reader) error {
			q, err = load[Queue](r, queueKey(name), errNotFound)
			return err
		})
		return q, err
	})
}
